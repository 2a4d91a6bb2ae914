// Waiting for states, not values: all, the first, the first failure; and futures in order of completion. Rows tell of
// their ends in runs, so that a million of them cost no object, promise or look each.
import { HeddleError } from '../errors/index.js';
import { RowState } from '../wire/index.js';
import type { Future } from './future.js';
import { FutureArray } from './future_array.js';
import { type FuturesLike, type RowList, rowList } from './row_list.js';
import { PENDING, RELEASED, type RowObserver, type Rows } from './rows.js';
import type { Session } from './session.js';
import { Wait } from './wait.js';
import type { WaitOptions } from './wait_options.js';

/** Options of `wait`. */
export interface CompletionOptions extends WaitOptions {
  /** When to return: all have ended (default), the first has, or the first failure (or all). */
  readonly returnWhen?: 'all' | 'first' | 'first-error' | undefined;
}

/** What `wait` gives: the futures by whether they have ended. */
export interface Completion<T> {
  readonly done: Future<T>[];
  readonly pending: Future<T>[];
}

const stateOf = (list: RowList, i: number): number => list.rows(i).state[list.row(i)] as number;

/** Waits until enough of the futures have ended. */
export class CompletionWait<T> extends Wait<Completion<T>> implements RowObserver {
  readonly #futures: FutureArray<T> | readonly Future<T>[];
  readonly #list: RowList;
  readonly #when: 'all' | 'first' | 'first-error';
  readonly #observed = new Set<Rows>();
  /** Rows before it have ended. */
  #cursor = 0;
  #parkedOn: { readonly rows: Rows; readonly row: number } | undefined;

  constructor(session: Session, futures: FuturesLike, options: CompletionOptions) {
    super(session, options);
    this.#futures = (
      futures instanceof FutureArray || Array.isArray(futures) ? futures : [...futures]
    ) as FutureArray<T> | Future<T>[];
    this.#list = rowList(session, this.#futures);
    this.#when = options.returnWhen ?? 'all';
    if (!['all', 'first', 'first-error'].includes(this.#when)) {
      throw new HeddleError(
        'ERR_ARGUMENT',
        `option returnWhen must be 'all', 'first' or 'first-error', not ${String(this.#when)}`,
      );
    }
  }

  /** @internal */
  onEnded(): void {
    this.wake();
  }

  protected override poll(): void {
    const list = this.#list;
    this.#parkedOn = undefined;
    if (this.#when !== 'all' && this.#enough()) {
      this.#finish();
      return;
    }
    for (; this.#cursor < list.length; this.#cursor++) {
      const state = stateOf(list, this.#cursor);
      if (state === RELEASED) throw this.session.releasedError();
      if ((state & ~RELEASED) === PENDING) break;
    }
    if (this.#cursor === list.length) {
      this.#finish();
      return;
    }
    this.session.checkOpen();
    this.#await();
  }

  /** True if one has ended, or failed, of those that are asked for. */
  #enough(): boolean {
    const list = this.#list;
    for (let i = 0; i < list.length; i++) {
      const state = stateOf(list, i) & ~RELEASED;
      const failed = state === RowState.Failed || state === RowState.Cancelled;
      if (this.#when === 'first' ? state !== PENDING : failed) return true;
    }
    return false;
  }

  #await(): void {
    const list = this.#list;
    if (this.#when === 'all') {
      // One pending row at a time will do.
      this.#parkedOn = { rows: list.rows(this.#cursor), row: list.row(this.#cursor) };
      this.#parkedOn.rows.park(this.#parkedOn.row, this);
      return;
    }
    for (let i = this.#cursor; i < list.length; i++) {
      const rows = list.rows(i);
      if (this.#observed.has(rows)) continue;
      this.#observed.add(rows);
      rows.observe(this);
    }
  }

  #finish(): void {
    this.unpark();
    const done: Future<T>[] = [];
    const pending: Future<T>[] = [];
    let i = 0;
    for (const future of this.#futures) {
      const ended = (stateOf(this.#list, i++) & ~RELEASED) !== PENDING;
      (ended ? done : pending).push(future);
    }
    this.resolve({ done, pending });
  }

  protected override unpark(): void {
    for (const rows of this.#observed) rows.unobserve(this);
    this.#observed.clear();
    if (this.#parkedOn !== undefined) this.#parkedOn.rows.unpark(this.#parkedOn.row, this);
    this.#parkedOn = undefined;
  }

  protected override subject(): string {
    return `wait for ${this.#list.length} futures`;
  }
}

/** Futures of some rows by row: those of an array are made when they are asked for. */
interface Members<T> {
  take(row: number): readonly Future<T>[];
}

/** Rows that have ended, in order of completion, until they are taken. */
class Ended<T> implements RowObserver {
  readonly #members = new Map<Rows, Members<T>>();
  /** Rows, first and end of each run. */
  #runs: { readonly rows: Rows; next: number; readonly end: number }[] = [];
  #at = 0;
  #news: (() => void) | undefined;
  /** Futures not given yet. */
  left: number;

  constructor(futures: FutureArray<T> | readonly Future<T>[]) {
    this.left = futures.length;
    if (futures instanceof FutureArray) this.#members.set(futures._rows, new Slice(futures));
    else {
      for (const future of futures) {
        let picked = this.#members.get(future._rows) as Picked<T> | undefined;
        if (picked === undefined) {
          picked = new Picked<T>();
          this.#members.set(future._rows, picked);
        }
        picked.add(future);
      }
    }
    for (const rows of this.#members.keys()) {
      rows.observe(this);
      this.#already(rows);
    }
  }

  onEnded(rows: Rows, first: number, count: number): void {
    this.#runs.push({ rows, next: first, end: first + count });
    this.#news?.();
  }

  /** Futures of the next row that has ended; none if none has. */
  next(): readonly Future<T>[] {
    for (;;) {
      const run = this.#runs[this.#at];
      if (run === undefined) {
        this.#runs = [];
        this.#at = 0;
        return [];
      }
      while (run.next < run.end) {
        const taken = this.#members.get(run.rows)?.take(run.next++) ?? [];
        if (taken.length === 0) continue;
        this.left -= taken.length;
        return taken;
      }
      this.#at++;
    }
  }

  /** Resolves when more may have ended. */
  news(): Promise<void> {
    return new Promise((resolve) => {
      this.#news = resolve;
    });
  }

  close(): void {
    for (const rows of this.#members.keys()) rows.unobserve(this);
  }

  #already(rows: Rows): void {
    for (let row = 0; row < rows.length; ) {
      if (rows.state[row] === PENDING) {
        row++;
        continue;
      }
      const first = row;
      while (row < rows.length && rows.state[row] !== PENDING) row++;
      this.onEnded(rows, first, row - first);
    }
  }
}

/** Futures of a range of rows. A bit per row says which were given. */
class Slice<T> implements Members<T> {
  readonly #of: FutureArray<T>;
  readonly #given: Uint8Array;

  constructor(of: FutureArray<T>) {
    this.#of = of;
    this.#given = new Uint8Array((of.length + 7) >> 3);
  }

  take(row: number): readonly Future<T>[] {
    const i = row - this.#of._first;
    if (i < 0 || i >= this.#of.length) return [];
    const bit = 1 << (i & 7);
    const byte = this.#given[i >> 3] as number;
    if ((byte & bit) !== 0) return [];
    this.#given[i >> 3] = byte | bit;
    return [this.#of.at(i)];
  }
}

/** Futures somebody made. */
class Picked<T> implements Members<T> {
  readonly #rows = new Map<number, Future<T>[]>();

  add(future: Future<T>): void {
    const same = this.#rows.get(future._row);
    if (same === undefined) this.#rows.set(future._row, [future]);
    else same.push(future);
  }

  take(row: number): readonly Future<T>[] {
    const futures = this.#rows.get(row) ?? [];
    this.#rows.delete(row);
    return futures;
  }
}

/** Futures as they end; ends when all have. Rejects if the connection is lost. */
export async function* inCompletionOrder<T>(
  session: Session,
  futures: FutureArray<T> | readonly Future<T>[],
): AsyncGenerator<Future<T>, void, undefined> {
  const ended = new Ended<T>(futures);
  try {
    while (ended.left > 0) {
      const next = ended.next();
      if (next.length > 0) yield* next;
      else {
        session.checkOpen();
        await session.waiting(ended.news());
      }
    }
  } finally {
    ended.close();
  }
}
