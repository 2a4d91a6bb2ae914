// FlatBuffers writing with bulk-copied vectors. Uses npm flatbuffers' Builder for layout and adds what it lacks:
// vectors of any element size by one `set`, and room in front for the frame header, so that part 0 of a frame is
// one allocation that libzmq may keep (a buffer handed to a zero-copy send is never written again).
import { Builder, type ByteBuffer } from 'flatbuffers';
import { HEADER_BYTES } from './generated/limits.js';

type Column = Uint8Array | Uint16Array | Uint32Array | Int32Array;

/** The two members `Builder.createByteVector` itself uses; every round-trip test would notice their absence. */
interface BuilderInside {
  bb: ByteBuffer;
  space: number;
}

/** Builds one frame body. Not reusable: make a new one per frame. */
export class Writer {
  readonly #builder: Builder;

  /** @param sizeHint expected bytes; more is fine, at the cost of a copy per doubling */
  constructor(sizeHint = 512) {
    this.#builder = new Builder(sizeHint);
  }

  /** Copies a column; 0 if absent. */
  vector(column: Column | undefined): number {
    if (column === undefined) return 0;
    const builder = this.#builder;
    builder.startVector(
      column.BYTES_PER_ELEMENT,
      column.length,
      Math.max(column.BYTES_PER_ELEMENT, 4),
    );
    const inside = builder as unknown as BuilderInside;
    inside.space -= column.byteLength;
    inside.bb.setPosition(inside.space);
    inside.bb.bytes().set(bytesOf(column), inside.space);
    return builder.endVector();
  }

  string(text: string | undefined): number {
    return text === undefined ? 0 : this.#builder.createString(text);
  }

  strings(texts: readonly string[] | undefined): number {
    return texts === undefined || texts.length === 0
      ? 0
      : this.#offsets(texts.map((text) => this.#builder.createString(text)));
  }

  tables<T>(list: readonly T[] | undefined, write: (writer: Writer, item: T) => number): number {
    return list === undefined || list.length === 0
      ? 0
      : this.#offsets(list.map((item) => write(this, item)));
  }

  start(fields: number): void {
    this.#builder.startObject(fields);
  }

  bool(field: number, value: boolean | undefined, absent: boolean): void {
    this.#builder.addFieldInt8(field, +(value ?? absent), +absent);
  }

  u8(field: number, value: number | undefined, absent: number): void {
    this.#builder.addFieldInt8(field, value ?? absent, absent);
  }

  u16(field: number, value: number | undefined, absent: number): void {
    this.#builder.addFieldInt16(field, value ?? absent, absent);
  }

  i32(field: number, value: number | undefined, absent: number): void {
    this.#builder.addFieldInt32(field, value ?? absent, absent);
  }

  u32(field: number, value: number | undefined, absent: number): void {
    this.#builder.addFieldInt32(field, value ?? absent, absent);
  }

  f64(field: number, value: number | undefined, absent: number): void {
    this.#builder.addFieldFloat64(field, value ?? absent, absent);
  }

  offset(field: number, offset: number): void {
    this.#builder.addFieldOffset(field, offset, 0);
  }

  end(): number {
    return this.#builder.endObject();
  }

  /** Ends the body; gives it with HEADER_BYTES of room in front. */
  finish(root: number): Uint8Array {
    const builder = this.#builder;
    builder.finish(root);
    builder.prep(1, HEADER_BYTES);
    const { bb, space } = builder as unknown as BuilderInside;
    return bb.bytes().subarray(space - HEADER_BYTES);
  }

  #offsets(offsets: readonly number[]): number {
    const builder = this.#builder;
    builder.startVector(4, offsets.length, 4);
    for (let i = offsets.length - 1; i >= 0; i--) builder.addOffset(offsets[i] as number);
    return builder.endVector();
  }
}

function bytesOf(column: Column): Uint8Array {
  return column instanceof Uint8Array
    ? column
    : new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}
