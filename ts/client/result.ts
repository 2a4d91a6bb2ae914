// Waiting for one result.
import { RowState } from '../wire/index.js';
import type { Hold } from './hold.js';
import { PENDING, RELEASED } from './rows.js';
import type { Session } from './session.js';
import { Wait } from './wait.js';
import type { WaitOptions } from './wait_options.js';

/** The result of one row. */
export class ResultWait extends Wait<unknown> {
  // Kept, for `submit(…).result()` leaves nobody else to hold the row while it is waited for.
  readonly #hold: Hold;
  readonly #row: number;

  constructor(session: Session, hold: Hold, row: number, options: WaitOptions) {
    super(session, options);
    this.#hold = hold;
    this.#row = row;
  }

  protected override poll(): void {
    const state = this.#hold.rows.state[this.#row] as number;
    if ((state & RELEASED) !== 0) throw this.session.releasedError();
    if (state === PENDING) {
      this.session.checkOpen();
      this.#hold.rows.park(this.#row, this);
      return;
    }
    if (state !== RowState.Done) throw this.#hold.rows.error(this.#row);
    const chunk = this.#hold.rows.chunk(this.#row);
    if (chunk?.storedAt(this.#row) === undefined) {
      this.resolve(chunk?.value(this.#row));
      return;
    }
    this.session.value(this.#hold.rows, this.#row).then(
      (value) => this.resolve(value),
      (error: unknown) => this.reject(error),
    );
  }

  protected override unpark(): void {
    this.#hold.rows.unpark(this.#row, this);
  }

  protected override subject(): string {
    return 'the task';
  }
}
