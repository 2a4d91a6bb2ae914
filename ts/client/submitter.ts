// One task at a time, sent many at a time: submissions of one turn of JavaScript become rows of the client's open
// Explicit layer and leave in one frame. A long loop sends full batches as it goes; a lone submission leaves at the
// end of the turn's microtask.
import { LARGE_BYTES } from '../diagnostics/large_arguments.js';
import { HeddleError } from '../errors/index.js';
import type { TaskOptions } from '../graph/options.js';
import type { Draft, Layer } from '../wire/index.js';
import type { ShippedFunction } from './functions.js';
import { Future } from './future.js';
import { Hold } from './hold.js';
import { definitionOf, KeyedFutures } from './keyed.js';
import { RowBatch, type RowOptions, WANTED } from './row_batch.js';
import type { Rows } from './rows.js';
import type { Session } from './session.js';

/** A batch is sent when it has this many rows, arguments or inputs. */
const BATCH_ROWS = 512;
const BATCH_BYTES = 1 << 18;
const BATCH_INPUTS = 1 << 16;
/** Rows of one layer; then the next begins, so that what is released can be forgotten. */
const LAYER_ROWS = 1 << 16;

const LAYER_NAME = 'submit';
const PLAIN: RowOptions = Object.freeze({ retries: 0, priority: 0, timeout: 0 });

/** Options of a submission, and what a running task passes on to those it submits. */
export interface SubmitOptions extends TaskOptions {
  /** Priority where neither the submission nor the task says one. */
  readonly inherited?: number | undefined;
}

/** The options of a row: the submission's, else the task's own, else none. */
export function rowOptions(fn: ShippedFunction, options: SubmitOptions | undefined): RowOptions {
  const { defaults } = fn;
  if (options === undefined && defaults.retries === undefined && defaults.priority === undefined) {
    return defaults.timeout === undefined ? PLAIN : { ...PLAIN, timeout: defaults.timeout };
  }
  return {
    retries: options?.retries ?? defaults.retries ?? 0,
    priority: options?.priority ?? defaults.priority ?? options?.inherited ?? 0,
    timeout: options?.timeout ?? defaults.timeout ?? 0,
  };
}

/** The open layer of one session. */
export class Submitter {
  readonly #session: Session;
  readonly #batch = new RowBatch();
  readonly #keyed = new KeyedFutures();
  #rows: Rows | undefined;
  #hold: Hold | undefined;
  #firstUnsent = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Adds a task and gives its future. */
  submit(
    fn: ShippedFunction,
    args: readonly unknown[],
    options: TaskOptions | undefined,
  ): Future<unknown> {
    const batch = this.#batch;
    const session = this.#session;
    session.checkOpen();
    const before = batch.argumentBytes;
    batch.add(fn, args, rowOptions(fn, options), session);
    const bytes = batch.argumentBytes - before;
    if (bytes >= LARGE_BYTES) session.stages.large.note(fn.name, args, 0, bytes, 1, true);
    const rows = this.#openRows();
    const row = rows.append(1);
    // Rows of one batch share a hold.
    this.#hold ??= new Hold(rows, row, 0);
    this.#hold.extend();
    const future = new Future<unknown>(this.#hold, row);
    if (batch.rows === 1) session.scheduleFlush();
    if (
      batch.rows >= BATCH_ROWS ||
      batch.argumentBytes >= BATCH_BYTES ||
      batch.inputs >= BATCH_INPUTS
    ) {
      this.flush();
    }
    return future;
  }

  /**
   * A task with an explicit key: the future that already stands for it, or a layer of its own, for a key in conflict
   * must refuse nothing else.
   */
  submitKeyed(
    fn: ShippedFunction,
    args: readonly unknown[],
    options: TaskOptions & { readonly key: string },
  ): Future<unknown> {
    this.finish();
    const session = this.#session;
    session.checkOpen();
    const batch = new RowBatch();
    batch.add(fn, args, rowOptions(fn, options), session);
    const { draft, payload } = batch.take(0, 0, options.name ?? fn.name, WANTED, 0);
    const definition = definitionOf(draft, payload);
    const known = this.#keyed.find(options.key, definition);
    if (known !== undefined) return known;
    const rows = session.openRows(1);
    rows.append(1);
    rows.closed = true;
    const keyRows = Uint32Array.of(0);
    const keyed: Draft<Layer> = { ...draft, layer: rows.number, keyRows, keys: [options.key] };
    session.sendGraph([{ rows, first: 0, count: 1 }], [keyed], [payload]);
    const future = new Future<unknown>(new Hold(rows, 0, 1), 0);
    this.#keyed.add(options.key, definition, future);
    return future;
  }

  /** Sends what has been added. */
  flush(): void {
    const rows = this.#rows;
    const count = this.#batch.rows;
    if (rows === undefined || count === 0) return;
    const first = this.#firstUnsent;
    const { draft, payload } = this.#batch.take(rows.number, first, LAYER_NAME, WANTED, 0);
    this.#firstUnsent = first + count;
    this.#hold = undefined;
    // Of running tasks' layers the latest goes first: depth first.
    if (rows.length >= LAYER_ROWS || this.#session.nested) this.closeLayer(rows);
    this.#session.sendGraph([{ rows, first, count }], [draft], [payload]);
  }

  /** Sends what has been added and ends the layer: a client appends to its newest Explicit layer only. */
  finish(): void {
    this.flush();
    if (this.#rows !== undefined) this.closeLayer(this.#rows);
  }

  /** No more rows for this layer: it is full, or the scheduler refused some of it. */
  closeLayer(rows: Rows): void {
    if (rows !== this.#rows) return;
    rows.closed = true;
    this.#rows = undefined;
    this.#firstUnsent = 0;
  }

  #openRows(): Rows {
    this.#rows ??= this.#session.openRows(BATCH_ROWS);
    return this.#rows;
  }
}

/** @throws HeddleError ERR_CANCELLED if the signal of the options has aborted */
export function checkSignal(options: TaskOptions | undefined): void {
  if (options?.signal?.aborted !== true) return;
  throw new HeddleError('ERR_CANCELLED', 'the signal had aborted before the task was submitted', {
    cause: options.signal.reason,
  });
}
