// What one running task has submitted: given up as a whole when its run is over.
import type { Rows } from './rows.js';

/** Ranges beyond which those that were released are looked for. */
const RANGES = 256;

interface Range {
  readonly rows: Rows;
  readonly first: number;
  count: number;
}

/** Rows somebody answers for. */
export class Scope {
  #ranges: Range[] = [];
  #prune = RANGES;
  #ended = false;

  /** True once all was given up. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Takes rows in; gives them up at once if the scope has ended. */
  add(rows: Rows, first: number, count: number): void {
    if (count === 0) return;
    if (this.#ended) {
      rows.session.release(rows, first, count);
      return;
    }
    const last = this.#ranges.at(-1);
    if (last?.rows === rows && last.first + last.count === first) {
      last.count += count;
      return;
    }
    this.#ranges.push({ rows, first, count });
    if (this.#ranges.length < this.#prune) return;
    this.#ranges = this.#ranges.filter((range) => !range.rows.given(range.first, range.count));
    this.#prune = Math.max(RANGES, 2 * this.#ranges.length);
  }

  /** Gives everything up: what has not ended is cancelled, for nobody wants it any more. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const { rows, first, count } of this.#ranges) rows.session.release(rows, first, count);
    this.#ranges = [];
  }
}
