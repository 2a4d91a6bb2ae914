/** Values that came from other workers in a traced run, until the next Done frame tells of them. */

/** The columns of a Done frame. */
export interface TransferColumns {
  readonly transferMs: number;
  readonly transferProcs: Uint32Array;
  readonly transferBytes: Uint32Array;
  readonly transferBeginsUs: Uint32Array;
  readonly transferEndsUs: Uint32Array;
}

/** Collects transfers. */
export class TransferLog {
  #procs: number[] = [];
  #bytes: number[] = [];
  #beganMs: number[] = [];
  #endedMs: number[] = [];

  /** A value came now; it was asked for at `sinceMs`, of `performance.now()`. */
  add(proc: number, bytes: number, sinceMs: number): void {
    this.#procs.push(proc);
    this.#bytes.push(bytes);
    this.#beganMs.push(sinceMs);
    this.#endedMs.push(performance.now());
  }

  /** What has been collected, if anything; it is told once. */
  take(): TransferColumns | undefined {
    if (this.#procs.length === 0) return undefined;
    const base = Math.floor(Math.min(...this.#beganMs));
    const us = (times: number[]): Uint32Array => Uint32Array.from(times, (ms) => (ms - base) * 1e3);
    const columns = {
      transferMs: performance.timeOrigin + base,
      transferProcs: Uint32Array.from(this.#procs),
      transferBytes: Uint32Array.from(this.#bytes),
      transferBeginsUs: us(this.#beganMs),
      transferEndsUs: us(this.#endedMs),
    };
    this.#procs = [];
    this.#bytes = [];
    this.#beganMs = [];
    this.#endedMs = [];
    return columns;
  }
}
