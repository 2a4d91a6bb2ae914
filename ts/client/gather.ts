// Gathering: one promise for many results.
import { HeddleError } from '../errors/index.js';
import { RowState } from '../wire/index.js';
import { type Gathered, put } from './gathered.js';
import type { RowList } from './row_list.js';
import { PENDING, RELEASED, type Rows } from './rows.js';
import type { Session } from './session.js';
import { Wait } from './wait.js';
import type { WaitOptions } from './wait_options.js';

/** Options of `gather`. */
export interface GatherOptions extends WaitOptions {
  /**
   * `'raise'` (default): the first failure, in time, rejects with that task's error. `'skip'`: results of tasks
   * that failed or were cancelled are left out; the order of the others is kept.
   */
  readonly errors?: 'raise' | 'skip' | undefined;
  /** `Float64Array`: results are numbers, given as one typed array. Default: an array of values. */
  readonly as?: Float64ArrayConstructor | undefined;
}

/** Waits for every row of a list, then decodes them. */
export class GatherWait extends Wait<Gathered> {
  readonly #list: RowList;
  readonly #skip: boolean;
  readonly #typed: boolean;
  #cursor = 0;
  #parkedOn: { rows: Rows; row: number } | undefined;

  constructor(session: Session, list: RowList, options: GatherOptions) {
    super(session, options);
    const { errors } = options;
    if (errors !== undefined && errors !== 'raise' && errors !== 'skip') {
      throw new HeddleError(
        'ERR_ARGUMENT',
        `option errors must be 'raise' or 'skip', not ${String(errors)}`,
      );
    }
    if (options.as !== undefined && options.as !== Float64Array) {
      throw new HeddleError('ERR_ARGUMENT', 'option as must be Float64Array');
    }
    this.#list = list;
    this.#typed = options.as !== undefined;
    this.#skip = errors === 'skip';
    if (!this.#skip && list.length > 0) session.failureWatchers.add(this);
  }

  /** Rows of a layer failed: rejects if one of these is among them. */
  onFailure(failed: Rows): void {
    if (this.settled || !this.#list.includes(failed)) return;
    for (let i = this.#cursor; i < this.#list.length; i++) {
      const rows = this.#list.rows(i);
      const row = this.#list.row(i);
      const state = rows.state[row] as number;
      if (state === RowState.Failed || state === RowState.Cancelled) {
        this.reject(rows.error(row));
        return;
      }
    }
  }

  protected override poll(): void {
    const list = this.#list;
    this.#parkedOn = undefined;
    for (; this.#cursor < list.length; this.#cursor++) {
      const rows = list.rows(this.#cursor);
      const row = list.row(this.#cursor);
      const state = rows.state[row] as number;
      if (state === RowState.Done) continue;
      if ((state & RELEASED) !== 0) throw this.session.releasedError();
      if (state === PENDING) {
        this.session.checkOpen();
        rows.park(row, this);
        this.#parkedOn = { rows, row };
        return;
      }
      if (!this.#skip) throw rows.error(row);
    }
    this.session.stages.decoding(() => this.#collect());
  }

  /** Decodes. Rows lost again since they were passed (their worker died) are waited for again. */
  #collect(): void {
    const list = this.#list;
    const out = this.#typed ? new Float64Array(list.length) : new Array<unknown>(list.length);
    const dropped: number[] = [];
    const stored: number[] = [];
    for (let i = 0; i < list.length; ) {
      const rows = list.rows(i);
      const row = list.row(i);
      const state = rows.state[row] as number;
      if (state === RowState.Done) {
        const chunk = rows.chunk(row);
        if (chunk === undefined) throw this.session.releasedError();
        if (chunk.storedAt(row) !== undefined) {
          stored.push(i++);
          continue;
        }
        let same = 1;
        while (
          i + same < list.length &&
          list.row(i + same) === row + same &&
          list.rows(i + same) === rows &&
          rows.chunk(row + same) === chunk
        ) {
          same++;
        }
        // A run with values stored elsewhere is taken row by row.
        i += chunk.allInline ? chunk.fill(out, i, row, same) : chunk.fill(out, i, row, 1);
      } else if (state === RowState.Failed || state === RowState.Cancelled) {
        if (!this.#skip) throw rows.error(row);
        dropped.push(i++);
      } else {
        this.#cursor = i;
        this.poll();
        return;
      }
    }
    if (stored.length === 0) {
      this.resolve(without(out, dropped));
      return;
    }
    this.#fetch(out, dropped, stored);
  }

  #fetch(out: Gathered, dropped: number[], stored: readonly number[]): void {
    const list = this.#list;
    const fetches = stored.map(async (i) => {
      try {
        put(out, i, await this.session.value(list.rows(i), list.row(i)));
      } catch (error) {
        const state = list.rows(i).state[list.row(i)];
        const ended = state === RowState.Failed || state === RowState.Cancelled;
        if (!this.#skip || !ended) throw error;
        dropped.push(i);
      }
    });
    Promise.all(fetches).then(
      () => this.resolve(without(out, dropped)),
      (error: unknown) => this.reject(error),
    );
  }

  protected override unpark(): void {
    this.session.failureWatchers.delete(this);
    if (this.#parkedOn !== undefined) this.#parkedOn.rows.unpark(this.#parkedOn.row, this);
    this.#parkedOn = undefined;
  }

  protected override resolve(value: Gathered): void {
    this.session.failureWatchers.delete(this);
    super.resolve(value);
  }

  protected override subject(): string {
    return `gather of ${this.#list.length} results`;
  }
}

function without(values: Gathered, dropped: readonly number[]): Gathered {
  if (dropped.length === 0) return values;
  const gone = new Set(dropped);
  const stays = (_: unknown, i: number): boolean => !gone.has(i);
  return values instanceof Float64Array ? values.filter(stays) : values.filter(stays);
}
