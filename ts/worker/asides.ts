/**
 * Records of a lane whose bodies wait for tasks they submitted, while the lane runs others. The
 * main thread's side: what they are, how they end, and their time limits, which count the waiting.
 */
import { HeddleError } from '../errors/index.js';
import { encodeError, Home, Outcome } from '../wire/index.js';
import type { DoneBuilder } from './done_builder.js';
import type { LaneBatch, ResultSink } from './lane_batch.js';
import type { LateOutcome } from './messages.js';

/** In a lane's number: its aside. */
export const ASIDE = 2 ** 31;

/** One record. */
interface Aside {
  readonly batch: LaneBatch;
  readonly k: number;
  /** When its body began, in ms since the Unix epoch. */
  readonly startedMs: number;
  /** When its time is up, in ms since the Unix epoch. */
  readonly deadlineMs: number;
  /** Its limit, 0: none. */
  readonly limitMs: number;
}

/** Where results go besides the Done frame. */
type Sink = Omit<ResultSink, 'takeValue' | 'seceded' | 'deferred'>;

/** The seceded records of one thread of a lane, by slot. */
export class Asides {
  /** Whether begins and ends are told. */
  traced = false;
  readonly #open = new Map<number, Aside>();
  /** Bodies that were given up and have not ended. */
  readonly #ending = new Set<number>();
  readonly #outcomes: LateOutcome[] = [];

  /** A record has seceded; it began at `startedMs`. */
  add(slot: number, batch: LaneBatch, k: number, startedMs: number): void {
    const limitMs = batch.section.timeoutsMs?.[batch.from + k] ?? 0;
    const deadlineMs = limitMs > 0 ? startedMs + limitMs : Number.POSITIVE_INFINITY;
    this.#open.set(slot, { batch, k, startedMs, deadlineMs, limitMs });
  }

  /** A record seceded after it had been given up. */
  addGone(slot: number): void {
    this.#ending.add(slot);
  }

  /** True while a record has a time limit. */
  get hasTimeLimits(): boolean {
    for (const { limitMs } of this.#open.values()) if (limitMs > 0) return true;
    return false;
  }

  /** True while the body of a slot goes on. */
  runs(slot: number): boolean {
    return this.#open.has(slot) || this.#ending.has(slot);
  }

  /** The slot of a record, or -1. */
  find(serial: number, index: number, attempt: number): number {
    for (const [slot, { batch, k }] of this.#open) {
      const same = batch.section.serial === serial && batch.index(k) === index;
      if (same && batch.attempt(k) === attempt) return slot;
    }
    return -1;
  }

  /** The outcome of a record does not count any more: its body is to end. */
  giveUp(slot: number): void {
    this.#open.delete(slot);
    this.#ending.add(slot);
  }

  /** A body has ended. */
  take(outcome: LateOutcome): void {
    this.#ending.delete(outcome.slot);
    if (this.#open.has(outcome.slot)) this.#outcomes.push(outcome);
  }

  /** Adds the outcomes of bodies that have ended. */
  collect(done: DoneBuilder, sink: Sink): void {
    for (const outcome of this.#outcomes) {
      const aside = this.#open.get(outcome.slot);
      this.#open.delete(outcome.slot);
      if (aside !== undefined) report(aside, this.traced, outcome, done, sink);
    }
    this.#outcomes.length = 0;
  }

  /** Fails records whose time is up; gives their slots. */
  timeOut(nowMs: number, done: DoneBuilder): number[] {
    const late: number[] = [];
    for (const [slot, { deadlineMs, limitMs }] of this.#open) {
      if (nowMs < deadlineMs) continue;
      const text = `the task ran longer than ${limitMs} ms`;
      this.fail(slot, new HeddleError('ERR_TASK_TIMEOUT', text), done);
      late.push(slot);
    }
    return late;
  }

  /** Reports a record as failed. False if it is not there. */
  fail(slot: number, error: Error, done: DoneBuilder): boolean {
    const aside = this.#open.get(slot);
    if (aside === undefined) return false;
    this.giveUp(slot);
    const { codec, bytes } = encodeError(error);
    const offset = done.reserve(bytes.length);
    done.payload.set(bytes, offset);
    done.add({
      ...rowOf(aside, Outcome.Failed, this.traced),
      codec,
      sizes: Uint32Array.of(bytes.length),
      part: 0,
      offset,
      retryable: true,
    });
    return true;
  }

  /** The thread is gone. */
  clear(): void {
    this.#open.clear();
    this.#ending.clear();
    this.#outcomes.length = 0;
  }
}

function report(
  aside: Aside,
  traced: boolean,
  outcome: LateOutcome,
  done: DoneBuilder,
  sink: Sink,
): void {
  const { batch, k } = aside;
  const { failed, retryable, codec, bytes, stored } = outcome;
  const row = rowOf(aside, failed ? Outcome.Failed : Outcome.Ok, traced);
  const [serial, index, attempt] = [batch.section.serial, batch.index(k), batch.attempt(k)];
  if (stored !== null) {
    const sizes = Uint32Array.of(stored.memory.byteLength);
    const codecs = Uint8Array.of(codec);
    const homes = Uint8Array.of(Home.Stored);
    sink.stored(serial, index, attempt, stored);
    done.add({ ...row, codecs, sizes, homes });
    return;
  }
  if (sink.wantsInline && !failed) sink.inline(serial, index, attempt, codec, bytes);
  const offset = done.reserve(bytes.length);
  done.payload.set(bytes, offset);
  const codecs = Uint8Array.of(codec);
  const sizes = Uint32Array.of(bytes.length);
  done.add({ ...row, codecs, sizes, part: 0, offset, retryable });
}

function rowOf({ batch, k, startedMs }: Aside, outcome: Outcome, traced: boolean) {
  const rows = batch.rows(k, k + 1, outcome);
  const row = { ...rows, lane: rows.lane + ASIDE };
  if (!traced) return row;
  const traceMs = Math.floor(startedMs);
  const now = performance.timeOrigin + performance.now();
  const beginsUs = Uint32Array.of((startedMs - traceMs) * 1e3);
  const endsUs = Uint32Array.of(Math.max(0, now - traceMs) * 1e3);
  return { ...row, traceMs, beginsUs, endsUs };
}
