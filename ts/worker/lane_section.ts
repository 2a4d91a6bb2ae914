/**
 * A run of records on its way to a lane: written by the main thread, read in place by the lane.
 *
 * Words (u32, native order): {@link Head}, then the columns its flags announce, then, each from a
 * multiple of 8, row data and inline inputs. The run usually lies in the lane's section ring; one
 * that is too large for it lies in a buffer of its own and the ring holds a stub.
 */
import { dataBytes, inlineBytes, type Run } from './section.js';

/** Words at the start of a section. */
export const Head = {
  /** Bytes of the section, a multiple of 8. */
  BYTES: 0,
  KIND: 1,
  SERIAL: 2,
  SLOT: 3,
  COUNT: 4,
  FLAGS: 5,
  FIRST: 6,
  DATA_STRIDE: 7,
  DATA_AT: 8,
  DATA_BYTES: 9,
  INPUTS: 10,
  INPUTS_AT: 11,
  INPUT_BYTES: 12,
  INPUT_STRIDE: 13,
  INPUT_CODEC: 14,
  /** Number of the port message with the values that are not inline; 0: none. */
  VALUES: 15,
} as const;
export const HEAD_WORDS = 16;

/** What a ring entry is. */
export const EntryKind = { Records: 1, External: 2, Skip: 3 } as const;

/** Columns present. */
export const Has = {
  Indices: 1,
  Attempts: 2,
  Functions: 4,
  Timeouts: 8,
  Data: 16,
  DataSizes: 32,
  DepCounts: 64,
  DepSizes: 128,
  DepCodecs: 256,
  DepHeld: 512,
  Priorities: 1024,
} as const;

/** Sizes of a run's parts in the shared memory. */
export interface RunLayout {
  readonly flags: number;
  readonly words: number;
  readonly codecBytes: number;
  readonly dataBytes: number;
  readonly inputBytes: number;
  readonly bytes: number;
}

const align8 = (n: number): number => (n + 7) & ~7;

/** Computes what a run needs. */
export function layoutOf(run: Run): RunLayout {
  const { section: s, held } = run;
  const count = run.to - run.from;
  const deps = run.depTo - run.depFrom;
  let flags = 0;
  let words = HEAD_WORDS;
  const column = (present: boolean, flag: number, length: number): void => {
    if (!present) return;
    flags |= flag;
    words += length;
  };
  column(s.indices !== undefined, Has.Indices, count);
  column(s.attempts !== undefined, Has.Attempts, count);
  column(s.functions !== undefined, Has.Functions, count);
  column(s.timeoutsMs !== undefined, Has.Timeouts, count);
  column(s.priorities !== undefined, Has.Priorities, count);
  if (s.dataStride > 0 || s.dataSizes !== undefined) flags |= Has.Data;
  column(s.dataStride === 0 && s.dataSizes !== undefined, Has.DataSizes, count);
  column(deps > 0, Has.DepCounts, count);
  column(deps > 0 && s.depStride === 0 && s.depSizes !== undefined, Has.DepSizes, deps);
  column(held !== null, Has.DepHeld, deps);
  const codecs = deps > 0 && s.depCodecs !== undefined;
  if (codecs) flags |= Has.DepCodecs;
  const codecBytes = codecs ? deps : 0;
  const data = dataBytes(s, run.from, run.to);
  const input = inlineBytes(s, run.depFrom, run.depTo);
  const bytes = align8(words * 4 + codecBytes) + align8(data) + align8(input);
  return { flags, words, codecBytes, dataBytes: data, inputBytes: input, bytes };
}

/**
 * Writes a run.
 *
 * @param base byte offset in `bytes`, a multiple of 8; `words` views the same memory.
 * @param slot slot of the first record.
 * @param values number of the port message with the run's values, or 0.
 */
export function writeRun(
  run: Run,
  layout: RunLayout,
  words: Uint32Array,
  bytes: Uint8Array,
  base: number,
  slot: number,
  values: number,
): void {
  const { section: s, payload } = run;
  const { flags } = layout;
  const w = base >>> 2;
  const dataAt = align8(layout.words * 4 + layout.codecBytes);
  const inputsAt = dataAt + align8(layout.dataBytes);
  words[w + Head.BYTES] = layout.bytes;
  words[w + Head.KIND] = EntryKind.Records;
  words[w + Head.SERIAL] = s.serial;
  words[w + Head.SLOT] = slot;
  words[w + Head.COUNT] = run.to - run.from;
  words[w + Head.FLAGS] = flags;
  words[w + Head.FIRST] = s.first + run.from;
  words[w + Head.DATA_STRIDE] = s.dataStride;
  words[w + Head.DATA_AT] = dataAt;
  words[w + Head.DATA_BYTES] = layout.dataBytes;
  words[w + Head.INPUTS] = run.depTo - run.depFrom;
  words[w + Head.INPUTS_AT] = inputsAt;
  words[w + Head.INPUT_BYTES] = layout.inputBytes;
  words[w + Head.INPUT_STRIDE] = s.depStride;
  words[w + Head.INPUT_CODEC] = s.depCodec;
  words[w + Head.VALUES] = values;
  let at = w + HEAD_WORDS;
  const put = (
    flag: number,
    column: Uint32Array | Int32Array | undefined,
    a: number,
    b: number,
  ): void => {
    if ((flags & flag) === 0 || column === undefined) return;
    words.set(column.subarray(a, b), at);
    at += b - a;
  };
  put(Has.Indices, s.indices, run.from, run.to);
  put(Has.Attempts, s.attempts, run.from, run.to);
  put(Has.Functions, s.functions, run.from, run.to);
  put(Has.Timeouts, s.timeoutsMs, run.from, run.to);
  put(Has.Priorities, s.priorities, run.from, run.to);
  put(Has.DataSizes, s.dataSizes, run.from, run.to);
  put(Has.DepCounts, s.depCounts, run.from, run.to);
  put(Has.DepSizes, s.depSizes, run.depFrom, run.depTo);
  put(Has.DepHeld, run.held?.which, 0, run.depTo - run.depFrom);
  if ((flags & Has.DepCodecs) !== 0) {
    bytes.set((s.depCodecs as Uint8Array).subarray(run.depFrom, run.depTo), (at - w) * 4 + base);
  }
  bytes.set(payload.subarray(run.dataAt, run.dataAt + layout.dataBytes), base + dataAt);
  bytes.set(payload.subarray(run.depsAt, run.depsAt + layout.inputBytes), base + inputsAt);
}

/**
 * The lane's view of a run. Columns are views of shared memory: valid until the section is freed.
 */
export class SectionView {
  serial = 0;
  slot = 0;
  count = 0;
  flags = 0;
  first = 0;
  dataStride = 0;
  /** Byte offsets in `bytes`. */
  dataAt = 0;
  dataBytes = 0;
  inputsAt = 0;
  inputBytes = 0;
  hasData = false;
  depStride = 0;
  depCodec = 0;
  values = 0;
  indices: Uint32Array | null = null;
  attempts: Uint32Array | null = null;
  functions: Uint32Array | null = null;
  timeouts: Uint32Array | null = null;
  /** Signed numbers, as u32. */
  priorities: Uint32Array | null = null;
  dataSizes: Uint32Array | null = null;
  depCounts: Uint32Array | null = null;
  depSizes: Uint32Array | null = null;
  depHeld: Uint32Array | null = null;
  depCodecs: Uint8Array | null = null;
  bytes: Uint8Array = new Uint8Array(0);

  /** Points this view at the section at byte `base`. */
  read(words: Uint32Array, bytes: Uint8Array, base: number): void {
    const w = base >>> 2;
    const word = (k: number): number => words[w + k] as number;
    const flags = word(Head.FLAGS);
    const count = word(Head.COUNT);
    const deps = word(Head.INPUTS);
    this.bytes = bytes;
    this.serial = word(Head.SERIAL);
    this.slot = word(Head.SLOT);
    this.count = count;
    this.flags = flags;
    this.first = word(Head.FIRST);
    this.dataStride = word(Head.DATA_STRIDE);
    this.dataAt = base + word(Head.DATA_AT);
    this.dataBytes = word(Head.DATA_BYTES);
    this.inputsAt = base + word(Head.INPUTS_AT);
    this.inputBytes = word(Head.INPUT_BYTES);
    this.hasData = (flags & Has.Data) !== 0;
    this.depStride = word(Head.INPUT_STRIDE);
    this.depCodec = word(Head.INPUT_CODEC);
    this.values = word(Head.VALUES);
    let at = w + HEAD_WORDS;
    const take = (flag: number, length: number): Uint32Array | null => {
      if ((flags & flag) === 0) return null;
      const column = words.subarray(at, at + length);
      at += length;
      return column;
    };
    this.indices = take(Has.Indices, count);
    this.attempts = take(Has.Attempts, count);
    this.functions = take(Has.Functions, count);
    this.timeouts = take(Has.Timeouts, count);
    this.priorities = take(Has.Priorities, count);
    this.dataSizes = take(Has.DataSizes, count);
    this.depCounts = take(Has.DepCounts, count);
    this.depSizes = take(Has.DepSizes, deps);
    this.depHeld = take(Has.DepHeld, deps);
    this.depCodecs = (flags & Has.DepCodecs) === 0 ? null : bytes.subarray(at * 4, at * 4 + deps);
  }
}
