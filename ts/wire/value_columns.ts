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
  #codecs = new Uint8Array(FIRST_ROWS);
  #sizes = new Uint32Array(FIRST_ROWS);
  #homes = new Uint8Array(FIRST_ROWS);
  #uniform = true;
  #anyStored = false;

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
    if (this.#end + 8 > this.#bytes.byteLength) this.#growBytes(8);
    if (this.#end % 8 === 0) this.#numbers[this.#end >> 3] = value;
    else new DataView(this.#bytes.buffer).setFloat64(this.#end, value, true);
    this.#end += 8;
    this.#row(Codec.F64, 8, Home.Inline);
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
    this.#row(encoded.codec, size, Home.Inline);
  }

  /** Adds a row whose value is in the store: no bytes here. */
  addStored(codec: Codec, size: number): void {
    this.#anyStored = true;
    this.#row(codec, size, Home.Stored);
  }

  /** The column of the rows so far; the writer is empty afterwards. */
  take(): EncodedColumn {
    const rows = this.#rows;
    const uniform = this.#uniform && !this.#anyStored;
    const codec = (rows === 0 ? Codec.Undefined : this.#codecs[0]) as Codec;
    const stride = uniform && rows > 0 ? (this.#sizes[0] as number) : 0;
    const sameCodec = this.#uniform || this.#codecs.subarray(0, rows).every((c) => c === codec);
    const column: EncodedColumn = {
      codec,
      codecs: sameCodec ? undefined : this.#codecs.slice(0, rows),
      stride,
      sizes: uniform ? undefined : this.#sizes.slice(0, rows),
      homes: this.#anyStored ? this.#homes.slice(0, rows) : undefined,
      bytes: this.#bytes.slice(0, this.#end),
    };
    this.#rows = 0;
    this.#end = 0;
    this.#uniform = true;
    this.#anyStored = false;
    return column;
  }

  #row(codec: Codec, size: number, home: Home): void {
    const row = this.#rows++;
    if (row === this.#codecs.length) this.#growRows();
    this.#codecs[row] = codec;
    this.#sizes[row] = size;
    this.#homes[row] = home;
    if (codec !== this.#codecs[0] || size !== this.#sizes[0]) this.#uniform = false;
  }

  #growBytes(needed: number): void {
    const bytes = new Uint8Array(
      Math.ceil(Math.max(2 * this.#bytes.byteLength, this.#end + needed) / 8) * 8,
    );
    bytes.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = bytes;
    this.#numbers = new Float64Array(bytes.buffer);
  }

  #growRows(): void {
    const rows = 2 * this.#codecs.length;
    const [codecs, sizes, homes] = [
      new Uint8Array(rows),
      new Uint32Array(rows),
      new Uint8Array(rows),
    ];
    codecs.set(this.#codecs);
    sizes.set(this.#sizes);
    homes.set(this.#homes);
    this.#codecs = codecs;
    this.#sizes = sizes;
    this.#homes = homes;
  }
}

/**
 * Encodes the values of rows at once.
 * @throws HeddleError ERR_ARGUMENT_SERIALIZATION naming item and path
 */
export function encodeColumn(values: ArrayLike<unknown>): EncodedColumn {
  const numbers = allNumbers(values);
  if (numbers !== undefined) {
    const stride = numbers.length === 0 ? 0 : 8;
    const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    return {
      codec: Codec.F64,
      codecs: undefined,
      stride,
      sizes: undefined,
      homes: undefined,
      bytes,
    };
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
  #starts: Uint32Array | undefined;

  /** @throws WireError if the payload part is shorter than the column */
  constructor(shape: ColumnShape, part: Uint8Array | undefined) {
    const bytes = payloadBytes(shape.rows, shape.stride, shape.sizes, shape.homes);
    checkPayload('column', part === undefined ? [] : [part], 0, shape.offset, bytes);
    this.rows = shape.rows;
    this.#shape = shape;
    this.#bytes = part === undefined ? Buffer.alloc(0) : buffered(part);
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
    const { codec, codecs, stride, homes, offset, rows } = this.#shape;
    if (codec !== Codec.F64 || codecs !== undefined || homes !== undefined || stride !== 8)
      return undefined;
    return new Float64Array(
      this.#bytes.buffer.slice(
        this.#bytes.byteOffset + offset,
        this.#bytes.byteOffset + offset + 8 * rows,
      ),
    );
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
