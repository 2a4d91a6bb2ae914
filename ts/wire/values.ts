// The value codec: one value to (codec, bytes) and back.
import { type ErrorRecord, fromErrorRecord, HeddleError, toErrorRecord } from '../errors/index.js';
import { findUncloneable } from './cloneable.js';
import { WireError } from './error.js';
import { Codec } from './generated/enums.js';
import { ERROR_BYTES_MAX } from './generated/limits.js';
import { pack, unpack } from './msgpack.js';
import { type EncodedParts, encodeParts, PartsValue, splitParts } from './parts.js';

/** A value as bytes. They may be a view of a shared pool: stable, but copy them before transferring. */
export interface Encoded {
  readonly codec: Codec;
  readonly bytes: Uint8Array;
}

/** What a value is, for messages: `result`, or `argument 2`. */
export type ValueRole = 'result' | `argument${string}`;

const EMPTY = new Uint8Array(0);
const UNDEFINED: Encoded = { codec: Codec.Undefined, bytes: EMPTY };

// Typed: the first byte of the prefix is a position in this list, the other seven are zero.
const TYPED = [
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const;
const TYPED_PREFIX_BYTES = 8;

/**
 * Encodes one value.
 * @param role names the value in errors
 * @throws HeddleError ERR_RESULT_SERIALIZATION or ERR_ARGUMENT_SERIALIZATION, naming the path, such as
 *   `result.items[3].callback is a function`
 */
export function encodeValue(value: unknown, role: ValueRole = 'result'): Encoded {
  if (typeof value === 'number') return { codec: Codec.F64, bytes: encodeNumber(value) };
  if (value === undefined) return UNDEFINED;
  if (ArrayBuffer.isView(value)) {
    if (value.constructor === Uint8Array || value.constructor === Buffer) {
      return { codec: Codec.Bytes, bytes: value as Uint8Array };
    }
    const kind = (TYPED as readonly unknown[]).indexOf(value.constructor);
    if (kind >= 0) return { codec: Codec.Typed, bytes: encodeTyped(kind, value) };
  }
  if (value instanceof PartsValue) throw new TypeError('several values: use encodeResult');
  checkCloneable(value, role, false);
  return { codec: Codec.Msgpack, bytes: pack(value) };
}

/** As `encodeValue`; several values (`PartsValue`) give each part apart, for the store holds them so. */
export function encodeResult(value: unknown): Encoded | EncodedParts {
  if (!(value instanceof PartsValue)) return encodeValue(value, 'result');
  return encodeParts(value.values.map((part) => encodeValue(part, 'result')));
}

/** Encodes anything thrown, by the Error codec. Never throws; causes and properties go if they are too large. */
export function encodeError(thrown: unknown): Encoded {
  const record = toErrorRecord(thrown);
  const bytes = pack(record);
  if (bytes.byteLength <= ERROR_BYTES_MAX) return { codec: Codec.Error, bytes };
  const { name, message, stack, code } = record;
  return { codec: Codec.Error, bytes: pack({ name, message, stack, code }) };
}

/**
 * Decodes one value.
 * @param owned true if `bytes` belongs to the value alone: Bytes and Typed values are then views, not copies
 * @returns the value; for the Error codec the error itself (not thrown)
 * @throws WireError if the bytes are not of that codec
 */
export function decodeValue(codec: number, bytes: Uint8Array, owned = false): unknown {
  switch (codec) {
    case Codec.Undefined:
      return undefined;
    case Codec.F64:
      if (bytes.byteLength !== 8) throw new WireError(`a number of ${bytes.byteLength} bytes`);
      return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
    case Codec.Msgpack:
      return unpack(buffered(bytes));
    case Codec.Bytes:
      return owned ? plainView(bytes) : new Uint8Array(bytes);
    case Codec.Typed:
      return decodeTyped(bytes, owned);
    case Codec.Parts:
      return splitParts(bytes).map((part) => decodeValue(part.codec, part.bytes, owned));
    case Codec.Error:
      return decodeError(bytes);
    default:
      throw new WireError(`codec ${codec} where a value was expected`);
  }
}

/** The error that Error-codec bytes stand for. The scheduler writes a msgpack map, workers a record. */
export function decodeError(bytes: Uint8Array): Error {
  const record = unpack(buffered(bytes));
  if (typeof record !== 'object' || record === null)
    throw new WireError('an error that is no record');
  const fields = record instanceof Map ? Object.fromEntries(record) : record;
  return fromErrorRecord(fields as ErrorRecord);
}

/** @throws HeddleError naming the path of the first part that cannot be copied */
export function checkCloneable(value: unknown, role: ValueRole, placeholders: boolean): void {
  const found = findUncloneable(value, placeholders);
  if (found === undefined) return;
  const code = role === 'result' ? 'ERR_RESULT_SERIALIZATION' : 'ERR_ARGUMENT_SERIALIZATION';
  const name = found.path === '' || role === 'result' ? role : `${role}: value`;
  throw new HeddleError(
    code,
    `${name}${found.path} is ${found.what}, which cannot be copied to another process`,
  );
}

/** Bytes msgpackr reads fast and safely: a Buffer, not over shared memory. */
export function buffered(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer instanceof SharedArrayBuffer) return Buffer.from(bytes);
  return bytes instanceof Buffer
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function encodeNumber(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return bytes;
}

function encodeTyped(kind: number, view: ArrayBufferView): Uint8Array {
  const bytes = new Uint8Array(TYPED_PREFIX_BYTES + view.byteLength);
  bytes[0] = kind;
  bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), TYPED_PREFIX_BYTES);
  return bytes;
}

function decodeTyped(bytes: Uint8Array, owned: boolean): unknown {
  const type = TYPED[bytes[0] ?? TYPED.length];
  const length = bytes.byteLength - TYPED_PREFIX_BYTES;
  if (type === undefined || length < 0 || length % type.BYTES_PER_ELEMENT !== 0) {
    throw new WireError(`a typed array of kind ${bytes[0]} in ${bytes.byteLength} bytes`);
  }
  const start = bytes.byteOffset + TYPED_PREFIX_BYTES;
  const inPlace = owned && start % type.BYTES_PER_ELEMENT === 0;
  const source = inPlace ? bytes : new Uint8Array(bytes);
  return new type(
    source.buffer as ArrayBuffer,
    source.byteOffset + TYPED_PREFIX_BYTES,
    length / type.BYTES_PER_ELEMENT,
  );
}

const plainView = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
