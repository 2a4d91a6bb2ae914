// map: one layer, described and not enumerated. The items are one column of row data, constants one shared template,
// an upstream future array one input; only items that are themselves futures need explicit rows.
import { LARGE_BYTES } from '../diagnostics/large_arguments.js';
import { HeddleError } from '../errors/index.js';
import { InputColumns, referenceNoter, replaceReferences } from '../graph/inputs.js';
import { encodeItems, type ItemColumn } from '../graph/items.js';
import type { TaskOptions } from '../graph/options.js';
import { Reference } from '../graph/reference.js';
import type { NumberArray } from '../graph/types.js';
import {
  Dep,
  type Draft,
  encodeArgs,
  type Input,
  Item,
  type Layer,
  LayerKind,
  limits,
} from '../wire/index.js';
import type { ShippedFunction } from './functions.js';
import { FutureArray } from './future_array.js';
import { Hold } from './hold.js';
import { RowBatch, WANTED } from './row_batch.js';
import type { Session } from './session.js';
import { rowOptions } from './submitter.js';

/** What `map` takes its items from. */
export type Items = Iterable<unknown> | NumberArray | FutureArray<unknown>;

/** Row data of one Submit frame; a larger map is appended in several, as rows of an Explicit layer. */
const FRAME_BYTES = 1 << 25;

/** Maps `fn` over `items`. */
export function mapItems(
  session: Session,
  fn: ShippedFunction,
  items: Items,
  constants: readonly unknown[],
  options: TaskOptions,
): FutureArray<unknown> {
  session.checkOpen();
  if (options.key !== undefined) {
    throw new HeddleError(
      'ERR_ARGUMENT',
      'option key is for submit: a map has as many results as items',
    );
  }
  if (items instanceof FutureArray) return mapFutures(session, fn, items, constants, options);
  const list = listOf(items);
  if (list.length > limits.TASKS_PER_LAYER_MAX) {
    throw new HeddleError(
      'ERR_LIMIT_EXCEEDED',
      `a map of ${list.length} items, more than TASKS_PER_LAYER_MAX (${limits.TASKS_PER_LAYER_MAX})`,
    );
  }
  if (list.length === 0) return noFutures(session);
  if (!ArrayBuffer.isView(list) && list.some(holdsReference)) {
    return mapExplicit(session, fn, list, constants, options);
  }
  const layer = describe(session, fn, constants, options, list.length, false);
  return send(session, layer, list.length, encodeItems(list));
}

function listOf(items: Items): readonly unknown[] | NumberArray {
  if (Array.isArray(items)) return items as unknown[];
  if (ArrayBuffer.isView(items) && !(items instanceof DataView)) return items as NumberArray;
  if (items !== null && typeof items === 'object' && Symbol.iterator in items) return [...items];
  throw new HeddleError('ERR_ARGUMENT', 'map needs an iterable, a typed array or a FutureArray');
}

/** True for a future, or a plain array or object with one at its first level; deeper ones are not looked for. */
function holdsReference(item: unknown): boolean {
  if (typeof item !== 'object' || item === null) return false;
  if (item instanceof Reference) return true;
  const inside: unknown[] = Array.isArray(item) ? item : Object.values(item);
  return inside.some((value) => value instanceof Reference);
}

/** The layer without its rows. */
function describe(
  session: Session,
  fn: ShippedFunction,
  constants: readonly unknown[],
  options: TaskOptions,
  tasks: number,
  overFutures: boolean,
): Draft<Layer> {
  const { retries, priority, timeout } = rowOptions(fn, options);
  const inputs = new InputColumns();
  const template =
    constants.length === 0 ? undefined : templateOf(session, constants, inputs, overFutures);
  const bytes = template?.length ?? 0;
  if (bytes >= LARGE_BYTES) session.stages.large.note(fn.name, constants, 1, bytes, tasks, false);
  const { layers, indices, parts } = inputs;
  const broadcast = layers.map(
    (layer, i): Draft<Input> => ({
      layer,
      first: indices[i] as number,
      part: parts[i] as number,
      broadcast: true,
    }),
  );
  return {
    kind: LayerKind.Map,
    name: options.name ?? fn.name,
    function: fn.number,
    priority,
    retries,
    timeoutMs: timeout,
    flags: WANTED,
    template,
    inputs: broadcast,
  };
}

/** Arguments `[item, ...constants]`. Over futures the item is input 0, so inputs of constants begin at 1. */
function templateOf(
  session: Session,
  constants: readonly unknown[],
  inputs: InputColumns,
  overFutures: boolean,
): Uint8Array {
  const note = referenceNoter(session, inputs, overFutures ? 1 : 0);
  const args = constants.map((constant) => replaceReferences(constant, note));
  const bytes = encodeArgs([overFutures ? new Dep(0) : new Item(), ...args]);
  if (bytes.length > limits.TEMPLATE_BYTES_MAX) {
    throw new HeddleError(
      'ERR_ARGUMENT_TOO_LARGE',
      `the constant arguments of a map take ${bytes.length} bytes, more than TEMPLATE_BYTES_MAX ` +
        `(${limits.TEMPLATE_BYTES_MAX}): pass client.scatter(value) instead of the large value`,
    );
  }
  return bytes;
}

function mapFutures(
  session: Session,
  fn: ShippedFunction,
  items: FutureArray<unknown>,
  constants: readonly unknown[],
  options: TaskOptions,
): FutureArray<unknown> {
  if (items.length === 0) return noFutures(session);
  const { layer, first } = items.resolveFor(session);
  const described = describe(session, fn, constants, options, items.length, true);
  const upstream: Draft<Input> = { layer, first };
  const inputs = [upstream, ...(described.inputs ?? [])];
  return send(session, { ...described, inputs }, items.length, undefined);
}

function mapExplicit(
  session: Session,
  fn: ShippedFunction,
  items: readonly unknown[],
  constants: readonly unknown[],
  options: TaskOptions,
): FutureArray<unknown> {
  const batch = new RowBatch();
  const row = rowOptions(fn, options);
  for (const item of items) batch.add(fn, [item, ...constants], row, session);
  session.submitter.finish();
  const rows = session.openRows(items.length);
  rows.append(items.length);
  rows.closed = true;
  const { draft, payload } = batch.take(rows.number, 0, options.name ?? fn.name, WANTED, 0);
  session.sendGraph([{ rows, first: 0, count: items.length }], [draft], [payload]);
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
  const each = inputs.length;
  const columns = { kind: LayerKind.Explicit, inputs: [] };
  if (each === 0) return columns;
  const repeat = (value: (input: Draft<Input>) => number): Uint32Array =>
    Uint32Array.from({ length: each * count }, (_, i) => value(inputs[i % each] as Draft<Input>));
  return {
    ...columns,
    depOffsets: Uint32Array.from({ length: count + 1 }, (_, i) => i * each),
    depLayers: repeat(({ layer }) => layer as number),
    depIndices: repeat(({ first }) => first as number),
    depParts: repeat(({ part }) => part as number),
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

function noFutures(session: Session): FutureArray<unknown> {
  return new FutureArray(new Hold(session.noRows, 0, 0), 0, 0);
}
