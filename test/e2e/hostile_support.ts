// Bytes nobody should send, and a proxy that sends them between honest frames.
import { Dealer, Router } from 'zeromq';
import { Kind, Role } from '#heddle/wire/index.js';
import { helloOf } from './daemon_support.js';

/** A deterministic stream of bytes. */
export function bytes(length: number, seed: number): Uint8Array {
  let state = seed >>> 0 || 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}

/** Frames that are wrong in every way: random, truncated, of another version, miscounted, of every kind. */
export function* hostileFrames(epoch: number): Generator<Uint8Array[]> {
  for (const [seed, length] of [1, 15, 16, 17, 24, 1000, 100_000].entries()) {
    yield [bytes(length, seed + 1)];
  }
  yield [bytes(8, 1), bytes(8, 2), bytes(8, 3)];
  const hello = helloOf(Role.Worker)[0] as Uint8Array;
  for (let length = 1; length < hello.length; length += 7) yield [hello.slice(0, length)];
  const version = hello.slice();
  version[2] = 9;
  yield [version];
  yield [hello, bytes(100, 4)];
  for (let kind = 0; kind < 64; kind++) {
    if (kind === Kind.Reject || kind === Kind.Bye) continue; // These end a connection rightly.
    for (let seed = 1; seed <= 3; seed++) {
      const frame = new Uint8Array(16 + 160);
      frame.set(hello.subarray(0, 16));
      frame[4] = kind;
      new DataView(frame.buffer).setUint32(8, epoch, true);
      frame.set(bytes(160, 64 * seed + kind), 16);
      // A root offset inside the frame, so that decoders get further than its first word.
      if (seed > 1) frame.set([4 * seed, 0, 0, 0], 16);
      yield [frame];
    }
  }
}

/** Stands between one peer and the scheduler, passes everything on, and can speak to the peer itself. */
export class HostileProxy {
  readonly #front = new Router({ linger: 0, mandatory: true });
  readonly #back = new Dealer({ linger: 0 });
  readonly #sends: Uint8Array[][] = [];
  #peer: Uint8Array | undefined;
  #sending = false;

  private constructor() {}

  static async open(upstream: string): Promise<HostileProxy> {
    const proxy = new HostileProxy();
    await proxy.#front.bind('tcp://127.0.0.1:*');
    proxy.#back.connect(upstream);
    void proxy.#up();
    void proxy.#down();
    return proxy;
  }

  get address(): string {
    return this.#front.lastEndpoint ?? '';
  }

  /** Sends the peer a frame that did not come from the scheduler. */
  inject(frame: Uint8Array[]): void {
    this.#sends.push(frame);
    void this.#flush();
  }

  async #up(): Promise<void> {
    for await (const [peer, ...frame] of this.#front) {
      this.#peer = peer;
      await this.#back.send(frame);
    }
  }

  async #down(): Promise<void> {
    for await (const frame of this.#back) this.inject(frame);
  }

  // One send at a time: a socket refuses a second.
  async #flush(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    for (let frame = this.#sends.shift(); frame !== undefined; frame = this.#sends.shift()) {
      if (this.#peer !== undefined && !this.#front.closed) {
        await this.#front.send([this.#peer, ...frame]).catch(() => {});
      }
    }
    this.#sending = false;
  }

  [Symbol.dispose](): void {
    this.#front.close();
    this.#back.close();
  }
}
