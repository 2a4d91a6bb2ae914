// Waiting for one result.
import { RowState } from '../wire/index.js';
import { PENDING, RELEASED, type Rows } from './rows.js';
import type { Session } from './session.js';
import { Wait } from './wait.js';
import type { WaitOptions } from './wait_options.js';

/** The result of one row. */
export class ResultWait extends Wait<unknown> {
  readonly #rows: Rows;
  readonly #row: number;

  constructor(session: Session, rows: Rows, row: number, options: WaitOptions) {
    super(session, options);
    this.#rows = rows;
    this.#row = row;
  }

  protected override poll(): void {
    const state = this.#rows.state[this.#row] as number;
    if ((state & RELEASED) !== 0) throw this.session.releasedError();
    if (state === PENDING) {
      this.session.checkOpen();
      this.#rows.park(this.#row, this);
      return;
    }
    if (state !== RowState.Done) throw this.#rows.error(this.#row);
    const chunk = this.#rows.chunk(this.#row);
    if (chunk?.storedAt(this.#row) === undefined) {
      this.resolve(chunk?.value(this.#row));
      return;
    }
    this.session.value(this.#rows, this.#row).then(
      (value) => this.resolve(value),
      (error: unknown) => this.reject(error),
    );
  }

  protected override unpark(): void {
    this.#rows.unpark(this.#row, this);
  }

  protected override subject(): string {
    return 'the task';
  }
}
