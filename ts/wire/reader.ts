// Bounded reading of FlatBuffers: every offset, table and vector is checked against the buffer before it is used,
// so hostile bytes give a WireError or other values, never a read outside the frame or a runaway loop.
// Vectors are views of the frame, not copies; the frame must start at a multiple of 8 (frame.ts sees to it).
import { WireError } from './error.js';
import { SECTIONS_PER_FRAME_MAX } from './generated/limits.js';

/** What a writer takes: every member may be left out, and is then absent from the frame. */
export type Draft<T> = {
  readonly [K in keyof T]?:
    | (T[K] extends readonly (infer U extends object)[] ? readonly Draft<U>[] : T[K])
    | undefined;
};

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Cursor over one FlatBuffer. `enter` selects a table; the readers below take its fields by vtable slot. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #length: number;
  // Bytes of nested tables and text still allowed: offsets may be shared, which would let a small buffer expand.
  #budget: number;
  #table = '';
  #at = 0;
  #end = 0;
  #vtable = 0;
  #vtableLength = 0;

  constructor(bytes: Uint8Array) {
    if (bytes.byteLength < 8) throw new WireError(`a body of ${bytes.byteLength} bytes`);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#length = bytes.byteLength;
    this.#budget = 2 * bytes.byteLength;
  }

  /** Position of the root table. */
  root(): number {
    return this.#view.getUint32(0, true);
  }

  /** Selects the table at byte `at`; `name` is for messages. */
  enter(at: number, name: string): void {
    this.#table = name;
    if (at < 4 || at % 4 !== 0 || at + 4 > this.#length)
      this.#fail('the table is outside the frame');
    const vtable = at - this.#view.getInt32(at, true);
    if (vtable < 0 || vtable % 2 !== 0 || vtable + 4 > this.#length)
      this.#fail('its vtable is outside the frame');
    const vtableLength = this.#view.getUint16(vtable, true);
    const end = at + this.#view.getUint16(vtable + 2, true);
    if (vtableLength < 4 || vtable + vtableLength > this.#length)
      this.#fail('its vtable has a wrong length');
    if (end < at + 4 || end > this.#length) this.#fail('the table ends outside the frame');
    this.#spend(end - at);
    this.#at = at;
    this.#end = end;
    this.#vtable = vtable;
    this.#vtableLength = vtableLength;
  }

  bool(slot: number, absent: boolean): boolean {
    const at = this.#field(slot, 1);
    return at === 0 ? absent : this.#view.getUint8(at) !== 0;
  }

  u8(slot: number, absent: number): number {
    const at = this.#field(slot, 1);
    return at === 0 ? absent : this.#view.getUint8(at);
  }

  u16(slot: number, absent: number): number {
    const at = this.#field(slot, 2);
    return at === 0 ? absent : this.#view.getUint16(at, true);
  }

  i32(slot: number, absent: number): number {
    const at = this.#field(slot, 4);
    return at === 0 ? absent : this.#view.getInt32(at, true);
  }

  u32(slot: number, absent: number): number {
    const at = this.#field(slot, 4);
    return at === 0 ? absent : this.#view.getUint32(at, true);
  }

  f64(slot: number, absent: number): number {
    const at = this.#field(slot, 8);
    return at === 0 ? absent : this.#view.getFloat64(at, true);
  }

  /** A u8 that must lie in `low … high`. */
  enumeration(slot: number, absent: number, low: number, high: number): number {
    const value = this.u8(slot, absent);
    if (value < low || value > high) this.#fail(`slot ${slot} has the unknown value ${value}`);
    return value;
  }

  string(slot: number): string | undefined {
    const field = this.#field(slot, 4);
    return field === 0 ? undefined : this.#text(this.#vector(field, slot, 1), slot);
  }

  u8s(slot: number): Uint8Array | undefined {
    const field = this.#field(slot, 4);
    if (field === 0) return undefined;
    const at = this.#vector(field, slot, 1);
    return this.#bytes.subarray(at + 4, at + 4 + this.#view.getUint32(at, true));
  }

  u16s(slot: number): Uint16Array | undefined {
    const field = this.#field(slot, 4);
    if (field === 0) return undefined;
    const at = this.#vector(field, slot, 2);
    return new Uint16Array(
      this.#bytes.buffer,
      this.#bytes.byteOffset + at + 4,
      this.#view.getUint32(at, true),
    );
  }

  u32s(slot: number): Uint32Array | undefined {
    const field = this.#field(slot, 4);
    if (field === 0) return undefined;
    const at = this.#vector(field, slot, 4);
    return new Uint32Array(
      this.#bytes.buffer,
      this.#bytes.byteOffset + at + 4,
      this.#view.getUint32(at, true),
    );
  }

  i32s(slot: number): Int32Array | undefined {
    const field = this.#field(slot, 4);
    if (field === 0) return undefined;
    const at = this.#vector(field, slot, 4);
    return new Int32Array(
      this.#bytes.buffer,
      this.#bytes.byteOffset + at + 4,
      this.#view.getUint32(at, true),
    );
  }

  strings(slot: number): readonly string[] {
    return this.#elements(slot, (at) => this.#text(this.#bounded(at, slot, 1), slot));
  }

  tables<T>(slot: number, read: (reader: Reader, at: number) => T): readonly T[] {
    const table = this.#table;
    const at = this.#at;
    const end = this.#end;
    const vtable = this.#vtable;
    const vtableLength = this.#vtableLength;
    const list = this.#elements(slot, (element) => read(this, element));
    this.#table = table;
    this.#at = at;
    this.#end = end;
    this.#vtable = vtable;
    this.#vtableLength = vtableLength;
    return list;
  }

  /** Where a field of the selected table stands; 0 if it is absent. */
  #field(slot: number, size: number): number {
    if (slot + 2 > this.#vtableLength) return 0;
    const offset = this.#view.getUint16(this.#vtable + slot, true);
    if (offset === 0) return 0;
    const at = this.#at + offset;
    if (offset < 4 || at + size > this.#end) this.#fail(`slot ${slot} is outside its table`);
    return at;
  }

  /** Follows the offset in a field to a vector (or text) whose elements all lie in the frame. */
  #vector(field: number, slot: number, size: number): number {
    return this.#bounded(field + this.#view.getUint32(field, true), slot, size);
  }

  #bounded(at: number, slot: number, size: number): number {
    if (at % 4 !== 0 || at + 4 > this.#length)
      this.#fail(`the vector of slot ${slot} is outside the frame`);
    const count = this.#view.getUint32(at, true);
    if (count * size > this.#length - at - 4) {
      this.#fail(`the vector of slot ${slot} claims ${count} elements, more than the frame holds`);
    }
    return at;
  }

  #elements<T>(slot: number, read: (at: number) => T): readonly T[] {
    const field = this.#field(slot, 4);
    if (field === 0) return [];
    const at = this.#vector(field, slot, 4);
    const count = this.#view.getUint32(at, true);
    if (count > SECTIONS_PER_FRAME_MAX) this.#fail(`slot ${slot} has ${count} elements`);
    const list: T[] = [];
    for (let element = at + 4; list.length < count; element += 4) {
      list.push(read(element + this.#view.getUint32(element, true)));
    }
    return list;
  }

  #text(at: number, slot: number): string {
    const length = this.#view.getUint32(at, true);
    this.#spend(length);
    try {
      return utf8.decode(this.#bytes.subarray(at + 4, at + 4 + length));
    } catch {
      return this.#fail(`slot ${slot} is not UTF-8`);
    }
  }

  #spend(bytes: number): void {
    this.#budget -= bytes;
    if (this.#budget < 0) this.#fail('the frame unfolds to more than twice its bytes');
  }

  #fail(problem: string): never {
    throw new WireError(`${this.#table}: ${problem}`);
  }
}
