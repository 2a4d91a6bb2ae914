// Items of a map as one column of row data.
import { HeddleError } from '../errors/index.js';
import { Codec, encodeColumn, limits } from '../wire/index.js';
import { pack } from '../wire/msgpack.js';
import type { NumberArray } from './types.js';

/** Row data of a layer: either `stride` bytes per row or `sizes`. */
export interface ItemColumn {
  readonly codec: Codec;
  readonly stride: number;
  readonly sizes: Uint32Array | undefined;
  readonly bytes: Uint8Array;
}

/**
 * The column of `items`: doubles if all are numbers; else one codec for all, msgpack unless they agree on another.
 * @throws HeddleError ERR_ARGUMENT_SERIALIZATION naming item and path, ERR_ARGUMENT_TOO_LARGE
 */
export function encodeItems(items: readonly unknown[] | NumberArray): ItemColumn {
  if (ArrayBuffer.isView(items)) {
    // A copy: the socket keeps the bytes while the caller may change his.
    const numbers = new Float64Array(items);
    return { codec: Codec.F64, stride: 8, sizes: undefined, bytes: new Uint8Array(numbers.buffer) };
  }
  const column = encodeColumn(items);
  // Rows of a layer have one codec.
  const uniform = column.codecs === undefined ? column : packItems(items);
  uniform.sizes?.forEach(checkSize);
  return uniform;
}

function packItems(items: readonly unknown[]): ItemColumn {
  const sizes = new Uint32Array(items.length);
  const packed: Uint8Array[] = [];
  for (let i = 0; i < items.length; i++) {
    // encodeColumn has refused what cannot be packed.
    const bytes = pack(items[i]);
    sizes[i] = bytes.length;
    packed.push(bytes);
  }
  return { codec: Codec.Msgpack, stride: 0, sizes, bytes: Buffer.concat(packed) };
}

function checkSize(size: number, item: number): void {
  if (size <= limits.ROW_DATA_BYTES_MAX) return;
  throw new HeddleError(
    'ERR_ARGUMENT_TOO_LARGE',
    `item ${item} takes ${size} bytes, more than ROW_DATA_BYTES_MAX (${limits.ROW_DATA_BYTES_MAX}): ` +
      'scatter large values and map over their futures',
  );
}
