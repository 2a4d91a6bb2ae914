// Several values of one task, each of which can be fetched alone. As a whole they are laid out as
// u32 count, u32 0, count x (u32 codec, u32 bytes), then each body at the next multiple of 8.
import { WireError } from './error.js';
import { Codec } from './generated/enums.js';
import type { Encoded } from './values.js';

/** Returned by a task body: its consumers may take single parts. */
export class PartsValue {
  readonly values: readonly unknown[];

  constructor(values: readonly unknown[]) {
    this.values = values;
  }
}

/** Parts as a store holds them. */
export interface EncodedParts {
  readonly codec: typeof Codec.Parts;
  readonly parts: readonly Encoded[];
  /** Size of the whole as laid out by `joinParts`. */
  readonly bytes: number;
}

const TABLE_ENTRY_BYTES = 8;
const aligned = (at: number): number => Math.ceil(at / 8) * 8;

/** Puts encoded parts together without copying them. */
export function encodeParts(parts: readonly Encoded[]): EncodedParts {
  let end = 8 + TABLE_ENTRY_BYTES * parts.length;
  for (const part of parts) end = aligned(end) + part.bytes.byteLength;
  return { codec: Codec.Parts, parts, bytes: end };
}

/** One run of bytes from parts, for a fetch of the whole value. */
export function joinParts(encoded: EncodedParts): Uint8Array {
  const bytes = new Uint8Array(encoded.bytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, encoded.parts.length, true);
  let end = 8 + TABLE_ENTRY_BYTES * encoded.parts.length;
  for (const [i, part] of encoded.parts.entries()) {
    view.setUint32(8 + TABLE_ENTRY_BYTES * i, part.codec, true);
    view.setUint32(12 + TABLE_ENTRY_BYTES * i, part.bytes.byteLength, true);
    bytes.set(part.bytes, aligned(end));
    end = aligned(end) + part.bytes.byteLength;
  }
  return bytes;
}

/**
 * The parts of a whole, as views.
 * @throws WireError if the layout is not that of parts
 */
export function splitParts(bytes: Uint8Array): readonly Encoded[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.byteLength < 8 ? Number.NaN : view.getUint32(0, true);
  let end = 8 + TABLE_ENTRY_BYTES * count;
  if (!(end <= bytes.byteLength))
    throw new WireError(`${count} parts in ${bytes.byteLength} bytes`);
  const parts: Encoded[] = [];
  for (let i = 0; i < count; i++) {
    const codec = view.getUint32(8 + TABLE_ENTRY_BYTES * i, true);
    if (codec >= Codec.Args || codec === Codec.Parts)
      throw new WireError(`part ${i} has codec ${codec}`);
    const start = aligned(end);
    end = start + view.getUint32(12 + TABLE_ENTRY_BYTES * i, true);
    if (end > bytes.byteLength) throw new WireError(`part ${i} ends beyond its value`);
    parts.push({ codec: codec as Codec, bytes: bytes.subarray(start, end) });
  }
  return parts;
}
