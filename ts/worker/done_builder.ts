/** One outgoing Done frame: sections of outcomes and the payload they share. */
import type { DoneSection } from '../wire/generated/tables.js';
import type { Draft } from '../wire/reader.js';

const FIRST_BYTES = 64;
/** Fewer numbers are copied one by one: a view of shared memory costs more. */
const FEW = 32;
/** A frame this large takes no more lanes: one lane adds at most its result ring and its slots. */
const PAYLOAD_BYTES_MAX = 16 * 1024 * 1024;
const SECTIONS_MAX = 4096;

/** Collects what lanes have finished until the frame is sent. */
export class DoneBuilder {
  readonly sections: Draft<DoneSection>[] = [];
  /** Outcomes in all sections. */
  records = 0;
  #payload: Uint8Array<ArrayBuffer> | null = null;
  /** The payload as doubles. */
  #numbers = new Float64Array(0);
  #used = 0;
  // Size of the last payload: the next one's first allocation.
  static #hint = FIRST_BYTES;

  /** True if the frame should be sent before more is collected. */
  get isFull(): boolean {
    return this.#used > PAYLOAD_BYTES_MAX || this.sections.length > SECTIONS_MAX;
  }

  /** Adds a section whose payload, if any, was reserved before. */
  add(section: Draft<DoneSection>): void {
    this.sections.push(section);
    this.records += section.count ?? 0;
  }

  /** Makes room for `bytes` at the end of the payload, from a multiple of 8; gives where. */
  reserve(bytes: number): number {
    const at = (this.#used + 7) & ~7;
    const end = at + bytes;
    const payload = this.#payload;
    if (payload === null || end > payload.length) {
      // Never pooled and never reused: a zero-copy send may keep it.
      const grown = new Uint8Array(
        (Math.max(end, payload === null ? DoneBuilder.#hint : end * 2) + 7) & ~7,
      );
      if (payload !== null) grown.set(payload.subarray(0, this.#used));
      this.#payload = grown;
      this.#numbers = new Float64Array(grown.buffer);
    }
    this.#used = end;
    return at;
  }

  /** Adds doubles to the payload; gives where they begin. */
  addNumbers(from: Float64Array, start: number, count: number): number {
    const at = this.reserve(count * 8);
    const to = at >>> 3;
    if (count > FEW) this.#numbers.set(from.subarray(start, start + count), to);
    else for (let i = 0; i < count; i++) this.#numbers[to + i] = from[start + i] as number;
    return at;
  }

  /** The payload so far. */
  get payload(): Uint8Array<ArrayBuffer> {
    return this.#payload ?? new Uint8Array(0);
  }

  /** Payload parts of the frame: one, or none. */
  finish(): Uint8Array[] {
    if (this.#used === 0 || this.#payload === null) return [];
    DoneBuilder.#hint = Math.min(1 << 20, Math.max(FIRST_BYTES, this.#used + (this.#used >> 3)));
    return [this.#payload.subarray(0, this.#used)];
  }
}
