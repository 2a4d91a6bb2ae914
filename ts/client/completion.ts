// Waiting for states, not values: all, the first, the first failure; and futures in order of completion.
import { HeddleError } from '../errors/index.js';
import { RowState } from '../wire/index.js';
import type { Future } from './future.js';
import { PENDING, RELEASED, type Waiter } from './rows.js';
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

const ended = (future: Future<unknown>): boolean =>
  ((future._rows.state[future._row] as number) & ~RELEASED) !== PENDING;

function failed(future: Future<unknown>): boolean {
  const state = future._rows.state[future._row];
  return state === RowState.Failed || state === RowState.Cancelled;
}

/** Waits until enough of the futures have ended. */
export class CompletionWait<T> extends Wait<Completion<T>> {
  readonly #futures: readonly Future<T>[];
  readonly #when: 'all' | 'first' | 'first-error';
  #parked: Future<T>[] = [];

  constructor(session: Session, futures: readonly Future<T>[], options: CompletionOptions) {
    super(session, options);
    this.#futures = futures;
    this.#when = options.returnWhen ?? 'all';
    if (!['all', 'first', 'first-error'].includes(this.#when)) {
      throw new HeddleError(
        'ERR_ARGUMENT',
        `option returnWhen must be 'all', 'first' or 'first-error', not ${String(this.#when)}`,
      );
    }
  }

  protected override poll(): void {
    const pending = this.#futures.filter((future) => !ended(future));
    for (const future of pending) {
      if (future.status === 'released') throw this.session.releasedError();
    }
    const done = this.#futures.length - pending.length;
    const enough =
      pending.length === 0 ||
      (this.#when === 'first' && done > 0) ||
      (this.#when === 'first-error' && this.#futures.some(failed));
    if (enough) {
      this.unpark();
      this.resolve({ done: this.#futures.filter(ended), pending });
      return;
    }
    this.session.checkOpen();
    // For all, one pending row at a time will do.
    const watch = this.#when === 'all' ? pending.slice(0, 1) : pending;
    if (this.#parked.length > 0 && this.#when !== 'all') return;
    for (const future of watch) future._rows.park(future._row, this);
    this.#parked = watch;
  }

  protected override unpark(): void {
    for (const future of this.#parked) future._rows.unpark(future._row, this);
    this.#parked = [];
  }

  protected override subject(): string {
    return `wait for ${this.#futures.length} futures`;
  }
}

/** Futures as they end; ends when all have. Rejects if the connection is lost. */
export async function* inCompletionOrder<T>(
  session: Session,
  futures: readonly Future<T>[],
): AsyncGenerator<Future<T>, void, undefined> {
  const ready: Future<T>[] = [];
  let news: (() => void) | undefined;
  const waiting = new Map<Future<T>, Waiter>();
  for (const future of futures) {
    if (ended(future) || future.status === 'released') {
      ready.push(future);
      continue;
    }
    const waiter = {
      wake(): void {
        waiting.delete(future);
        ready.push(future);
        news?.();
      },
    };
    waiting.set(future, waiter);
    future._rows.park(future._row, waiter);
  }
  try {
    while (ready.length > 0 || waiting.size > 0) {
      const future = ready.shift();
      if (future === undefined) {
        await new Promise<void>((resolve) => {
          news = resolve;
        });
        continue;
      }
      if (!ended(future)) session.checkOpen();
      yield future;
    }
  } finally {
    for (const [future, waiter] of waiting) future._rows.unpark(future._row, waiter);
  }
}
