// One section of an Update frame, kept as it came: columns over the frame's bytes. Values are decoded when asked.
import { HeddleError } from '../errors/index.js';
import {
  Codec,
  decodeError,
  Home,
  RowState,
  rowsOf,
  type UpdateSection,
  ValueColumn,
} from '../wire/index.js';

import { type Gathered, put } from './gathered.js';

/** Where a value lies that did not come with the Update. */
export interface StoredAt {
  readonly proc: number;
  readonly attempt: number;
  /** Bytes of the encoded value. */
  readonly size: number;
}

/** Outcomes of some rows of one layer. */
export class Chunk {
  readonly #section: UpdateSection;
  readonly #payload: Uint8Array | undefined;
  // Made when first needed: the values, and the first position of each run.
  #values: ValueColumn | undefined;
  #runPositions: Uint32Array | undefined;
  /** Rows that still point here; at 0 the frame can go. */
  live: number;

  constructor(section: UpdateSection, payload: readonly Uint8Array[]) {
    this.#section = section;
    this.#payload = payload[section.part];
    this.live = rowsOf(section);
  }

  /** True if every value came with the Update. */
  get allInline(): boolean {
    return this.#section.homes === undefined;
  }

  /** Where the value of `row` is stored; undefined if it came inline. */
  storedAt(row: number): StoredAt | undefined {
    const { homes, procs } = this.#section;
    if (homes === undefined) return undefined;
    const position = this.#position(row);
    if (homes[position] !== Home.Stored) return undefined;
    return {
      proc: procs?.[position] ?? 0,
      attempt: this.attempt(row),
      size: this.#column().size(position),
    };
  }

  /** The attempt whose outcome this is. */
  attempt(row: number): number {
    return this.#section.attempts?.[this.#position(row)] ?? 1;
  }

  /** The value of a row that is done and came inline. */
  value(row: number): unknown {
    const payload = this.#payload;
    if (!this.#onlyNumbers || payload === undefined) {
      return this.#column().value(this.#position(row));
    }
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    return view.getFloat64(this.#section.offset + 8 * this.#position(row), true);
  }

  /** True if every value is a number that came with the Update. */
  get #onlyNumbers(): boolean {
    const { codec, codecs, homes, stride } = this.#section;
    return homes === undefined && codecs === undefined && codec === Codec.F64 && stride === 8;
  }

  /** The error of a row that failed or was cancelled. */
  error(row: number): Error {
    const bytes = this.#column().bytes(this.#position(row));
    if (bytes.length > 0) return decodeError(bytes);
    return this.#section.state === RowState.Cancelled
      ? new HeddleError('ERR_CANCELLED', 'the task was cancelled')
      : new HeddleError('ERR_INTERNAL', 'the task failed and no reason came with it');
  }

  /** Puts inline values of rows `row` … that lie in one run with it, `count` at most; gives how many it put. */
  fill(out: Gathered, at: number, row: number, count: number): number {
    const { starts, counts, offset } = this.#section;
    const run = this.#run(row);
    const end = Math.min(row + count, (starts?.[run] ?? 0) + (counts?.[run] ?? 0));
    const payload = this.#payload;
    if (this.#onlyNumbers && payload !== undefined) {
      const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
      let byte = offset + 8 * this.#position(row);
      for (let r = row; r < end; r++, byte += 8) out[at + r - row] = view.getFloat64(byte, true);
    } else {
      for (let r = row; r < end; r++) put(out, at + r - row, this.value(r));
    }
    return end - row;
  }

  #column(): ValueColumn {
    this.#values ??= new ValueColumn(
      { ...this.#section, rows: rowsOf(this.#section) },
      this.#payload,
    );
    return this.#values;
  }

  #position(row: number): number {
    const run = this.#run(row);
    const start = (this.#section.starts as Uint32Array)[run] as number;
    return (this.#runPositions?.[run] ?? 0) + row - start;
  }

  #run(row: number): number {
    const starts = this.#section.starts as Uint32Array;
    const counts = this.#section.counts as Uint32Array;
    if (starts.length === 1) return 0;
    this.#runPositions ??= prefixSums(counts);
    // Runs ascend (the scheduler sends sorted interval sets); where they do not, all are looked at.
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= row) low = middle;
      else high = middle - 1;
    }
    const inside = (i: number): boolean =>
      row >= (starts[i] as number) && row - (starts[i] as number) < (counts[i] as number);
    return inside(low) ? low : starts.findIndex((_, i) => inside(i));
  }
}

function prefixSums(counts: Uint32Array): Uint32Array {
  const sums = new Uint32Array(counts.length);
  for (let i = 1; i < counts.length; i++) {
    sums[i] = (sums[i - 1] as number) + (counts[i - 1] as number);
  }
  return sums;
}
