// Handles of many results: a range of rows. No object or promise per row until one is asked for.
import { HeddleError } from '../errors/index.js';
import { Reference, type ReferencedRows, type ReferenceOwner } from '../graph/reference.js';
import { Future, PartReference } from './future.js';
import type { GatherOptions } from './gather.js';
import type { Hold } from './hold.js';
import type { Rows } from './rows.js';

const STREAM_BATCH = 1_024;

/** Options of `FutureArray.stream`. */
export interface StreamOptions extends GatherOptions {
  readonly as?: undefined;
  readonly batch?: number | undefined;
  readonly release?: boolean | undefined;
}

/**
 * The results of a `map`, in order. As an argument it stands for the array of all results; `at(i)` and iteration
 * give futures of single ones, made when asked for.
 */
export class FutureArray<T> extends Reference implements Iterable<Future<T>> {
  /** Number of tasks. */
  readonly length: number;
  /** @internal */
  readonly _hold: Hold;
  /** @internal */
  readonly _first: number;

  /** @internal Made by a client. */
  constructor(hold: Hold, first: number, length: number) {
    super();
    this._hold = hold;
    this._first = first;
    this.length = length;
  }

  /** @internal */
  get _rows(): Rows {
    return this._hold.rows;
  }

  /**
   * The future of task `index`; negative counts from the end.
   * @throws HeddleError ERR_ARGUMENT if there is no such task
   */
  at(index: number): Future<T> {
    const row = index < 0 ? this.length + index : index;
    if (!Number.isInteger(row) || row < 0 || row >= this.length) {
      throw new HeddleError(
        'ERR_ARGUMENT',
        `at(${String(index)}): the array has ${this.length} futures`,
      );
    }
    return new Future<T>(this._hold, this._first + row);
  }

  /** Tasks `start` (inclusive) to `end` (exclusive), as `Array.prototype.slice` counts. Shares the rows. */
  slice(start = 0, end = this.length): FutureArray<T> {
    const from = clamp(start, this.length);
    const to = Math.max(from, clamp(end, this.length));
    return new FutureArray<T>(this._hold, this._first + from, to - from);
  }

  /** All results in order: `client.gather(this)`. */
  results(options: GatherOptions & { readonly as: Float64ArrayConstructor }): Promise<Float64Array>;
  results(options?: GatherOptions & { readonly as?: undefined }): Promise<T[]>;
  results(options: GatherOptions = {}): Promise<unknown> {
    return this._rows.session.gatherRange(this._hold, this._first, this.length, options);
  }

  /**
   * Results in order, batch by batch, each as soon as it is whole: nothing is decoded before it is asked for. With
   * `release` a batch is given up when the next one is asked for, so that a stream of any length holds one at a time;
   * what is left when the loop is left early is given up then.
   * @param options `batch`: results at a time, default 1,024; `errors`, `timeout` (per batch) and `signal` as `gather`
   * @throws HeddleError ERR_ARGUMENT, and as `gather`
   * @example
   * for await (const squares of futures.stream({ release: true })) write(squares);
   */
  async *stream(options: StreamOptions = {}): AsyncGenerator<T[], void, undefined> {
    const { batch = STREAM_BATCH, release = false, ...rest } = options;
    if (!Number.isInteger(batch) || batch < 1) {
      throw new HeddleError(
        'ERR_ARGUMENT',
        `option batch must be a positive integer, not ${batch}`,
      );
    }
    let given = 0;
    try {
      for (; given < this.length; given += batch) {
        const part = this.slice(given, given + batch);
        yield await part.results(rest);
        if (release) part.release();
      }
    } finally {
      if (release && given < this.length) this.slice(given).release();
    }
  }

  /** Results in order, one by one: `stream()` without the batches. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for await (const batch of this.stream()) yield* batch;
  }

  /** Part `index` of every result, as an argument: an array of parts. */
  part<P = Uint8Array>(index: number): PartReference<P[]> {
    return new PartReference<P[]>(this, index);
  }

  /** Cancels every task of the array. */
  cancel(reason?: string): void {
    this._rows.session.cancel(this._rows, this._first, this.length, reason);
  }

  /** Gives up every result of the array. */
  release(): void {
    this._rows.session.release(this._rows, this._first, this.length);
  }

  /** `using futures = …` releases them at the end of the block. */
  [Symbol.dispose](): void {
    this.release();
  }

  *[Symbol.iterator](): Iterator<Future<T>> {
    for (let i = 0; i < this.length; i++) yield new Future<T>(this._hold, this._first + i);
  }

  /** @internal */
  override resolveFor(owner: ReferenceOwner): ReferencedRows {
    const { _rows: rows, _first: first, length } = this;
    return rows.session.reference(owner, rows, first, length, true);
  }
}

function clamp(index: number, length: number): number {
  const whole = Math.trunc(index) || 0;
  return whole < 0 ? Math.max(0, length + whole) : Math.min(whole, length);
}
