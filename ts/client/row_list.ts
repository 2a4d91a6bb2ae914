// Rows in the order a caller named them: one range, or any futures.
import { HeddleError } from '../errors/index.js';
import { Future } from './future.js';
import { FutureArray } from './future_array.js';
import type { Hold } from './hold.js';
import type { Rows } from './rows.js';
import type { Session } from './session.js';

/** A list of rows, possibly of several layers, possibly with repetitions. */
export interface RowList {
  readonly length: number;
  rows(i: number): Rows;
  row(i: number): number;
  /** False only if no row of that layer is listed. */
  includes(rows: Rows): boolean;
}

/** Consecutive rows of one layer. */
export class RowRange implements RowList {
  // Kept: while a range is waited for, somebody wants it.
  readonly #hold: Hold;
  readonly #first: number;
  readonly length: number;

  constructor(hold: Hold, first: number, length: number) {
    this.#hold = hold;
    this.#first = first;
    this.length = length;
  }

  rows(): Rows {
    return this.#hold.rows;
  }

  row(i: number): number {
    return this.#first + i;
  }

  includes(rows: Rows): boolean {
    return rows === this.#hold.rows;
  }
}

class FutureRows implements RowList {
  readonly #futures: readonly Future<unknown>[];
  #layers: Set<Rows> | undefined;
  readonly length: number;

  constructor(futures: readonly Future<unknown>[]) {
    this.#futures = futures;
    this.length = futures.length;
  }

  rows(i: number): Rows {
    return (this.#futures[i] as Future<unknown>)._rows;
  }

  row(i: number): number {
    return (this.#futures[i] as Future<unknown>)._row;
  }

  includes(rows: Rows): boolean {
    this.#layers ??= new Set(this.#futures.map((future) => future._rows));
    return this.#layers.has(rows);
  }
}

/** What a caller may name rows by. */
export type FuturesLike = FutureArray<unknown> | Iterable<Future<unknown>>;

/**
 * The rows of futures.
 * @throws HeddleError ERR_ARGUMENT for anything that is not a future of this client
 */
export function rowList(session: Session, futures: FuturesLike): RowList {
  if (futures instanceof FutureArray) {
    checkOwner(session, futures.length === 0 ? session : futures._rows.session);
    return new RowRange(futures._hold, futures._first, futures.length);
  }
  if (typeof (futures as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] !== 'function') {
    throw new HeddleError('ERR_ARGUMENT', 'expected a FutureArray or an iterable of futures');
  }
  const list = Array.isArray(futures) ? (futures as Future<unknown>[]) : [...futures];
  for (let i = 0; i < list.length; i++) {
    const future = list[i];
    if (!(future instanceof Future)) {
      throw new HeddleError('ERR_ARGUMENT', `element ${i} is not a future`);
    }
    checkOwner(session, future._rows.session);
  }
  return new FutureRows(list);
}

function checkOwner(session: Session, owner: Session): void {
  if (session !== owner) {
    throw new HeddleError('ERR_ARGUMENT', 'a future belongs to the client that made it');
  }
}
