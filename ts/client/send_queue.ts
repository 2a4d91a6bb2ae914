// The one queue of one socket. npm zeromq allows a single send in flight and completes most of them at once, so a
// send goes straight to the socket until it says it is busy; the rest waits here, in order.
import type { Dealer } from 'zeromq';
import type { FrameParts } from '../wire/index.js';

/** Sends multiparts in order, each as soon as the socket takes it. */
export class SendQueue {
  readonly #socket: Dealer;
  readonly #failed: (error: unknown) => void;
  #waiting: FrameParts[] = [];
  #last: Promise<void> | undefined;
  #pumping = false;

  /** @param failed told of a send that cannot succeed; later sends are attempted all the same */
  constructor(socket: Dealer, failed: (error: unknown) => void) {
    this.#socket = socket;
    this.#failed = failed;
  }

  /** Messages not yet with libzmq. */
  get length(): number {
    return this.#waiting.length;
  }

  push(parts: FrameParts): void {
    if (this.#pumping || !this.#trySend(parts)) {
      this.#waiting.push(parts);
      if (!this.#pumping) void this.#pump();
    }
  }

  /** False if the socket is busy with an earlier send. */
  #trySend(parts: FrameParts): boolean {
    if (this.#socket.closed) return true;
    let sent: Promise<void>;
    try {
      sent = this.#socket.send(parts);
    } catch (error) {
      if ((error as { code?: string }).code === 'EBUSY') return false;
      this.#failed(error);
      return true;
    }
    this.#last = sent.catch((error: unknown) => {
      if (!this.#socket.closed) this.#failed(error);
    });
    return true;
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    let next = 0;
    while (next < this.#waiting.length) {
      await this.#last;
      const parts = this.#waiting[next] as FrameParts;
      if (this.#trySend(parts)) next++;
      else await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#waiting = [];
    this.#pumping = false;
  }
}
