// Regular layers: described once, whatever their length. No edge is written down; the scheduler finds a row's inputs
// by arithmetic. blockwise, treeReduce and window differ in what a row reads of the arrays it is over.
import { LARGE_BYTES } from '../diagnostics/large_arguments.js';
import { HeddleError } from '../errors/index.js';
import { replaceReferences } from '../graph/inputs.js';
import { LayerInputs } from '../graph/layer_inputs.js';
import type { TaskOptions } from '../graph/options.js';
import { Reference, type ReferencedRows } from '../graph/reference.js';
import { treeRows } from '../graph/tree.js';
import {
  Dep,
  Deps,
  type Draft,
  encodeArgs,
  type Input,
  type Layer,
  LayerKind,
  limits,
  REST,
} from '../wire/index.js';
import type { ShippedFunction } from './functions.js';
import { Future } from './future.js';
import { FutureArray } from './future_array.js';
import { Hold } from './hold.js';
import { WANTED } from './row_batch.js';
import type { Rows } from './rows.js';
import type { Session } from './session.js';
import { rowOptions } from './submitter.js';

/** Bit 2 of a layer's flags: the client wants the last row's result alone. */
const WANTED_LAST = 4;

const FAN_IN = 8;
const FAN_IN_MAX = 1 << 16;

/** Options of `treeReduce`. */
export interface TreeOptions {
  /** Values one task combines. Default 8. */
  readonly fanIn?: number | undefined;
}

/** Options of `window`. */
export interface WindowOptions {
  /** Neighbours to either side. */
  readonly radius: number;
  /** The first and the last are neighbours. Default: no, and windows at the ends are shorter. */
  readonly periodic?: boolean | undefined;
}

/** `fn(...row i of every array among the arguments, ...the others as they are)`, in the order given. */
export function blockwise(
  session: Session,
  fn: ShippedFunction,
  args: readonly unknown[],
  options: TaskOptions,
): FutureArray<unknown> {
  session.checkOpen();
  refuseKey(options);
  const inputs = new LayerInputs();
  const note = inputs.noter(session);
  const streams: { readonly at: number; readonly rows: ReferencedRows }[] = [];
  const made = args.map((arg, at) => {
    const rows = arg instanceof Reference ? arg.resolveFor(session) : undefined;
    if (rows?.array !== true) return replaceReferences(arg, note);
    streams.push({ at, rows });
    return undefined;
  });
  const first = streams[0];
  if (first === undefined) {
    throw new HeddleError(
      'ERR_ARGUMENT',
      'blockwise needs a FutureArray among its arguments: use submit for one task',
    );
  }
  const length = first.rows.count;
  for (const { at, rows } of streams) {
    if (rows.count === length) continue;
    throw new HeddleError(
      'ERR_ARGUMENT',
      `blockwise: argument ${at + 1} has ${rows.count} rows, argument ${first.at + 1} has ${length}`,
    );
  }
  if (length === 0) return noFutures(session);
  // What every row reads comes first among a row's inputs: where the others stand is known only now.
  streams.forEach(({ at }, i) => {
    made[at] = new Dep(inputs.length + i);
  });
  const layer = describe(session, fn, options, {
    kind: LayerKind.Blockwise,
    tasks: length,
    args: made,
    inputs: inputs.drafts(streams.map(({ rows }) => rows)),
    given: args,
    first: 0,
  });
  return sendRegular(session, layer);
}

/** `fn(values)` over runs of `fanIn` values, and over its results, until one is left. */
export function treeReduce(
  session: Session,
  fn: ShippedFunction,
  over: unknown,
  { fanIn = FAN_IN }: TreeOptions,
  options: TaskOptions,
): Future<unknown> {
  session.checkOpen();
  refuseKey(options);
  const rows = arrayOf(session, 'treeReduce', over);
  if (!Number.isInteger(fanIn) || fanIn < 2 || fanIn > FAN_IN_MAX) {
    const range = `an integer from 2 to ${FAN_IN_MAX}`;
    throw new HeddleError('ERR_ARGUMENT', `option fanIn must be ${range}, not ${String(fanIn)}`);
  }
  if (rows.count === 0) {
    throw new HeddleError('ERR_ARGUMENT', 'treeReduce: the array is empty, there is no result');
  }
  const tasks = treeRows(rows.count, fanIn);
  const layer = describe(session, fn, options, {
    kind: LayerKind.TreeReduce,
    tasks,
    args: [new Deps(0, REST)],
    inputs: new LayerInputs().drafts([rows]),
    given: [],
    first: 0,
  });
  const sent = sendRows(session, { ...layer, fanIn, flags: WANTED_LAST });
  // There are no handles of rows on the way.
  sent.release(0, tasks - 1, []);
  return new Future<unknown>(new Hold(sent, tasks - 1, 1), tasks - 1);
}

/** `fn(values of the rows around row i, ...constants)` for every row. */
export function window(
  session: Session,
  fn: ShippedFunction,
  over: unknown,
  { radius, periodic = false }: WindowOptions,
  constants: readonly unknown[],
  options: TaskOptions,
): FutureArray<unknown> {
  session.checkOpen();
  refuseKey(options);
  const rows = arrayOf(session, 'window', over);
  const { WINDOW_RADIUS_MAX } = limits;
  if (!Number.isInteger(radius) || radius < 1 || radius > WINDOW_RADIUS_MAX) {
    const range = `an integer from 1 to WINDOW_RADIUS_MAX (${WINDOW_RADIUS_MAX})`;
    throw new HeddleError('ERR_ARGUMENT', `option radius must be ${range}, not ${String(radius)}`);
  }
  if (rows.count === 0) return noFutures(session);
  if (periodic && rows.count < 2 * radius + 1) {
    throw new HeddleError(
      'ERR_ARGUMENT',
      `a periodic window of radius ${radius} over ${rows.count} futures would read one twice`,
    );
  }
  const inputs = new LayerInputs();
  const args = shared(session, constants, inputs);
  const layer = describe(session, fn, options, {
    kind: LayerKind.Window,
    tasks: rows.count,
    args: [new Deps(inputs.length, REST), ...args],
    inputs: inputs.drafts([rows]),
    given: constants,
    first: 1,
  });
  return sendRegular(session, { ...layer, radius, periodic });
}

/** Arguments that all rows share, with what they refer to among `inputs`. */
export function shared(
  session: Session,
  constants: readonly unknown[],
  inputs: LayerInputs,
): unknown[] {
  const note = inputs.noter(session);
  return constants.map((constant) => replaceReferences(constant, note));
}

/** What a regular layer is, but for its function and options. */
export interface Description {
  readonly kind: LayerKind;
  readonly tasks: number;
  /** Shared arguments with placeholders; undefined: the item, then the inputs. */
  readonly args: readonly unknown[] | undefined;
  readonly inputs: readonly Draft<Input>[];
  /** Shared arguments as they were given, and the position of the first of them in the call. */
  readonly given: readonly unknown[];
  readonly first: number;
}

/**
 * A layer without its number.
 * @throws HeddleError ERR_ARGUMENT_SERIALIZATION, ERR_ARGUMENT_TOO_LARGE
 */
export function describe(
  session: Session,
  fn: ShippedFunction,
  options: TaskOptions,
  { kind, tasks, args, inputs, given, first }: Description,
): Draft<Layer> {
  const template = args === undefined ? undefined : templateOf(args);
  const bytes = template?.length ?? 0;
  if (bytes >= LARGE_BYTES) session.stages.large.note(fn.name, given, first, bytes, tasks, false);
  const { retries, priority, timeout } = rowOptions(fn, options);
  return {
    kind,
    tasks,
    name: options.name ?? fn.name,
    function: fn.number,
    priority,
    retries,
    timeoutMs: timeout,
    flags: WANTED,
    template,
    inputs,
  };
}

function templateOf(args: readonly unknown[]): Uint8Array {
  const bytes = encodeArgs(args);
  const { TEMPLATE_BYTES_MAX } = limits;
  if (bytes.length <= TEMPLATE_BYTES_MAX) return bytes;
  throw new HeddleError(
    'ERR_ARGUMENT_TOO_LARGE',
    `the arguments all tasks share take ${bytes.length} bytes, more than TEMPLATE_BYTES_MAX ` +
      `(${TEMPLATE_BYTES_MAX}): pass client.scatter(value) instead of the large value`,
  );
}

/** Sends a layer in one frame, whatever its length; gives the futures of its rows. */
export function sendRegular(session: Session, layer: Draft<Layer>): FutureArray<unknown> {
  const rows = sendRows(session, layer);
  return new FutureArray(new Hold(rows, 0, rows.length), 0, rows.length);
}

function sendRows(session: Session, layer: Draft<Layer>): Rows {
  const tasks = layer.tasks ?? 0;
  session.submitter.flush();
  const rows = session.openRows(tasks);
  rows.append(tasks);
  rows.closed = true;
  session.sendGraph([{ rows, first: 0, count: tasks }], [{ ...layer, layer: rows.number }], []);
  return rows;
}

/** The array of no futures. */
export function noFutures(session: Session): FutureArray<unknown> {
  return new FutureArray(new Hold(session.noRows, 0, 0), 0, 0);
}

/** @throws HeddleError ERR_ARGUMENT */
export function refuseKey(options: TaskOptions): void {
  if (options.key === undefined) return;
  throw new HeddleError('ERR_ARGUMENT', 'option key is for submit: this has many results');
}

function arrayOf(session: Session, name: string, over: unknown): ReferencedRows {
  const rows = over instanceof Reference ? over.resolveFor(session) : undefined;
  if (rows?.array === true) return rows;
  throw new HeddleError(
    'ERR_ARGUMENT',
    `${name} is over a FutureArray: client.map or client.scatterEach makes one`,
  );
}
