// Columns of values: what sections of Assign, Done, Update and layers carry. All numbers make one run of doubles;
// anything else gets a codec and a size per row.
import { checkPayload, payloadBytes } from './columns.js';
import { WireError } from './error.js';
import { Codec, Home } from './generated/enums.js';
import { unpack } from './msgpack.js';
import { buffered, decodeValue, type Encoded, encodeValue, type ValueRole } from './values.js';

/** A column in the members a section has for it. `bytes` is the caller's alone. */
export interface EncodedColumn {
  readonly codec: Codec;
  readonly codecs: Uint8Array | undefined;
  readonly stride: number;
  readonly sizes: Uint32Array | undefined;
  readonly homes: Uint8Array | undefined;
  readonly bytes: Uint8Array;
}

const FIRST_ROWS = 64;

/** Collects values of consecutive rows. `take` gives the column and begins the next. */
export class ColumnWriter {
  #rows = 0;
  #end = 0;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(8 * FIRST_ROWS);
  #numbers = new Float64Array(this.#bytes.buffer);
  // While every row is an inline number, nothing is kept per row but the number itself.
  #onlyNumbers = true;
  #codecs = new Uint8Array(FIRST_ROWS);
  #sizes = new Uint32Array(FIRST_ROWS);
  #homes = new Uint8Array(FIRST_ROWS);

  /** Rows so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Payload bytes so far. */
  get byteLength(): number {
    return this.#end;
  }

  /** Adds a number: the fast path. */
  addNumber(value: number): void {
    if (!this.#onlyNumbers) {
      this.addEncoded(encodeValue(value));
      return;
    }
    if (this.#rows === this.#numbers.length) this.#growBytes(8);
    this.#numbers[this.#rows++] = value;
    this.#end += 8;
  }

  /** Adds any value; large ones too: the caller minds the inline limit. @throws as `encodeValue` */
  add(value: unknown, role: ValueRole = 'result'): void {
    if (typeof value === 'number') this.addNumber(value);
    else this.addEncoded(encodeValue(value, role));
  }

  /** Adds a value encoded before. */
  addEncoded(encoded: Encoded): void {
    const size = encoded.bytes.byteLength;
    if (this.#end + size > this.#bytes.byteLength) this.#growBytes(size);
    this.#bytes.set(encoded.bytes, this.#end);
    this.#end += size;
    this.#addRow(encoded.codec, size, Home.Inline);
  }

  /** Adds a row whose value is in the store: no bytes here. */
  addStored(codec: Codec, size: number): void {
    this.#addRow(codec, size, Home.Stored);
  }

  /** The column of the rows so far; the writer is empty afterwards. */
  take(): EncodedColumn {
    const bytes = this.#bytes.slice(0, this.#end);
    const column = this.#onlyNumbers ? numberColumn(this.#rows, bytes) : this.#mixedColumn(bytes);
    this.#rows = 0;
    this.#end = 0;
    this.#onlyNumbers = true;
    return column;
  }

  #mixedColumn(bytes: Uint8Array): EncodedColumn {
    const rows = this.#rows;
    const codec = this.#codecs[0] as Codec;
    const size = this.#sizes[0] as number;
    let [sameCodec, sameSize, anyStored] = [true, true, false];
    for (let row = 0; row < rows; row++) {
      if (this.#codecs[row] !== codec) sameCodec = false;
      if (this.#sizes[row] !== size) sameSize = false;
      if (this.#homes[row] !== Home.Inline) anyStored = true;
    }
    return {
      codec,
      codecs: sameCodec ? undefined : this.#codecs.slice(0, rows),
      stride: sameSize ? size : 0,
      sizes: sameSize ? undefined : this.#sizes.slice(0, rows),
      homes: anyStored ? this.#homes.slice(0, rows) : undefined,
      bytes,
    };
  }

  #addRow(codec: Codec, size: number, home: Home): void {
    if (this.#onlyNumbers) this.#describeNumbers();
    const row = this.#rows++;
    if (row === this.#codecs.length) this.#growRows(row + 1);
    this.#codecs[row] = codec;
    this.#sizes[row] = size;
    this.#homes[row] = home;
  }

  /** From here on each row has a codec, a size and a home: also those so far. */
  #describeNumbers(): void {
    const rows = this.#rows;
    this.#onlyNumbers = false;
    this.#growRows(rows + 1);
    this.#codecs.fill(Codec.F64, 0, rows);
    this.#sizes.fill(8, 0, rows);
    this.#homes.fill(Home.Inline, 0, rows);
  }

  #growBytes(needed: number): void {
    const wanted = Math.max(2 * this.#bytes.byteLength, this.#end + needed);
    const bytes = new Uint8Array(Math.ceil(wanted / 8) * 8);
    bytes.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = bytes;
    this.#numbers = new Float64Array(bytes.buffer);
  }

  #growRows(needed: number): void {
    if (needed <= this.#codecs.length) return;
    const rows = Math.max(2 * this.#codecs.length, needed);
    const codecs = new Uint8Array(rows);
    const sizes = new Uint32Array(rows);
    const homes = new Uint8Array(rows);
    codecs.set(this.#codecs);
    sizes.set(this.#sizes);
    homes.set(this.#homes);
    this.#codecs = codecs;
    this.#sizes = sizes;
    this.#homes = homes;
  }
}

/** The column of `rows` doubles; no rows are of codec Undefined. */
function numberColumn(rows: number, bytes: Uint8Array): EncodedColumn {
  return {
    codec: rows === 0 ? Codec.Undefined : Codec.F64,
    codecs: undefined,
    stride: rows === 0 ? 0 : 8,
    sizes: undefined,
    homes: undefined,
    bytes,
  };
}

/**
 * Encodes the values of rows at once.
 * @throws HeddleError ERR_ARGUMENT_SERIALIZATION naming item and path
 */
export function encodeColumn(values: ArrayLike<unknown>): EncodedColumn {
  const numbers = allNumbers(values);
  if (numbers !== undefined) {
    const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    return numberColumn(numbers.length, bytes);
  }
  const writer = new ColumnWriter();
  for (let i = 0; i < values.length; i++) writer.add(values[i], `argument (item ${i})`);
  return writer.take();
}

/** The values as doubles of the caller's own, if each is a number. */
function allNumbers(values: ArrayLike<unknown>): Float64Array | undefined {
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== 'number') return undefined;
    numbers[i] = value;
  }
  return numbers;
}

/** The members of a section that describe a column. */
export interface ColumnShape {
  readonly rows: number;
  readonly codec: number;
  readonly codecs?: Uint8Array | undefined;
  readonly stride: number;
  readonly sizes?: Uint32Array | undefined;
  /** Home per row, or proc id: 0 has its bytes here. */
  readonly homes?: Uint8Array | Uint32Array | undefined;
  /** Where the column begins in the payload part. */
  readonly offset: number;
}

/** A received column, decoded row by row on demand. */
export class ValueColumn {
  readonly rows: number;
  readonly #shape: ColumnShape;
  readonly #bytes: Uint8Array;
  readonly #onlyNumbers: boolean;
  #numbers: Float64Array | undefined;
  #starts: Uint32Array | undefined;

  /** @throws WireError if the payload part is shorter than the column */
  constructor(shape: ColumnShape, part: Uint8Array | undefined) {
    const bytes = payloadBytes(shape.rows, shape.stride, shape.sizes, shape.homes);
    checkPayload('column', part === undefined ? [] : [part], 0, shape.offset, bytes);
    this.rows = shape.rows;
    this.#shape = shape;
    this.#bytes = part === undefined ? Buffer.alloc(0) : buffered(part);
    const { codec, codecs, stride, homes } = shape;
    this.#onlyNumbers =
      codec === Codec.F64 && codecs === undefined && homes === undefined && stride === 8;
  }

  /** Codec of a row. */
  codec(row: number): number {
    return this.#shape.codecs?.[row] ?? this.#shape.codec;
  }

  /** Size of a row's value in bytes, wherever it is. */
  size(row: number): number {
    return this.#shape.stride > 0 ? this.#shape.stride : (this.#shape.sizes?.[row] ?? 0);
  }

  /** True if the row's bytes are in this column. */
  isInline(row: number): boolean {
    return this.#shape.homes === undefined || this.#shape.homes[row] === 0;
  }

  /** The row's bytes, a view of the payload. */
  bytes(row: number): Uint8Array {
    if (!this.isInline(row)) throw new WireError(`row ${row} is not inline`);
    const start = this.#start(row);
    return this.#bytes.subarray(start, start + this.size(row));
  }

  /** The row's value. */
  value(row: number): unknown {
    if (this.#onlyNumbers) {
      this.#numbers ??= this.numbers();
      return this.#numbers?.[row];
    }
    const codec = this.codec(row);
    if (codec === Codec.Undefined) return undefined;
    if (!this.isInline(row)) throw new WireError(`row ${row} is not inline`);
    const [start, size] = [this.#start(row), this.size(row)];
    if (codec === Codec.F64 && size === 8) return (this.#bytes as Buffer).readDoubleLE(start);
    if (codec === Codec.Msgpack) return unpack(this.#bytes, start, start + size);
    return decodeValue(codec, this.#bytes.subarray(start, start + size));
  }

  /** All rows as doubles if every one is an inline number; a copy. */
  numbers(): Float64Array | undefined {
    if (!this.#onlyNumbers) return undefined;
    const start = this.#bytes.byteOffset + this.#shape.offset;
    return new Float64Array(this.#bytes.buffer.slice(start, start + 8 * this.rows));
  }

  #start(row: number): number {
    const { stride, homes, offset } = this.#shape;
    if (homes === undefined && stride > 0) return offset + stride * row;
    this.#starts ??= this.#scan();
    return this.#starts[row] as number;
  }

  #scan(): Uint32Array {
    const starts = new Uint32Array(this.rows);
    let at = this.#shape.offset;
    for (let row = 0; row < this.rows; row++) {
      starts[row] = at;
      if (this.isInline(row)) at += this.size(row);
    }
    return starts;
  }
}
