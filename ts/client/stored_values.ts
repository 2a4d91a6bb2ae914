// Values that stayed with the worker that made them: fetched from its data socket when somebody wants them, found
// again through the scheduler if that worker is gone.
import { HeddleError } from '../errors/index.js';
import { decodeValue, RowState } from '../wire/index.js';
import type { ValuePeer } from './channel.js';
import type { FetchedValue } from './data_peer.js';
import { PENDING, type Rows, type Waiter } from './rows.js';
import type { Session } from './session.js';

/** How often a value is looked for again after its worker failed to give it. */
const FETCHES_MAX = 6;

/** The data sockets of one session. */
export class StoredValues {
  readonly #session: Session;
  readonly #addresses = new Map<number, string>();
  readonly #peers = new Map<string, ValuePeer>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** Notes where a worker process serves its values. */
  learn(proc: number, address: string): void {
    this.#addresses.set(proc, address);
  }

  /** The socket to a worker's data address, opened if need be. */
  peer(address: string): ValuePeer {
    let peer = this.#peers.get(address);
    if (peer === undefined || peer.closed) {
      peer = this.#session.peer(address);
      this.#peers.set(address, peer);
    }
    return peer;
  }

  /**
   * The value of a row that is done.
   * @throws the row's error if it failed since, HeddleError ERR_RELEASED, ERR_DEPENDENCY_LOST, ERR_SCHEDULER_LOST
   */
  async value(rows: Rows, row: number): Promise<unknown> {
    let reason = 'it was never tried';
    for (let tries = 0; tries < FETCHES_MAX; tries++) {
      const chunk = rows.chunk(row);
      const state = rows.state[row] as number;
      if (state === RowState.Failed || state === RowState.Cancelled) throw rows.error(row);
      if (state !== RowState.Done || chunk === undefined) {
        if (state !== PENDING) throw this.#session.releasedError();
        await this.#news(rows, row);
        continue;
      }
      const at = chunk.storedAt(row);
      if (at === undefined) return chunk.value(row);
      const address = this.#addresses.get(at.proc);
      try {
        if (address === undefined) throw new Error(`the address of proc ${at.proc} is unknown`);
        const item = { serial: rows.serial, index: row, attempt: at.attempt, size: at.size };
        return decode(await this.peer(address).fetch(item));
      } catch (error) {
        if (error instanceof HeddleError && error.code === 'ERR_PROTOCOL') throw error;
        reason = error instanceof Error ? error.message : String(error);
      }
      this.#session.checkOpen();
      if (rows.chunk(row) !== chunk) continue;
      // Told again at once if the scheduler knows better, and after the recomputation if the value is lost.
      this.#session.askAgain(rows, row);
      await this.#news(rows, row);
    }
    throw new HeddleError(
      'ERR_DEPENDENCY_LOST',
      `the value of a finished task could not be fetched from its worker: ${reason}`,
    );
  }

  close(): void {
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
  }

  /** Resolves at the row's next Update, its release, or the end of the session. */
  async #news(rows: Rows, row: number): Promise<void> {
    this.#session.checkOpen();
    await new Promise<void>((resolve) => {
      const waiter: Waiter = { wake: () => resolve() };
      rows.park(row, waiter);
    });
    this.#session.checkOpen();
  }
}

function decode({ codec, bytes }: FetchedValue): unknown {
  return decodeValue(codec, bytes, true);
}
