// map: one layer, described and not enumerated. The items are one column of row data, constants one shared template,
// an upstream future array one input; only items that are themselves futures need explicit rows.
import { HeddleError } from '../errors/index.js';
import { encodeItems, type ItemColumn } from '../graph/items.js';
import { LayerInputs } from '../graph/layer_inputs.js';
import type { TaskOptions } from '../graph/options.js';
import { Range } from '../graph/range.js';
import { Reference } from '../graph/reference.js';
import type { NumberArray } from '../graph/types.js';
import {
  Codec,
  Dep,
  type Draft,
  type Input,
  Item,
  type Layer,
  LayerKind,
  limits,
  WHOLE_VALUE,
} from '../wire/index.js';
import type { ShippedFunction } from './functions.js';
import { FutureArray } from './future_array.js';
import { Hold } from './hold.js';
import { describe, noFutures, refuseKey, sendRegular, shared } from './regular.js';
import { RowBatch, WANTED } from './row_batch.js';
import type { Session } from './session.js';
import { rowOptions } from './submitter.js';

/** What `map` takes its items from. */
export type Items = Iterable<unknown> | NumberArray | Range | FutureArray<unknown>;

/** Row data of one Submit frame; a larger map is appended in several, as rows of an Explicit layer. */
const FRAME_BYTES = 1 << 25;
/** Rows with inputs of their own in one Submit frame: the first run while the rest is under way. */
const FRAME_ROWS = 1 << 16;
/** Edges of one such frame. */
const EDGES_MAX = 1 << 21;

/** Maps `fn` over `items`. */
export function mapItems(
  session: Session,
  fn: ShippedFunction,
  items: Items,
  constants: readonly unknown[],
  options: TaskOptions,
): FutureArray<unknown> {
  session.checkOpen();
  refuseKey(options);
  if (items instanceof FutureArray && items.length > 0) {
    return mapFutures(session, fn, items, constants, options);
  }
  if (items instanceof Range && items.length > 0) {
    checkLength(items.length);
    return mapRange(session, fn, items, constants, options);
  }
  const list = listOf(items);
  checkLength(list.length);
  if (list.length === 0) return noFutures(session);
  if (!ArrayBuffer.isView(list) && list.some(holdsReference)) {
    return mapExplicit(session, fn, list, constants, options);
  }
  const layer = describeItems(session, fn, constants, options, list.length);
  return send(session, layer, list.length, encodeItems(list));
}

function listOf(items: Items): readonly unknown[] | NumberArray {
  if (Array.isArray(items)) return items as unknown[];
  if (ArrayBuffer.isView(items) && !(items instanceof DataView)) return items as NumberArray;
  if (items !== null && typeof items === 'object' && Symbol.iterator in items) return [...items];
  throw new HeddleError(
    'ERR_ARGUMENT',
    'map needs an iterable, a typed array, a range or a FutureArray',
  );
}

/** True for a future, or a plain array or object with one at its first level; deeper ones are not looked for. */
function holdsReference(item: unknown): boolean {
  if (typeof item !== 'object' || item === null) return false;
  if (item instanceof Reference) return true;
  const inside: unknown[] = Array.isArray(item) ? item : Object.values(item);
  return inside.some((value) => value instanceof Reference);
}

function mapFutures(
  session: Session,
  fn: ShippedFunction,
  items: FutureArray<unknown>,
  constants: readonly unknown[],
  options: TaskOptions,
): FutureArray<unknown> {
  const { length } = items;
  const stream = items.resolveFor(session);
  const inputs = new LayerInputs();
  const args = shared(session, constants, inputs);
  const layer = describe(session, fn, options, {
    kind: LayerKind.Map,
    tasks: length,
    args: args.length === 0 ? undefined : [new Dep(inputs.length), ...args],
    inputs: inputs.drafts([stream]),
    given: constants,
    first: 1,
  });
  return sendRegular(session, layer);
}

/** A map over numbers that the scheduler counts itself. */
function mapRange(
  session: Session,
  fn: ShippedFunction,
  items: Range,
  constants: readonly unknown[],
  options: TaskOptions,
): FutureArray<unknown> {
  const layer = describeItems(session, fn, constants, options, items.length);
  const range = { dataCodec: Codec.F64, rangeStart: items.start, rangeStep: items.step };
  return sendRegular(session, { ...layer, ...range });
}

/** The layer of a map whose items are row data, without its rows. */
function describeItems(
  session: Session,
  fn: ShippedFunction,
  constants: readonly unknown[],
  options: TaskOptions,
  tasks: number,
): Draft<Layer> {
  const inputs = new LayerInputs();
  const args = shared(session, constants, inputs);
  return describe(session, fn, options, {
    kind: LayerKind.Map,
    tasks,
    args: args.length === 0 ? undefined : [new Item(), ...args],
    inputs: inputs.drafts(),
    given: constants,
    first: 1,
  });
}

function checkLength(length: number): void {
  if (length <= limits.TASKS_PER_LAYER_MAX) return;
  throw new HeddleError(
    'ERR_LIMIT_EXCEEDED',
    `a map of ${length} items, more than TASKS_PER_LAYER_MAX (${limits.TASKS_PER_LAYER_MAX})`,
  );
}

function mapExplicit(
  session: Session,
  fn: ShippedFunction,
  items: readonly unknown[],
  constants: readonly unknown[],
  options: TaskOptions,
): FutureArray<unknown> {
  const row = rowOptions(fn, options);
  const name = options.name ?? fn.name;
  const frames: { draft: Draft<Layer>; payload: Uint8Array; first: number; count: number }[] = [];
  const batch = new RowBatch();
  // All are encoded before the first is sent: what cannot be refuses the map as a whole.
  for (const [at, item] of items.entries()) {
    batch.add(fn, [item, ...constants], row, session);
    const full = batch.rows >= FRAME_ROWS || batch.argumentBytes >= FRAME_BYTES;
    if (!full && at + 1 < items.length) continue;
    const count = batch.rows;
    const first = at + 1 - count;
    frames.push({ ...batch.take(0, first, name, WANTED, 0), first, count });
  }
  session.submitter.finish();
  const rows = session.openRows(items.length);
  rows.append(items.length);
  rows.closed = true;
  for (const { draft, payload, first, count } of frames) {
    session.sendGraph([{ rows, first, count }], [{ ...draft, layer: rows.number }], [payload]);
  }
  return new FutureArray(new Hold(rows, 0, items.length), 0, items.length);
}

/** Sends a described layer with its rows, in as many frames as its data needs. */
function send(
  session: Session,
  layer: Draft<Layer>,
  length: number,
  column: ItemColumn | undefined,
): FutureArray<unknown> {
  const parts = [...slices(length, column)];
  // Only Explicit layers can be appended to.
  const appended = parts.length > 1;
  if (appended) session.submitter.finish();
  else session.submitter.flush();
  const rows = session.openRows(length);
  for (const { first, count, begin, end } of parts) {
    rows.append(count);
    const edges = appended ? explicitEdges(layer.inputs ?? [], count) : undefined;
    session.sendGraph(
      [{ rows, first, count }],
      [
        {
          ...layer,
          ...edges,
          ...rowData(column, first, count),
          layer: rows.number,
          first,
          tasks: count,
        },
      ],
      column === undefined ? [] : [column.bytes.subarray(begin, end)],
    );
  }
  rows.closed = true;
  return new FutureArray(new Hold(rows, 0, length), 0, length);
}

function rowData(column: ItemColumn | undefined, first: number, count: number): Draft<Layer> {
  if (column === undefined) return {};
  return {
    dataCodec: column.codec,
    dataStride: column.stride,
    dataSizes: column.sizes?.subarray(first, first + count),
    dataPart: 0,
  };
}

/** Broadcast inputs as edges of every row. */
function explicitEdges(inputs: readonly Draft<Input>[], count: number): Draft<Layer> {
  const columns = { kind: LayerKind.Explicit, inputs: [] };
  const reads = inputs.flatMap(({ layer = 0, first = 0, part = WHOLE_VALUE, count: rows = 0 }) =>
    Array.from({ length: rows || 1 }, (_, i) => ({ layer, index: first + i, part })),
  );
  const each = reads.length;
  if (each === 0) return columns;
  const edges = each * count;
  if (edges > EDGES_MAX) {
    throw new HeddleError(
      'ERR_LIMIT_EXCEEDED',
      `${count} large items that each read ${each} futures: scatter the items and map over their futures`,
    );
  }
  const repeat = (column: readonly number[]): Uint32Array =>
    Uint32Array.from({ length: edges }, (_, i) => column[i % each] as number);
  return {
    ...columns,
    depOffsets: Uint32Array.from({ length: count + 1 }, (_, i) => i * each),
    depLayers: repeat(reads.map(({ layer }) => layer)),
    depIndices: repeat(reads.map(({ index }) => index)),
    depParts: repeat(reads.map(({ part }) => part)),
  };
}

interface Slice {
  readonly first: number;
  readonly count: number;
  readonly begin: number;
  readonly end: number;
}

function* slices(length: number, column: ItemColumn | undefined): Generator<Slice> {
  if (column === undefined || column.bytes.length <= FRAME_BYTES) {
    yield { first: 0, count: length, begin: 0, end: column?.bytes.length ?? 0 };
    return;
  }
  let first = 0;
  let begin = 0;
  while (first < length) {
    let count = 0;
    let end = begin;
    while (first + count < length) {
      const size = column.stride > 0 ? column.stride : (column.sizes?.[first + count] as number);
      if (count > 0 && end + size - begin > FRAME_BYTES) break;
      end += size;
      count++;
    }
    yield { first, count, begin, end };
    first += count;
    begin = end;
  }
}
