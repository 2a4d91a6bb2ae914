/**
 * Records the main thread has queued in a lane and not yet collected, and the Done sections they
 * become.
 */
import { RECORDING } from '../diagnostics/stages.js';
import { Codec, Home, Outcome } from '../wire/generated/enums.js';
import type { AssignSection } from '../wire/generated/tables.js';
import type { DoneBuilder } from './done_builder.js';
import { type LaneMemory, ResultFlag, Word } from './lane_memory.js';
import type { StoredBytes } from './messages.js';
import type { Run } from './section.js';

/** Flags that tell sections apart. */
const KIND = ResultFlag.Failed | ResultFlag.Final | ResultFlag.Seceded;

/** Why a record's result does not count any more. */
export const Gone = { Retracted: 1, Cancelled: 2, TimedOut: 3 } as const;

/** Where results go besides the Done frame. */
export interface ResultSink {
  /** The stored value of a slot. */
  takeValue(slot: number): StoredBytes;
  /** Called before the Done that announces the value is sent. */
  stored(serial: number, index: number, attempt: number, value: StoredBytes): void;
  /** An inline result, if {@link wantsInline}. */
  inline(serial: number, index: number, attempt: number, codec: number, bytes: Uint8Array): void;
  /** The body of a record goes on beside its lane; `gone`: its outcome will not count. */
  seceded(batch: LaneBatch, k: number, startedMs: number, gone: boolean): void;
  /** A record did not run, for its lane did not have all its inputs. */
  deferred(batch: LaneBatch, k: number): void;
  /** True while some record here waits for a result of another record here. */
  readonly wantsInline: boolean;
}

/** A run of records in consecutive slots of one lane. */
export class LaneBatch {
  /** Records collected so far. */
  collected = 0;
  /** When it was queued, in ms of `performance.now()`. */
  readonly queuedMs = RECORDING ? performance.now() : 0;
  /** Records by position that do not count any more. */
  #gone: Map<number, number> | null = null;

  readonly section: AssignSection;
  readonly from: number;
  readonly count: number;

  constructor(
    readonly run: Run,
    /** Slot of the first record. */
    readonly slot: number,
  ) {
    this.section = run.section;
    this.from = run.from;
    this.count = run.to - run.from;
  }

  index(k: number): number {
    const { indices, first } = this.section;
    return indices === undefined ? first + this.from + k : (indices[this.from + k] as number);
  }

  attempt(k: number): number {
    return this.section.attempts?.[this.from + k] ?? 1;
  }

  /** Position of a record not collected yet, or -1. */
  find(index: number, attempt: number): number {
    const { indices, first } = this.section;
    if (indices === undefined) {
      const k = index - first - this.from;
      const here = k >= this.collected && k < this.count;
      return here && this.attempt(k) === attempt ? k : -1;
    }
    for (let k = this.collected; k < this.count; k++) {
      if (indices[this.from + k] === index && this.attempt(k) === attempt) return k;
    }
    return -1;
  }

  /** Slot of a record whose result counts, or -1; the last ones are looked at first. */
  slotOf(index: number, attempt: number): number {
    const k = findBackwards(this.section, this.from, this.from + this.count, index, attempt);
    if (k < 0 || this.gone(k - this.from) !== 0) return -1;
    return (this.slot + k - this.from) >>> 0;
  }

  /** Marks a record as one of {@link Gone}. */
  lose(k: number, why: number): void {
    this.#gone ??= new Map();
    this.#gone.set(k, why);
  }

  gone(k: number): number {
    return this.#gone?.get(k) ?? 0;
  }

  /** Microseconds of user code in all its records, once they are finished. */
  runUs(memory: LaneMemory): number {
    const end = memory.elapsedUs[memory.row(this.slot + this.count - 1)] as number;
    const start = memory.elapsedUs[memory.row(this.slot - 1)] as number;
    return Math.max(0, end - start);
  }

  /** Adds what the lane has finished, up to position `end`. */
  collect(end: number, memory: LaneMemory, done: DoneBuilder, sink: ResultSink): void {
    let k = this.collected;
    while (k < end) {
      const from = k;
      const why = this.gone(k);
      const failed = memory.flags[memory.row(this.slot + k)] as number;
      const kind = why !== 0 ? why << 8 : failed & KIND;
      do {
        k++;
      } while (k < end && this.#sameKind(k, kind, memory));
      // What these need of records before them has been collected.
      this.collected = from;
      if (kind === ResultFlag.Deferred) {
        for (let at = from; at < k; at++) sink.deferred(this, at);
      } else if (kind === ResultFlag.Seceded) this.#secede(from, k, memory, done, sink);
      else if (why === 0) new SectionWriter(this, memory, done, sink).write(from, k, kind);
      else this.#discard(from, k, why, memory, done, sink);
    }
    this.collected = end;
  }

  #sameKind(k: number, kind: number, memory: LaneMemory): boolean {
    const row = memory.row(this.slot + k);
    if (row === 0) return false; // The columns wrap here; a section's rows are contiguous.
    const why = this.gone(k);
    const flags = (memory.flags[row] as number) & KIND;
    return (why !== 0 ? why << 8 : flags) === kind;
  }

  #secede(from: number, to: number, memory: LaneMemory, done: DoneBuilder, sink: ResultSink): void {
    for (let k = from; k < to; k++) {
      sink.seceded(this, k, memory.numbers[memory.row(this.slot + k)] as number, false);
    }
    const durationUs = this.durationUs(from, to, memory);
    done.add({ ...this.rows(from, to, Outcome.Seceded), durationUs });
  }

  /** Microseconds of user code in a run of finished records. */
  durationUs(from: number, to: number, memory: LaneMemory): number {
    const { elapsedUs } = memory;
    const end = elapsedUs[memory.row(this.slot + to - 1)] as number;
    const start = elapsedUs[memory.row(this.slot + from - 1)] as number;
    return Math.max(0, Math.min(0xffff_ffff, Math.round(end - start)));
  }

  /**
   * Results nobody waits for: cancelled ones are reported as taken back now that the lane is free
   * of them.
   */
  #discard(
    from: number,
    to: number,
    why: number,
    memory: LaneMemory,
    done: DoneBuilder,
    sink: ResultSink,
  ): void {
    if (why === Gone.Retracted) return;
    for (let k = from; k < to; k++) {
      const slot = (this.slot + k) >>> 0;
      const row = memory.row(slot);
      const flags = memory.flags[row] as number;
      if ((flags & ResultFlag.Seceded) !== 0) sink.seceded(this, k, 0, true);
      if ((flags & ResultFlag.Stored) !== 0) sink.takeValue(slot);
      else releaseBytes(memory, row, flags);
    }
    if (why === Gone.Cancelled) done.add(this.rows(from, to, Outcome.Retracted));
  }

  /** The columns every Done section has. */
  rows(from: number, to: number, outcome: Outcome): SectionRows {
    const { lane, laneEpoch, serial, first, indices, attempts } = this.section;
    const [a, b] = [this.from + from, this.from + to];
    return {
      lane,
      laneEpoch,
      serial,
      outcome,
      count: to - from,
      first: indices === undefined ? first + a : 0,
      indices: indices?.subarray(a, b),
      attempts: attempts?.subarray(a, b),
    };
  }
}

/** Position of a record among those from `from` up to `to` of a section, or -1; the last ones are looked at first. */
export function findBackwards(
  { indices, first, attempts }: AssignSection,
  from: number,
  to: number,
  index: number,
  attempt: number,
): number {
  if (indices === undefined) {
    const k = index - first;
    return k >= from && k < to && (attempts?.[k] ?? 1) === attempt ? k : -1;
  }
  for (let k = to - 1; k >= from; k--) {
    if (indices[k] === index && (attempts?.[k] ?? 1) === attempt) return k;
  }
  return -1;
}

interface SectionRows {
  readonly lane: number;
  readonly laneEpoch: number;
  readonly serial: number;
  readonly outcome: Outcome;
  readonly count: number;
  readonly first: number;
  readonly indices: Uint32Array | undefined;
  readonly attempts: Uint32Array | undefined;
}

/** When records of a traced run began and ended: microseconds after `traceMs`. */
interface RecordTimes {
  readonly traceMs: number;
  readonly beginsUs: Uint32Array;
  readonly endsUs: Uint32Array;
}

/** Gives the result ring's bytes of a row back. */
function releaseBytes(memory: LaneMemory, row: number, flags: number): void {
  if (!inRing(flags)) return;
  const end = (memory.positions[row] as number) + (memory.sizes[row] as number);
  Atomics.store(memory.control, Word.RESULT_HEAD, end | 0);
  Atomics.notify(memory.control, Word.RESULT_HEAD);
}

function inRing(flags: number): boolean {
  const codec = flags & ResultFlag.Codec;
  return (flags & ResultFlag.Stored) === 0 && codec !== Codec.F64 && codec !== Codec.Undefined;
}

/** Writes one Done section from the columns of finished rows. */
class SectionWriter {
  constructor(
    private readonly batch: LaneBatch,
    private readonly memory: LaneMemory,
    private readonly done: DoneBuilder,
    private readonly sink: ResultSink,
  ) {}

  write(from: number, to: number, failed: number): void {
    const { batch, memory, done, sink } = this;
    const count = to - from;
    const row = memory.row(batch.slot + from);
    const outcome = failed === 0 ? Outcome.Ok : Outcome.Failed;
    const durationUs = batch.durationUs(from, to, memory);
    const retryable = outcome === Outcome.Failed && (failed & ResultFlag.Final) === 0;
    const times = memory.traced ? this.#times(from, to) : undefined;
    const common = { ...batch.rows(from, to, outcome), durationUs, retryable, ...times };
    // Before the bytes are given back to the ring.
    if (sink.wantsInline && failed === 0) this.#offerInline(from, to);
    const codec = memory.flags[row] as number;
    if (!uniform(memory.flags, row, count) || inRing(codec) || (codec & ResultFlag.Stored) !== 0) {
      this.#mixed(from, to, common);
    } else if (codec === Codec.Undefined) {
      done.add({ ...common, codec: Codec.Undefined });
    } else {
      const offset = done.addNumbers(memory.numbers, row, count);
      done.add({ ...common, codec: Codec.F64, stride: 8, part: 0, offset });
    }
  }

  #times(from: number, to: number): RecordTimes {
    const { batch, memory } = this;
    const row = (i: number): number => memory.row(batch.slot + from + i);
    const traceMs = Math.floor(memory.beganMs[row(0)] as number);
    const column = (times: Float64Array): Uint32Array =>
      Uint32Array.from(
        { length: to - from },
        (_, i) => ((times[row(i)] as number) - traceMs) * 1e3,
      );
    return { traceMs, beginsUs: column(memory.beganMs), endsUs: column(memory.endedMs) };
  }

  #mixed(from: number, to: number, common: SectionRows & { durationUs: number }): void {
    const { batch, memory, done, sink } = this;
    const count = to - from;
    const codecs = new Uint8Array(count);
    const sizes = new Uint32Array(count);
    const homes = new Uint8Array(count);
    let stored = false;
    let bytes = 0;
    for (let i = 0; i < count; i++) {
      const row = memory.row(batch.slot + from + i);
      const flags = memory.flags[row] as number;
      const codec = flags & ResultFlag.Codec;
      codecs[i] = codec;
      sizes[i] =
        codec === Codec.F64 ? 8 : codec === Codec.Undefined ? 0 : (memory.sizes[row] as number);
      if ((flags & ResultFlag.Stored) !== 0) {
        stored = true;
        homes[i] = Home.Stored;
      } else {
        bytes += sizes[i] as number;
      }
    }
    const offset = bytes === 0 ? 0 : done.reserve(bytes);
    let at = offset;
    for (let i = 0; i < count; i++) {
      const k = from + i;
      const slot = (batch.slot + k) >>> 0;
      if (homes[i] === Home.Stored) {
        sink.stored(batch.section.serial, batch.index(k), batch.attempt(k), sink.takeValue(slot));
      } else {
        at += this.#copyBytes(memory.row(slot), at);
      }
    }
    const part = bytes === 0 ? 65_535 : 0;
    done.add({ ...common, codecs, sizes, homes: stored ? homes : undefined, part, offset });
  }

  #copyBytes(row: number, at: number): number {
    const { memory, done } = this;
    const flags = memory.flags[row] as number;
    const bytes = inlineBytes(memory, row);
    done.payload.set(bytes, at);
    releaseBytes(memory, row, flags);
    return bytes.length;
  }

  #offerInline(from: number, to: number): void {
    const { batch, memory, sink } = this;
    for (let k = from; k < to; k++) {
      const row = memory.row(batch.slot + k);
      const flags = memory.flags[row] as number;
      if ((flags & ResultFlag.Stored) !== 0) continue;
      const codec = flags & ResultFlag.Codec;
      sink.inline(
        batch.section.serial,
        batch.index(k),
        batch.attempt(k),
        codec,
        inlineBytes(memory, row),
      );
    }
  }
}

/** The bytes of an inline result, in shared memory: to be copied at once. */
function inlineBytes(memory: LaneMemory, row: number): Uint8Array {
  const codec = (memory.flags[row] as number) & ResultFlag.Codec;
  if (codec === Codec.Undefined) return new Uint8Array(0);
  if (codec === Codec.F64)
    return new Uint8Array(memory.shared, memory.numbers.byteOffset + row * 8, 8);
  const at = (memory.positions[row] as number) % memory.resultBytes.length;
  return memory.resultBytes.subarray(at, at + (memory.sizes[row] as number));
}

function uniform(flags: Uint8Array, row: number, count: number): boolean {
  const first = flags[row];
  for (let i = row + 1; i < row + count; i++) if (flags[i] !== first) return false;
  return true;
}
