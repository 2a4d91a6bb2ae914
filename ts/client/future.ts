// Handles of results: one row, or one part of a row's value.
import { HeddleError } from '../errors/index.js';
import { Reference, type ReferencedRows, type ReferenceOwner } from '../graph/reference.js';
import type { Hold } from './hold.js';
import type { Rows } from './rows.js';
import type { WaitOptions } from './wait_options.js';

/** What has become of a task, as far as the client has been told. */
export type FutureStatus =
  /** Not finished: it waits for inputs or a worker, or runs. */
  | 'pending'
  | 'done'
  | 'failed'
  | 'cancelled'
  | 'released'
  /** Not finished, and the connection to the scheduler is gone. */
  | 'lost';

/**
 * A handle of the result of one task. Not thenable: `await future` gives the future; `await future.result()` the
 * value. Pass it as an argument, alone or inside arrays and objects, and the value is there when the task runs.
 *
 * The value is kept while the future is: `release()`, `using` or, at some time, garbage collection end that.
 */
export class Future<T> extends Reference {
  /** @internal */
  readonly _hold: Hold;
  /** @internal */
  readonly _row: number;

  /** @internal Made by a client. */
  constructor(hold: Hold, row: number) {
    super();
    this._hold = hold;
    this._row = row;
  }

  /** @internal */
  get _rows(): Rows {
    return this._hold.rows;
  }

  /** What has become of the task, as far as the client has been told. */
  get status(): FutureStatus {
    return this._rows.session.status(this._rows, this._row);
  }

  /** The attempt that ended the task, 1 for the first; undefined while it is pending or after its release. */
  get attempt(): number | undefined {
    return this._rows.chunk(this._row)?.attempt(this._row);
  }

  /**
   * The task's result, once it is there.
   * @param options `timeout` in milliseconds, `signal` to stop waiting (the task goes on: see `cancel`)
   * @throws the error the task threw, rebuilt: see `RemoteError`
   * @throws HeddleError ERR_TIMEOUT, ERR_NO_WORKERS, ERR_CANCELLED, ERR_RELEASED, ERR_SCHEDULER_LOST and others
   */
  result(options: WaitOptions = {}): Promise<T> {
    return this._rows.session.result(this._hold, this._row, options) as Promise<T>;
  }

  /** Cancels the task, and with it what depends on it. No new attempt starts; a running body sees `ctx.signal`. */
  cancel(reason?: string): void {
    this._rows.session.cancel(this._rows, this._row, 1, reason);
  }

  /** Gives up the result: it is kept only while other tasks need it. */
  release(): void {
    this._rows.session.release(this._rows, this._row, 1);
  }

  /** `using future = …` releases it at the end of the block. */
  [Symbol.dispose](): void {
    this.release();
  }

  /**
   * Part `index` of a result that was made with `parts()`, as an argument for other tasks: only that part moves.
   */
  part<P = Uint8Array>(index: number): PartReference<P> {
    return new PartReference<P>(this, index);
  }

  /** @internal */
  override resolveFor(owner: ReferenceOwner): ReferencedRows {
    return this._rows.session.reference(owner, this._rows, this._row, 1, false);
  }

  /** `Future(name, status)` in logs. */
  get [Symbol.toStringTag](): string {
    return `Future ${this.status}`;
  }
}

/** One part of a result of several parts, or that part of each result of a future array; only an argument. */
export class PartReference<T> extends Reference {
  /** What the part is; for the type checker alone. @internal */
  declare readonly __part?: T;
  readonly #of: Reference;
  readonly #part: number;

  /** @internal Made by `part()`. */
  constructor(of: Reference, part: number) {
    super();
    if (!Number.isInteger(part) || part < 0 || part >= 0xffff_ffff) {
      throw new HeddleError(
        'ERR_ARGUMENT',
        `part(${String(part)}): a part is named by a non-negative integer`,
      );
    }
    this.#of = of;
    this.#part = part;
  }

  /** @internal */
  override resolveFor(owner: ReferenceOwner): ReferencedRows {
    return { ...this.#of.resolveFor(owner), part: this.#part };
  }
}
