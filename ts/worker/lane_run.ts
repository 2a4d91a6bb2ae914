/**
 * Runs the records of a section in one lane: in chunks, synchronously, until a body returns a
 * thenable or the section ends. Clocks are read per chunk; a chunk is as many records as are
 * expected to take a quarter of a millisecond, so a long task is a chunk of its own and is timed
 * exactly.
 */

import type { Client } from '../client/client.js';
import { HeddleError } from '../errors/index.js';
import { Codec } from '../wire/generated/enums.js';
import type { CurrentRun } from './context.js';
import type { CpuClock } from './cpu.js';
import type { Body } from './functions.js';
import { ArgumentReader, DEFERRED, type LaneLayer } from './lane_args.js';
import { type LaneMemory, Total, Word } from './lane_memory.js';
import type { ResultWriter } from './lane_results.js';
import type { SectionView } from './lane_section.js';
import type { NestedRun, NestedRuns, RunIdentity } from './nested_run.js';
import type { HeldValue } from './section.js';
import { isThenable } from './thenable.js';

const CHUNK_RECORDS_MAX = 256;
const CHUNK_US = 250;
/**
 * One chunk in so many has its bodies timed one by one, to tell user code from our own per-record
 * work.
 */
const SAMPLE_EVERY = 16;
const REPORT_RECORDS = 256;
const REPORT_MS = 1;

/** What stopped a run. */
export const Stop = { End: 0, Thenable: 1, Load: 2 } as const;

/** What a layer has shown so far. */
interface Pace {
  usPerRecord: number;
  /** Part of a chunk's CPU that is user code. */
  userShare: number;
  chunks: number;
}

/** The section being run and the position in it. */
export class SectionRunner implements CurrentRun {
  active = false;
  step = 0;
  /** The thenable that stopped the run. */
  thenable: PromiseLike<unknown> | null = null;
  /** Position of the record that runs, or runs next. */
  at = 0;
  #view!: SectionView;
  #bodyOf!: (k: number) => Body | null;
  #pace: Pace = { usPerRecord: CHUNK_US, userShare: 1, chunks: 0 };
  readonly #paces = new Map<number, Pace>();
  readonly #args: ArgumentReader;
  #plain: Float64Array | null = null;
  #abort: AbortController | null = null;
  #nested: NestedRun | null = null;
  #elapsedUs = 0;
  #sinceReport = 0;
  #lastReport = 0;

  constructor(
    private readonly memory: LaneMemory,
    private readonly results: ResultWriter,
    private readonly clock: CpuClock,
    private readonly wakeMain: () => void,
    private readonly nestedRuns: NestedRuns,
  ) {
    this.#args = new ArgumentReader(results);
  }

  /** Begins a section. `bodyOf` gives a record's body, or null if it must be loaded first. */
  begin(
    view: SectionView,
    layer: LaneLayer,
    values: readonly HeldValue[],
    bodyOf: (k: number) => Body | null,
  ): void {
    this.#view = view;
    this.#bodyOf = bodyOf;
    this.at = 0;
    const numbers =
      layer.dataCodec === Codec.F64 && view.dataStride === 8 && layer.template === null;
    const plain =
      numbers && view.depCounts === null && view.functions === null && view.timeouts === null;
    this.#plain = plain
      ? new Float64Array(view.bytes.buffer, view.bytes.byteOffset + view.dataAt, view.count)
      : null;
    if (!plain) this.#args.begin(view, layer, values);
    let pace = this.#paces.get(layer.serial);
    if (pace === undefined) {
      pace = { usPerRecord: CHUNK_US, userShare: 1, chunks: 0 };
      this.#paces.set(layer.serial, pace);
    }
    this.#pace = pace;
  }

  /** Forgets what a layer has shown. */
  forget(serial: number): void {
    this.#paces.delete(serial);
  }

  /** Slot of the record at `k`. */
  slot(k: number): number {
    return (this.#view.slot + k) >>> 0;
  }

  get attempt(): number {
    return this.#view.attempts?.[this.at] ?? 1;
  }

  get runKey(): string {
    const index = this.#view.indices?.[this.at] ?? this.#view.first + this.at;
    return `${this.memory.epoch.toString(16)}-${this.#view.serial}-${index}`;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    this.checkAbort();
    return this.#abort.signal;
  }

  get client(): Client {
    this.#nested ??= this.nestedRuns.enter(this.#identity());
    return this.#nested.client;
  }

  /** The run at hand, if its body asked for the client. */
  get nested(): NestedRun | null {
    return this.#nested;
  }

  #identity(): RunIdentity {
    this.#abort ??= new AbortController();
    this.checkAbort();
    const { attempt, runKey, step } = this;
    const priority = (this.#view.priorities?.[this.at] ?? 0) | 0;
    return { slot: this.slot(this.at), attempt, runKey, priority, step, abort: this.#abort };
  }

  /** Aborts the running body's signal if the main thread has asked for it. */
  checkAbort(): void {
    const { control } = this.memory;
    if (!this.active || this.#abort === null || Atomics.load(control, Word.ABORT_SET) === 0) return;
    if (Atomics.load(control, Word.ABORT_SLOT) >>> 0 === this.slot(this.at)) this.#abort.abort();
  }

  /** Runs records from where it is, until the section ends or something must be awaited. */
  run(): number {
    const { count } = this.#view;
    const { traced } = this.memory;
    while (this.at < count) {
      const pace = this.#pace;
      const chunk = Math.max(1, Math.min(CHUNK_RECORDS_MAX, (CHUNK_US / pace.usPerRecord) | 0));
      const size = traced ? 1 : chunk;
      const first = this.at;
      const sampled = this.#plain === null && (pace.chunks++ % SAMPLE_EVERY === 0 || size === 1);
      const wall = performance.now();
      const cpu = this.clock.nanos();
      const elapsed = this.#elapsedUs;
      if (traced) this.#began(first, wall);
      const stop = this.#chunk(Math.min(count, first + size), sampled, pace);
      this.#account(first, elapsed, wall, cpu, stop);
      if (stop !== Stop.End) return stop;
    }
    return Stop.End;
  }

  /** Records the outcome of the thenable that stopped the run, and moves on. */
  settled(failed: boolean, value: unknown, wall: number, cpu: number): void {
    const slot = this.slot(this.at);
    if (failed) this.results.failure(slot, value);
    else this.results.value(slot, value);
    this.thenable = null;
    this.#finishRecord();
    const us = (performance.now() - wall) * 1000;
    this.#elapsedUs += us;
    this.memory.elapsedUs[this.memory.row(slot)] = this.#elapsedUs;
    this.#add(Total.ComputeNs, this.clock.nanos() - cpu);
    this.#pace.usPerRecord = us;
    this.#ended(this.at - 1, performance.now());
    this.#publish();
    this.#report(1, performance.now());
  }

  /** The body of the record at hand goes on beside the lane; gives its run. */
  secede(wall: number, cpu: number): NestedRun {
    const run = this.#nested as NestedRun;
    const slot = this.slot(this.at);
    const us = (performance.now() - wall) * 1000;
    this.results.seceded(slot, Date.now() - us / 1000);
    this.nestedRuns.secede(run);
    this.#nested = null;
    this.thenable = null;
    this.#finishRecord();
    this.#elapsedUs += us;
    this.memory.elapsedUs[this.memory.row(slot)] = this.#elapsedUs;
    this.#add(Total.ComputeNs, this.clock.nanos() - cpu);
    this.#publish();
    this.#report(1, performance.now());
    return run;
  }

  /** Fails the record at hand without running it. */
  fail(error: unknown): void {
    const slot = this.slot(this.at);
    if (this.memory.tryStart(slot)) this.results.failure(slot, error);
    this.skip();
    this.#ended(this.at - 1, performance.now());
    this.#publish();
    this.#report(1, performance.now());
  }

  /** Passes over the record at hand. */
  skip(): void {
    if (this.#plain === null) this.#args.skip(this.at);
    this.memory.elapsedUs[this.memory.row(this.slot(this.at))] = this.#elapsedUs;
    this.at++;
  }

  #chunk(end: number, sampled: boolean, pace: Pace): number {
    if (this.#plain !== null) return this.#plainChunk(end, pace);
    let user = 0;
    const before = sampled ? performance.now() : 0;
    while (this.at < end) {
      const k = this.at;
      const body = this.#bodyOf(k);
      if (body === null) return Stop.Load;
      const slot = this.slot(k);
      if (!this.memory.tryStart(slot)) {
        this.skip();
        continue;
      }
      this.#estimate(slot, pace);
      const limit = this.#view.timeouts === null ? 0 : (this.#view.timeouts[k] as number);
      if (limit > 0) this.#startTimed(slot, limit);
      let value: unknown;
      this.active = true;
      try {
        const args = this.#args.read(k);
        const t = sampled ? performance.now() : 0;
        value = body(...(args as never[]));
        if (sampled) user += performance.now() - t;
        if (isThenable(value)) {
          this.thenable = value;
          return Stop.Thenable;
        }
        if (this.#nested?.waits === true) throw waited();
      } catch (thrown) {
        if (thrown === DEFERRED) this.results.deferred(slot);
        else this.results.failure(slot, thrown);
        this.#finishRecord();
        continue;
      }
      this.results.value(slot, value);
      this.#finishRecord();
    }
    if (sampled) pace.userShare = Math.min(1, user / Math.max(1e-6, performance.now() - before));
    return Stop.End;
  }

  /** The commonest layer: one number in, usually one number out. */
  #plainChunk(end: number, pace: Pace): number {
    const { memory, results } = this;
    const items = this.#plain as Float64Array;
    const body = this.#bodyOf(0) as ((item: number) => unknown) | null;
    if (body === null) return Stop.Load;
    this.active = true;
    while (this.at < end) {
      const k = this.at;
      const slot = this.slot(k);
      this.#estimate(slot, pace);
      if (memory.tryStart(slot)) {
        try {
          const value = body(items[k] as number);
          if (isThenable(value)) {
            this.thenable = value;
            return Stop.Thenable;
          }
          if (this.#nested?.waits === true) throw waited();
          results.value(slot, value);
        } catch (thrown) {
          results.failure(slot, thrown);
        }
        if (this.#abort !== null) this.#abort = null;
        if (this.#nested !== null) this.#endNested(this.#nested);
      }
      this.at = k + 1;
    }
    this.active = false;
    return Stop.End;
  }

  /** A record's share of the time, until the chunk's clock tells the truth. */
  #estimate(slot: number, pace: Pace): void {
    this.#elapsedUs += pace.usPerRecord;
    this.memory.elapsedUs[this.memory.row(slot)] = this.#elapsedUs;
  }

  #finishRecord(): void {
    this.active = false;
    if (this.#nested !== null) this.#endNested(this.#nested);
    this.step = 0;
    this.#abort = null;
    if (this.#view.timeouts !== null) Atomics.store(this.memory.control, Word.TIMED_SET, 0);
    this.at++;
  }

  #endNested(run: NestedRun): void {
    this.#nested = null;
    this.nestedRuns.leave();
    this.nestedRuns.end(run);
  }

  #startTimed(slot: number, limitMs: number): void {
    const { control, totals } = this.memory;
    totals[Total.TimedStartMs] = Date.now();
    totals[Total.TimedLimitMs] = limitMs;
    Atomics.store(control, Word.TIMED_SLOT, slot | 0);
    Atomics.store(control, Word.TIMED_SET, 1);
  }

  /** Books a chunk's time, then publishes its records. */
  #account(first: number, elapsed: number, wall: number, cpu: number, stop: number): void {
    const { memory } = this;
    const records = this.at - first;
    const now = performance.now();
    const spent = this.clock.nanos() - cpu;
    const share = this.#plain !== null && stop === Stop.End ? 1 : this.#pace.userShare;
    this.#add(Total.ComputeNs, spent * share);
    const us = (now - wall) * 1000;
    this.#elapsedUs = elapsed + us;
    if (records === 0) return;
    if (memory.traced) this.#ended(this.at - 1, now);
    this.#pace.usPerRecord = (this.#pace.usPerRecord + us / records) / 2;
    memory.elapsedUs[memory.row(this.slot(this.at - 1))] = this.#elapsedUs;
    if (stop !== Stop.Thenable) this.#publish();
    this.#report(records, now);
  }

  /** Says that everything before the record at hand is finished. */
  #publish(): void {
    this.memory.publish(this.slot(this.at));
  }

  #began(k: number, now: number): void {
    this.memory.beganMs[this.memory.row(this.slot(k))] = performance.timeOrigin + now;
  }

  #ended(k: number, now: number): void {
    this.memory.endedMs[this.memory.row(this.slot(k))] = performance.timeOrigin + now;
  }

  #add(total: number, amount: number): void {
    const { totals } = this.memory;
    totals[total] = (totals[total] as number) + amount;
  }

  #report(records: number, now: number): void {
    this.#add(Total.TasksRun, records);
    this.#sinceReport += records;
    if (this.#sinceReport < REPORT_RECORDS && now - this.#lastReport < REPORT_MS) return;
    this.reportNow(now);
  }

  /** Tells the main thread that results are there, if there are any it was not told of. */
  reportNow(now: number): void {
    if (this.#sinceReport === 0) return;
    this.#sinceReport = 0;
    this.#lastReport = now;
    this.wakeMain();
  }
}

function waited(): HeddleError {
  return new HeddleError(
    'ERR_TASK_WAIT',
    'the task returned while it waited for tasks it had submitted: make its body async and await their results',
  );
}
