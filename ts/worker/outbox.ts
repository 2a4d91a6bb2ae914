/**
 * The one send queue of one socket. npm zeromq allows a single send in flight. A frame goes out at
 * once when the socket is idle; while it is busy, results pile up and the next pull takes them all
 * in one frame, so batches grow only under load.
 */

/** Sends multiparts in order. */
export class Outbox {
  #waiting: Uint8Array[][] = [];
  #busy = false;

  /**
   * @param send sends one multipart.
   * @param pull builds the next frame from whatever is ready; null if nothing is.
   * @param failed told of a failed send; later ones are attempted all the same.
   */
  constructor(
    private readonly send: (parts: Uint8Array[]) => Promise<void>,
    private readonly pull: () => Uint8Array[] | null,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** True if nothing waits and no send is in flight. */
  get idle(): boolean {
    return !this.#busy && this.#waiting.length === 0;
  }

  /** Queues a frame. */
  push(parts: Uint8Array[]): void {
    this.#waiting.push(parts);
    this.kick();
  }

  /** Sends what is ready, unless a send is in flight (which then goes on with it). */
  kick(): void {
    if (!this.#busy) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    try {
      let next = 0;
      for (;;) {
        const queued = this.#waiting[next];
        const parts = queued ?? this.pull();
        if (parts === null) break;
        if (queued !== undefined && ++next === this.#waiting.length) {
          this.#waiting = [];
          next = 0;
        }
        try {
          await this.send(parts);
        } catch (error) {
          this.failed(error);
        }
      }
    } finally {
      this.#busy = false;
    }
  }
}
