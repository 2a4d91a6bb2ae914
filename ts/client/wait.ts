// Waiting for rows. One promise per wait, whatever the number of rows; a wait parks on one pending row at a time.
import { HeddleError } from '../errors/index.js';
import type { Waiter } from './rows.js';
import type { Session } from './session.js';
import { checkWaitOptions, type WaitOptions } from './wait_options.js';

/** Told of waits that last. */
export interface WaitWatcher {
  /** @throws what the wait is to be rejected with */
  began(wait: AnyWait): void;
  ended(wait: AnyWait): void;
}

/** A wait that somebody may give up. */
export interface AnyWait {
  /** Rejects, unless it has settled. */
  abandon(error: Error): void;
}

/** A wait with a timeout and an abort signal. Subclasses say what it is for. */
export abstract class Wait<R> implements Waiter, AnyWait {
  protected readonly session: Session;
  readonly #options: WaitOptions;
  #timer: NodeJS.Timeout | undefined;
  #resolve!: (value: R) => void;
  #reject!: (error: unknown) => void;
  #settled = false;
  #watched = false;
  #promise: Promise<R> | undefined;

  constructor(session: Session, options: WaitOptions) {
    checkWaitOptions(options);
    this.session = session;
    this.#options = options;
  }

  /** Begins to wait; to be called once. */
  run(): Promise<R> {
    this.#promise = new Promise<R>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      if (this.#options.signal?.aborted === true) {
        this.reject(this.#options.signal.reason);
        return;
      }
      this.wake();
      if (!this.#settled) this.#arm();
      if (!this.#settled) this.#watch();
    });
    return this.#promise;
  }

  abandon(error: Error): void {
    // Whoever began it may be gone.
    this.#promise?.catch(() => {});
    this.reject(error);
  }

  #watch(): void {
    const { waits } = this.session;
    if (waits === undefined) return;
    try {
      waits.began(this);
      this.#watched = true;
    } catch (error) {
      this.reject(error);
    }
  }

  wake(): void {
    if (this.#settled) return;
    try {
      this.poll();
    } catch (error) {
      this.reject(error);
    }
  }

  /** Looks at the rows: resolves, rejects, or parks where the next news is expected. */
  protected abstract poll(): void;
  /** Undoes what poll() parked. */
  protected abstract unpark(): void;
  /** What is waited for, as the subject of "did not finish within …". */
  protected abstract subject(): string;

  protected get settled(): boolean {
    return this.#settled;
  }

  protected resolve(value: R): void {
    if (this.#settled) return;
    this.#end();
    this.#resolve(value);
  }

  protected reject(error: unknown): void {
    if (this.#settled) return;
    this.#end();
    this.unpark();
    this.#reject(error);
  }

  #arm(): void {
    const { timeout, signal } = this.#options;
    if (timeout !== undefined) {
      this.#timer = setTimeout(() => this.reject(this.#timeoutError(timeout)), timeout);
    }
    signal?.addEventListener('abort', this.#aborted, { once: true });
  }

  readonly #aborted = (): void => this.reject(this.#options.signal?.reason);

  #end(): void {
    this.#settled = true;
    if (this.#watched) this.session.waits?.ended(this);
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener('abort', this.#aborted);
  }

  #timeoutError(timeout: number): HeddleError {
    const { noWorkers, address } = this.session;
    if (noWorkers !== undefined) {
      return new HeddleError(
        'ERR_NO_WORKERS',
        `${this.subject()} did not finish within ${timeout} ms: ${noWorkers}. ` +
          `Start a worker: heddle worker --connect ${address}`,
      );
    }
    return new HeddleError('ERR_TIMEOUT', `${this.subject()} did not finish within ${timeout} ms`);
  }
}
