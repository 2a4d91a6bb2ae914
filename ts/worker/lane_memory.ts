/**
 * The memory a lane shares with the worker's main thread, and its protocol. Nothing here blocks.
 *
 * A record queued for a lane has a *slot*: a number that only rises (u32, compared modulo 2^31).
 * Slot s uses row `s & SLOT_MASK` of the columns. The lane works in slot order and publishes one
 * word, TICK: 2s when it has finished everything before slot s, 2s + 1 while it runs s. One store
 * of TICK per record thus says both "what is before is finished, its result is in the columns" and
 * "this one is claimed". So results survive the death of the lane and need no flush.
 *
 * Claim words settle who gets a record that the main thread wants back:
 *
 * - main: CLAIM[s] = TAKEN, then reads TICK. If that is before 2s + 1, the lane will see TAKEN: the
 *   record is main's. Else main tries CLAIM[s]: TAKEN -> QUEUED; failure means that the lane has
 *   acknowledged (SKIPPED), and the record is main's too.
 * - lane: TICK = 2s + 1, then reads CLAIM[s]. If that is TAKEN, it tries TAKEN -> SKIPPED; success:
 *   it skips the record; failure: it runs it.
 *
 * Each writes its own word before it reads the other's, so at least one of them sees the conflict,
 * and the compare-exchange decides it. Neither ever waits: a lane blocked in user code cannot delay
 * a retraction.
 *
 * Invariant: main never queues a slot that is SLOTS or more ahead of CONSUMED, so a row is never
 * reused while the lane may still read it, nor before main has collected its result.
 */

import { Codec } from '../wire/generated/enums.js';
import type { HeldValue } from './section.js';

/** Rows of the slot columns: four times the records the scheduler keeps in flight to one lane. */
export const SLOTS = 16_384;
const SLOT_MASK = SLOTS - 1;

/** Bytes of the ring that carries sections to the lane. Pages never touched cost nothing. */
const SECTION_RING_BYTES = 4 * 1024 * 1024;
/** Bytes of the ring that carries results which are neither numbers nor stored. */
const RESULT_RING_BYTES = 2 * 1024 * 1024;

/** Words of the control block: those of different threads stand on different cache lines. */
export const Word = {
  /** Lane: twice the slot it is at, plus 1 while it runs it. */
  TICK: 0,
  /** Lane: slots passed, with their sections freed. */
  CONSUMED: 1,
  /** Lane: bytes of the section ring consumed (u32, wraps). */
  SECTION_HEAD: 2,
  /** Lane: one of {@link LaneState}. */
  STATE: 3,
  /** Main: bytes of the section ring published. */
  SECTION_TAIL: 16,
  /** Main: raised at every publication; the lane sleeps on it. */
  WAKE: 17,
  /** Main: bytes of the result ring collected; a lane with a full ring sleeps on it. */
  RESULT_HEAD: 18,
  /** Main: slot whose body should stop, when ABORT_SET is 1. */
  ABORT_SLOT: 19,
  ABORT_SET: 20,
  /** Main: the scheduler's epoch, and the largest result that is not stored; before any record. */
  EPOCH: 21,
  INLINE_BYTES_MAX: 22,
  /** Whether the run is traced: begins and ends are told. */
  TRACED: 23,
  /** Both: 1 while a wake-up of the main thread is on its way; the main thread sleeps on it. */
  MAIN_WOKEN: 32,
  /** Lane: slot with a time limit that runs now, when TIMED_SET is 1. */
  TIMED_SLOT: 48,
  TIMED_SET: 49,
  /** Lane: slot of a seceded run that ends the thread, when BLAMED_SET is 1. */
  BLAMED_SLOT: 50,
  BLAMED_SET: 51,
} as const;
const CONTROL_WORDS = 64;

/** What a lane does between records. */
export const LaneState = { Busy: 0, Asleep: 1, EventLoop: 2 } as const;

/** States of a claim word. */
export const Claim = { Queued: 0, Taken: 1, Skipped: 2 } as const;

/** Columns of totals, written by the lane, in nanoseconds where they are times. */
export const Total = {
  TasksRun: 0,
  ComputeNs: 1,
  LaneNs: 2,
  TimedStartMs: 3,
  TimedLimitMs: 4,
} as const;

/** Bits of a result's flag byte; the low bits are the codec. */
export const ResultFlag = {
  Codec: 0x0f,
  Failed: 0x10,
  Final: 0x20,
  Stored: 0x40,
  /** No result yet: its body waits for tasks it submitted. */
  Seceded: 0x80,
  /** Failed and seceded at once: it did not run, for the lane did not have the result of a record before it. */
  Deferred: 0x90,
} as const;

/** How far slot `a` is ahead of slot `b`; negative if it comes before. */
export function ahead(a: number, b: number): number {
  return ((a - b) << 1) >> 1;
}

const running = (slot: number): number => (slot << 1) | 1;

/** `Atomics.waitAsync`, which Node 20 has and TypeScript's library of that year has not. */
interface AsyncWaiting {
  waitAsync(
    words: Int32Array,
    index: number,
    value: number,
  ): { readonly async: boolean; readonly value: unknown };
}

/** Typed views of one lane's shared memory; the same class on both threads. */
export class LaneMemory {
  readonly control: Int32Array;
  readonly totals: Float64Array;
  readonly claims: Int32Array;
  /** Numbers, the commonest results, have a column of their own. */
  readonly numbers: Float64Array;
  readonly sizes: Uint32Array;
  /** Position in the result ring. */
  readonly positions: Uint32Array;
  readonly flags: Uint8Array;
  /** Microseconds of user code up to and including the slot, since the lane began. */
  readonly elapsedUs: Float64Array;
  /** When a record began and ended, in ms since the Unix epoch; written in traced runs alone. */
  readonly beganMs: Float64Array;
  readonly endedMs: Float64Array;
  readonly sectionBytes: Uint8Array;
  readonly sectionWords: Uint32Array;
  readonly resultBytes: Uint8Array;

  constructor(readonly shared: SharedArrayBuffer) {
    let at = 0;
    const take = (bytes: number): number => {
      const start = at;
      at += bytes;
      return start;
    };
    this.control = new Int32Array(shared, take(CONTROL_WORDS * 4), CONTROL_WORDS);
    this.totals = new Float64Array(shared, take(64), 8);
    this.numbers = new Float64Array(shared, take(SLOTS * 8), SLOTS);
    this.elapsedUs = new Float64Array(shared, take(SLOTS * 8), SLOTS);
    this.beganMs = new Float64Array(shared, take(SLOTS * 8), SLOTS);
    this.endedMs = new Float64Array(shared, take(SLOTS * 8), SLOTS);
    this.claims = new Int32Array(shared, take(SLOTS * 4), SLOTS);
    this.sizes = new Uint32Array(shared, take(SLOTS * 4), SLOTS);
    this.positions = new Uint32Array(shared, take(SLOTS * 4), SLOTS);
    this.flags = new Uint8Array(shared, take(SLOTS), SLOTS);
    this.resultBytes = new Uint8Array(shared, take(RESULT_RING_BYTES), RESULT_RING_BYTES);
    const sections = take(SECTION_RING_BYTES);
    this.sectionBytes = new Uint8Array(shared, sections, SECTION_RING_BYTES);
    this.sectionWords = new Uint32Array(shared, sections, SECTION_RING_BYTES / 4);
  }

  static allocate(): LaneMemory {
    const columns = SLOTS * (8 + 8 + 8 + 8 + 4 + 4 + 4 + 1);
    const bytes = CONTROL_WORDS * 4 + 64 + columns + RESULT_RING_BYTES + SECTION_RING_BYTES;
    return new LaneMemory(new SharedArrayBuffer(bytes));
  }

  /** Main: tells the lane what it must know of the scheduler, before the first record. */
  introduce(epoch: number, inlineBytesMax: number, traced: boolean): void {
    Atomics.store(this.control, Word.TRACED, traced ? 1 : 0);
    Atomics.store(this.control, Word.EPOCH, epoch | 0);
    Atomics.store(this.control, Word.INLINE_BYTES_MAX, inlineBytesMax | 0);
  }

  /** The scheduler's epoch. */
  get epoch(): number {
    return (this.control[Word.EPOCH] as number) >>> 0;
  }

  /** True if begins and ends of records are told. */
  get traced(): boolean {
    return this.control[Word.TRACED] === 1;
  }

  /** Larger results are stored. */
  get inlineBytesMax(): number {
    return (this.control[Word.INLINE_BYTES_MAX] as number) >>> 0;
  }

  /** Row of a slot in the columns. */
  row(slot: number): number {
    return slot & SLOT_MASK;
  }

  /** The result of a slot that is finished if it is a number or nothing; a copy. */
  numberAt(slot: number): HeldValue | undefined {
    const row = this.row(slot);
    const codec = this.flags[row] as number;
    if (codec === Codec.Undefined) return { codec, bytes: new Uint8Array(0) };
    if (codec !== Codec.F64) return undefined;
    return { codec, bytes: new Uint8Array(this.numbers.slice(row, row + 1).buffer) };
  }

  /** Main: takes back the record of a slot unless the lane has it. */
  tryTake(slot: number): boolean {
    const row = slot & SLOT_MASK;
    Atomics.store(this.claims, row, Claim.Taken);
    if (((Atomics.load(this.control, Word.TICK) - running(slot)) | 0) < 0) return true;
    return Atomics.compareExchange(this.claims, row, Claim.Taken, Claim.Queued) !== Claim.Taken;
  }

  /** Lane: moves on to a slot. False if the main thread has taken it. */
  tryStart(slot: number): boolean {
    const row = slot & SLOT_MASK;
    Atomics.store(this.control, Word.TICK, running(slot));
    if (Atomics.load(this.claims, row) !== Claim.Taken) return true;
    if (Atomics.compareExchange(this.claims, row, Claim.Taken, Claim.Skipped) !== Claim.Taken)
      return true;
    // What reads its result in this lane must not find that of the row's last record.
    this.flags[row] = Codec.Undefined | ResultFlag.Failed;
    return false;
  }

  /** Lane: says that every slot before this one is finished. */
  publish(slot: number): void {
    Atomics.store(this.control, Word.TICK, slot << 1);
  }

  /** Slots finished from `slot` on. */
  finishedSince(slot: number): number {
    return ahead(Atomics.load(this.control, Word.TICK) >>> 1, slot);
  }

  /** True while the lane runs the record of a slot. */
  isRunning(slot: number): boolean {
    return Atomics.load(this.control, Word.TICK) === running(slot);
  }

  /** Main: resolves when the lane has something to tell since {@link look}. */
  async told(): Promise<void> {
    const { waitAsync } = Atomics as unknown as AsyncWaiting;
    const waiting = waitAsync(this.control, Word.MAIN_WOKEN, 0);
    if (waiting.async) await waiting.value;
  }

  /** Main: is about to look; what the lane tells from now on wakes it again. */
  look(): void {
    Atomics.store(this.control, Word.MAIN_WOKEN, 0);
  }

  /** Main: will {@link look} before it returns to its event loop, so that the lane need not wake it. */
  hush(): void {
    Atomics.store(this.control, Word.MAIN_WOKEN, 1);
  }

  /** Lane (or main, for a lane that is gone): wakes the main thread, unless it is being woken. */
  wakeMain(): void {
    if (Atomics.exchange(this.control, Word.MAIN_WOKEN, 1) === 0) {
      Atomics.notify(this.control, Word.MAIN_WOKEN);
    }
  }

  /** Main: wakes the lane if it sleeps on the futex; true if it waits in its event loop instead. */
  wakeLane(): boolean {
    Atomics.add(this.control, Word.WAKE, 1);
    const state = Atomics.load(this.control, Word.STATE);
    if (state === LaneState.Asleep) Atomics.notify(this.control, Word.WAKE);
    return state === LaneState.EventLoop;
  }
}
