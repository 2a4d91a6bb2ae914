// The rules every hot message shares: equal-length columns, and payload ranges that exist.
import { WireError } from './error.js';
import { RECORDS_PER_SECTION_MAX } from './generated/limits.js';

/** The value of `part` that means: no payload. */
export const NO_PART = 65_535;
/** A lane number that means: not a lane, the process itself. */
export const NO_LANE = 4_294_967_295;
/** The value of a part column that means: the whole value. */
export const WHOLE_VALUE = 4_294_967_295;
/** A function serial that means: each record names its own. */
export const PER_RECORD = 4_294_967_295;

type Column = { readonly length: number } | undefined;

/**
 * Checks that each named column has `rows` elements or is absent.
 * @throws WireError naming table and column
 */
export function equalLengths(
  table: string,
  rows: number,
  columns: Readonly<Record<string, Column>>,
): void {
  for (const name in columns) {
    const column = columns[name];
    if (column !== undefined && column.length !== rows) {
      throw new WireError(`${table}.${name} has ${column.length} elements, not ${rows}`);
    }
  }
}

/** Checks a section's record count against its limit and against the end of the index range. */
export function checkCount(table: string, first: number, count: number): void {
  if (count > RECORDS_PER_SECTION_MAX) throw new WireError(`${table}.count is ${count}`);
  if (first + count > 4_294_967_296) throw new WireError(`${table}: rows end beyond 2^32`);
}

/** Checks that every element of an enum column is at most `high`. */
export function checkEnum(
  table: string,
  name: string,
  column: Uint8Array | undefined,
  high: number,
): void {
  if (column === undefined) return;
  for (let i = 0; i < column.length; i++) {
    if ((column[i] as number) > high) throw new WireError(`${table}.${name}[${i}] is ${column[i]}`);
  }
}

/**
 * Bytes a column of values takes in the payload: those with `home` 0 (or all).
 * @throws WireError if both `stride` and `sizes` are given
 * @param stride > 0: every value has this many bytes; else `sizes`, else none have any
 */
export function payloadBytes(
  rows: number,
  stride: number,
  sizes: Uint32Array | undefined,
  homes: Uint8Array | Uint32Array | undefined,
): number {
  if (stride > 0 && sizes !== undefined) throw new WireError('a column with a stride and sizes');
  if (homes === undefined && stride > 0) return rows * stride;
  if (homes === undefined && sizes === undefined) return 0;
  let bytes = 0;
  for (let i = 0; i < rows; i++) {
    if (homes === undefined || homes[i] === 0)
      bytes += stride > 0 ? stride : ((sizes?.[i] ?? 0) as number);
  }
  return bytes;
}

/** Checks that `bytes` bytes from `offset` exist in payload part `part` (nothing to check for none). */
export function checkPayload(
  table: string,
  payload: readonly Uint8Array[],
  part: number,
  offset: number,
  bytes: number,
): void {
  if (bytes === 0) return;
  const held = payload[part];
  if (held === undefined) throw new WireError(`${table}: payload part ${part} does not exist`);
  if (offset + bytes > held.byteLength) {
    throw new WireError(
      `${table}: bytes ${offset} to ${offset + bytes} of a part of ${held.byteLength}`,
    );
  }
}
