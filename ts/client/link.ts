// One transport of a connection: a DEALER, its send queue and its receive loop. It greets once, as soon as it is
// made, and never comes back: what libzmq and npm zeromq hold for a transport that dropped goes with its socket, so
// nothing said on it can surface on the next.
import type { Dealer } from 'zeromq';
import { type Frame, type FrameParts, splitFrame, WireError } from '../wire/index.js';
import { SendQueue } from './send_queue.js';
import { openDealer } from './sockets.js';

/** What a link tells its owner; nothing any more once it is closed. */
export interface LinkOwner {
  /** A valid frame; may throw WireError. */
  onFrame(frame: Frame): void;
  /** A frame was not valid, or `onFrame` threw. */
  onInvalid(error: WireError): void;
  /** The transport dropped. */
  onDropped(): void;
  /** The peer does not speak ZeroMQ, or not as this side does. */
  onHandshakeFailed(how: string): void;
  /** The socket itself failed. */
  onFailed(error: unknown): void;
}

/** One transport to one scheduler. */
export class Link {
  readonly #socket: Dealer = openDealer();
  readonly #owner: LinkOwner;
  readonly #queue: SendQueue;

  /** Connects and sends `hello` first. */
  constructor(address: string, hello: FrameParts, owner: LinkOwner) {
    this.#owner = owner;
    this.#queue = new SendQueue(this.#socket, (error) => owner.onFailed(error));
    const { events } = this.#socket;
    for (const failure of ['protocol', 'auth', 'other'] as const) {
      events.on(`handshake:error:${failure}`, () => {
        if (!this.#socket.closed) owner.onHandshakeFailed(failure);
      });
    }
    events.on('disconnect', () => {
      if (!this.#socket.closed) owner.onDropped();
    });
    this.#socket.connect(address);
    // Receive first: a receive() begun while a send waits for the connection swallows the event that send waits
    // for (npm zeromq 6.8), and the Hello would never leave.
    void this.#receive();
    this.#queue.push(hello);
  }

  /** Messages not yet with libzmq. */
  get unsent(): number {
    return this.#queue.length;
  }

  send(parts: FrameParts): void {
    this.#queue.push(parts);
  }

  /** @param linger milliseconds that what libzmq took may have to leave */
  close(linger: number): void {
    if (this.#socket.closed) return;
    this.#socket.linger = linger;
    this.#socket.close();
  }

  async #receive(): Promise<void> {
    while (!this.#socket.closed) {
      let parts: Uint8Array[];
      try {
        parts = await this.#socket.receive();
      } catch (error) {
        if (!this.#socket.closed) this.#owner.onFailed(error);
        return;
      }
      // Closed while this message was on its way here: the owner listens to another link by now.
      if (this.#socket.closed) return;
      try {
        this.#owner.onFrame(splitFrame(parts));
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        this.#owner.onInvalid(error);
      }
    }
  }
}
