// A TCP proxy that can cut what it carries: the wire between a client and its scheduler.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Carries connections to one scheduler until they are cut. */
export class Wire {
  readonly #server: Server;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  /** Bytes that passed towards the client. */
  received = 0;
  /** Connections that were carried so far. */
  carried = 0;
  #down = false;
  #cutAt = Number.POSITIVE_INFINITY;

  private constructor(target: string) {
    this.#port = Number(new URL(target.replace('tcp:', 'http:')).port);
    this.#server = createServer({ noDelay: true }, (socket) => this.#carry(socket));
  }

  /** @param target a tcp address on this machine */
  static async open(target: string): Promise<Wire> {
    const wire = new Wire(target);
    wire.#server.listen(0, '127.0.0.1');
    await once(wire.#server, 'listening');
    return wire;
  }

  get address(): string {
    return `tcp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends what is carried now; the next connection is carried again. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Ends what is carried once so many more bytes have passed towards the client. */
  cutAfter(bytes: number): void {
    this.#cutAt = this.received + bytes;
  }

  /** Cuts, and carries nothing until `up()`. */
  down(): void {
    this.#down = true;
    this.cut();
  }

  up(): void {
    this.#down = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #carry(near: Socket): void {
    if (this.#down) {
      near.destroy();
      return;
    }
    this.carried++;
    const far = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    far.on('data', (bytes) => {
      this.received += bytes.length;
      if (this.received < this.#cutAt) return;
      this.#cutAt = Number.POSITIVE_INFINITY;
      this.cut();
    });
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      // A cut ends connections in the middle of a write: that is its point.
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
  }
}
