// Release by garbage collection: a safety net behind release() and `using`, not a way to manage memory. Futures of
// one batch share a Hold; when the last of them is gone, what was not released is.
import type { Rows } from './rows.js';

interface Range {
  readonly rows: Rows;
  readonly first: number;
  count: number;
}

/** Keeps a range of rows wanted while something points here. */
export class Hold {
  readonly rows: Rows;
  readonly #range: Range;

  constructor(rows: Rows, first: number, count: number) {
    this.rows = rows;
    this.#range = { rows, first, count };
    registry.register(this, this.#range);
  }

  /** Takes in the next row. */
  extend(): void {
    this.#range.count++;
  }
}

const registry = new FinalizationRegistry<Range>(({ rows, first, count }) =>
  rows.session.release(rows, first, count),
);
