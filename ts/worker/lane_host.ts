/**
 * The main thread's side of one lane: its thread, the records queued in it, and what becomes of
 * them when the thread dies. The thread is replaced under the next lane epoch; stored values are
 * not its business.
 */
import { receiveMessageOnPort } from 'node:worker_threads';
import { RECORDING } from '../diagnostics/stages.js';
import { HeddleError } from '../errors/index.js';
import { encodeError, Outcome, LaneState as WireLaneState } from '../wire/index.js';
import { Asides } from './asides.js';
import { ChildLink } from './child_link.js';
import type { DoneBuilder } from './done_builder.js';
import { Gone, LaneBatch, type ResultSink } from './lane_batch.js';
import { ahead, type LaneMemory, SLOTS, Total, Word } from './lane_memory.js';
import { type Definitions, LaneQueue } from './lane_queue.js';
import { LaneThread, type ThreadOptions } from './lane_thread.js';
import type { FromLane, LateOutcome, StoredBytes, ToLane } from './messages.js';
import { type HeldValue, type Run, sliceRun } from './section.js';

/** Longer runs are divided: a run must fit in the slots. */
const RUN_RECORDS_MAX = SLOTS / 4;
/** Records collected last whose results are still at hand: what was sent ahead of them may come after. */
const RECENT_RECORDS = 1024;
const RESTART_DELAY_MS_MAX = 5_000;

/** What a lane tells its process. */
export interface LaneEvents {
  /** Results may be waiting. */
  wake(): void;
  /** The thread died: `report` adds what it had finished and the failure of what it ran. */
  died(lane: LaneHost, report: (done: DoneBuilder) => void): void;
  /** All records of a batch were collected: when it was queued, and how long its user code took. */
  ended(records: number, queuedMs: number, runUs: number): void;
  /** Said after {@link died}, and when the next thread takes records. */
  changed(lane: LaneHost, state: WireLaneState): void;
}

/** Options shared by the lanes of a process. */
export interface LaneOptions extends ThreadOptions {
  /** Address of the scheduler, for tasks that submit. */
  readonly scheduler: string;
  /** What tools call the worker. */
  readonly name: string;
  readonly epoch: number;
  readonly inlineBytesMax: number;
  /** Whether begins and ends of records are told. */
  readonly traced: boolean;
}

/** One lane. */
export class LaneHost {
  laneEpoch = 1;
  #thread!: LaneThread;
  #batches: LaneBatch[] = [];
  /** Batches collected last, up to {@link RECENT_RECORDS}. */
  #recent: LaneBatch[] = [];
  #recentRecords = 0;
  /** Runs that did not fit; bounded by the credit the scheduler keeps. */
  #overflow: Run[] = [];
  #values = new Map<number, StoredBytes>();
  #queue!: LaneQueue;
  readonly #asides = new Asides();
  /** Outcomes of seceded records that have come since the last look. */
  readonly #late: LateOutcome[] = [];
  #child: ChildLink | undefined;
  #inFlight = 0;
  #up = true;
  #closing = false;
  #restartDelayMs = 0;
  /** Totals of threads of this lane that are gone. */
  readonly #past = new Float64Array(8);

  constructor(
    readonly lane: number,
    private readonly definitions: Definitions,
    private readonly options: LaneOptions,
    private readonly events: LaneEvents,
    private readonly sink: Omit<ResultSink, 'takeValue' | 'seceded' | 'deferred'> & {
      /** A record is back, for its lane did not have all its inputs. */
      deferred(run: Run): void;
    },
    /** The lane's first thread. */
    thread: LaneThread,
  ) {
    this.#adopt(thread);
  }

  /** Records queued and not collected. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Layer definitions its thread holds. */
  get layers(): number {
    return this.#queue.layers;
  }

  /** Lets the thread drop definitions, and drops records that wait to be queued. */
  forget(layers: ReadonlySet<number>, functions: Iterable<number>): void {
    if (this.#overflow.length > 0) {
      const [kept, dropped] = [[] as Run[], [] as Run[]];
      for (const run of this.#overflow) {
        (layers.has(run.section.serial) ? dropped : kept).push(run);
      }
      this.#overflow = kept;
      for (const run of dropped) this.#inFlight -= run.to - run.from;
    }
    this.#queue.forget(layers, functions);
  }

  /** A running total of this lane over all its threads. */
  total(which: number): number {
    return (this.#past[which] as number) + (this.#memory.totals[which] as number);
  }

  /** Until {@link collect}, which follows in this turn, the lane need not say that it has finished something. */
  hush(): void {
    this.#memory.hush();
  }

  /** Queues a run. Never blocks: what does not fit waits here. */
  submit(run: Run): void {
    if (run.to === run.from) return;
    if (run.to - run.from > RUN_RECORDS_MAX) {
      this.submit(sliceRun(run, run.from, run.from + RUN_RECORDS_MAX));
      this.submit(sliceRun(run, run.from + RUN_RECORDS_MAX, run.to));
      return;
    }
    this.#inFlight += run.to - run.from;
    if (this.#overflow.length > 0 || !this.#push(run)) this.#overflow.push(run);
  }

  /** Adds everything finished to `done`. */
  collect(done: DoneBuilder): void {
    this.#memory.look();
    this.#collect(done);
    while (this.#overflow.length > 0 && this.#push(this.#overflow[0] as Run))
      this.#overflow.shift();
  }

  /** True if a record is queued or running here. */
  has(serial: number, index: number, attempt: number): boolean {
    if (this.#find(serial, index, attempt) !== null) return true;
    if (this.#asides.find(serial, index, attempt) >= 0) return true;
    return this.#overflow.some((run) => {
      const batch = new LaneBatch(run, 0);
      return run.section.serial === serial && batch.find(index, attempt) >= 0;
    });
  }

  /**
   * Slot of a record that the thread will have run before anything queued now, and whose result will count; -1 if there
   * is none.
   */
  slotOf(serial: number, index: number, attempt: number): number {
    const slot = slotIn(this.#batches, serial, index, attempt);
    return slot >= 0 ? slot : this.#recentSlot(serial, index, attempt);
  }

  /** A small result collected a short while ago that is still at hand, if it is a number or nothing. */
  recent(serial: number, index: number, attempt: number): HeldValue | undefined {
    const slot = this.#recentSlot(serial, index, attempt);
    return slot < 0 ? undefined : this.#memory.numberAt(slot);
  }

  /** Of the batches collected last; a row must not have been queued again since. */
  #recentSlot(serial: number, index: number, attempt: number): number {
    const slot = slotIn(this.#recent, serial, index, attempt);
    return slot >= 0 && this.#queue.isAtHand(slot) ? slot : -1;
  }

  /** Slot that the next record gets if `records` of `bytes` have room, else -1. */
  nextSlot(records: number, bytes: number): number {
    if (this.#overflow.length > 0 || records > RUN_RECORDS_MAX) return -1;
    return this.#queue.nextSlot(records, bytes, this.#batches[0]?.slot);
  }

  /** Takes records back; true for each that will not run or be reported any more. */
  retract(serial: number, index: number, attempt: number): boolean {
    const found = this.#find(serial, index, attempt);
    if (found === null) return this.#retractOverflow(serial, index, attempt);
    const { batch, k } = found;
    if (batch.gone(k) !== 0 || !this.#memory.tryTake((batch.slot + k) >>> 0)) return false;
    batch.lose(k, Gone.Retracted);
    return true;
  }

  /** Aborts a record that runs: its outcome will not count. True if it was there. */
  abort(serial: number, index: number, attempt: number, why: number, graceMs: number): boolean {
    const found = this.#find(serial, index, attempt);
    if (found === null) {
      const slot = this.#asides.find(serial, index, attempt);
      if (slot >= 0) this.#giveUp(slot, graceMs);
      return slot >= 0;
    }
    if (found.batch.gone(found.k) !== 0) return false;
    found.batch.lose(found.k, why);
    this.#abortSlot((found.batch.slot + found.k) >>> 0, graceMs);
    return true;
  }

  /** Fails the record that has run past its time limit, if there is one. */
  checkTimeLimit(now: number, done: DoneBuilder, graceMs: number): void {
    for (const late of this.#asides.timeOut(now, done)) this.#giveUp(late, graceMs);
    const { control, totals } = this.#memory;
    if (Atomics.load(control, Word.TIMED_SET) === 0) return;
    const slot = Atomics.load(control, Word.TIMED_SLOT) >>> 0;
    const limit = totals[Total.TimedLimitMs] as number;
    if (now - (totals[Total.TimedStartMs] as number) < limit) return;
    const batch = this.#batchOf(slot);
    if (batch === undefined || !this.#memory.isRunning(slot)) return;
    const k = ahead(slot, batch.slot);
    if (batch.gone(k) !== 0) return;
    batch.lose(k, Gone.TimedOut);
    reportFailed(
      batch,
      k,
      done,
      new HeddleError('ERR_TASK_TIMEOUT', `the task ran longer than ${limit} ms`),
    );
    this.#abortSlot(slot, graceMs);
  }

  /** True while a queued record has a time limit. */
  get hasTimeLimits(): boolean {
    if (this.#batches.some((batch) => batch.section.timeoutsMs !== undefined)) return true;
    return this.#asides.hasTimeLimits;
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#child?.close();
    this.#memory.wakeMain();
    await this.#thread.terminate();
    this.#thread.port.close();
  }

  // ---- queueing

  #push(run: Run): boolean {
    const oldest = this.#batches[0]?.slot;
    const slot = this.#queue.push(run, oldest);
    if (slot < 0) return false;
    this.#batches.push(new LaneBatch(run, slot));
    return true;
  }

  // ---- results

  #collect(done: DoneBuilder): void {
    const sink: ResultSink = {
      takeValue: (slot) => this.#takeValue(slot),
      seceded: (batch, k, startedMs, gone) => {
        const slot = (batch.slot + k) >>> 0;
        if (gone) this.#asides.addGone(slot);
        else this.#asides.add(slot, batch, k, startedMs);
      },
      deferred: ({ run }, k) => {
        const alone = sliceRun(run, run.from + k, run.from + k + 1);
        this.sink.deferred({ ...alone, held: null });
      },
      stored: this.sink.stored,
      inline: this.sink.inline,
      wantsInline: this.sink.wantsInline,
    };
    let finished = 0;
    for (const batch of this.#batches) {
      const finishedHere = this.#memory.finishedSince(batch.slot);
      const end = Math.max(batch.collected, Math.min(batch.count, finishedHere));
      if (end === batch.collected) break;
      this.#inFlight -= end - batch.collected;
      batch.collect(end, this.#memory, done, sink);
      if (end < batch.count) break;
      if (RECORDING) this.events.ended(batch.count, batch.queuedMs, batch.runUs(this.#memory));
      finished++;
    }
    if (finished > 0) this.#keep(this.#batches.splice(0, finished));
    // After the batches: a record is known as seceded before its outcome is looked at.
    for (const outcome of this.#late.splice(0)) this.#asides.take(outcome);
    this.#asides.collect(done, this.sink);
  }

  #keep(collected: readonly LaneBatch[]): void {
    for (const batch of collected) {
      this.#recent.push(batch);
      this.#recentRecords += batch.count;
    }
    let over = 0;
    while (this.#recentRecords > RECENT_RECORDS && over < this.#recent.length - 1)
      this.#recentRecords -= (this.#recent[over++] as LaneBatch).count;
    if (over > 0) this.#recent.splice(0, over);
  }

  #takeValue(slot: number): StoredBytes {
    while (!this.#values.has(slot)) {
      const received = receiveMessageOnPort(this.#thread.port) as { message: FromLane } | undefined;
      if (received === undefined) {
        throw new HeddleError('ERR_INTERNAL', `the value of slot ${slot} never came`);
      }
      this.#take(received.message);
    }
    const value = this.#values.get(slot) as StoredBytes;
    this.#values.delete(slot);
    return value;
  }

  #take(message: FromLane): void {
    switch (message.type) {
      case 'value':
        this.#values.set(message.slot, message.value);
        return;
      case 'late':
        this.#late.push(message);
        return;
      default:
        this.#child ??= this.#openChild();
        this.#child.take(message);
        return;
    }
  }

  #openChild(): ChildLink {
    const { scheduler, epoch, name } = this.options;
    const { port } = this.#thread;
    return new ChildLink({ scheduler, epoch, name: `${name} lane ${this.lane}` }, (message, move) =>
      port.postMessage(message, move),
    );
  }

  #batchOf(slot: number): LaneBatch | undefined {
    return this.#batches.find(
      (b) => ahead(slot, b.slot) >= b.collected && ahead(slot, b.slot) < b.count,
    );
  }

  #find(serial: number, index: number, attempt: number): { batch: LaneBatch; k: number } | null {
    for (const batch of this.#batches) {
      if (batch.section.serial !== serial) continue;
      const k = batch.find(index, attempt);
      if (k >= 0) return { batch, k };
    }
    return null;
  }

  /** Takes one record out of the runs that did not fit, splitting its run. */
  #retractOverflow(serial: number, index: number, attempt: number): boolean {
    for (const [at, run] of this.#overflow.entries()) {
      if (run.section.serial !== serial) continue;
      const batch = new LaneBatch(run, 0);
      const k = batch.find(index, attempt);
      if (k < 0) continue;
      this.#overflow.splice(at, 1, ...splitAround(run, run.from + k));
      this.#inFlight--;
      return true;
    }
    return false;
  }

  // ---- the thread

  get #memory(): LaneMemory {
    return this.#thread.memory;
  }

  #adopt(thread: LaneThread): void {
    const { epoch, inlineBytesMax, traced } = this.options;
    this.#thread = thread;
    this.#asides.traced = traced;
    thread.memory.introduce(epoch, inlineBytesMax, traced);
    this.#queue = new LaneQueue(thread.memory, thread.port, this.definitions);
    thread.port.on('message', (message: FromLane) => this.#take(message));
    void this.#listen(thread);
    void thread.settled.then(() => {
      if (thread.isReady) this.#ready();
    });
    void thread.died.then((fault) => {
      if (!this.#closing) this.#died(fault);
    });
  }

  /** Passes on what the lane's thread has to tell, until there is another thread. */
  async #listen(thread: LaneThread): Promise<void> {
    for (;;) {
      await thread.memory.told();
      if (thread.isDead || this.#closing) return;
      thread.memory.look();
      this.events.wake();
    }
  }

  #ready(): void {
    this.#restartDelayMs = 0;
    if (this.#up) return;
    this.#up = true;
    this.events.changed(this, WireLaneState.Up);
  }

  #died(fault: Error): void {
    this.events.died(this, (done) => {
      this.#collect(done);
      const { control } = this.#memory;
      const blamed = Atomics.load(control, Word.BLAMED_SET) === 1;
      if (blamed && this.#asides.fail(Atomics.load(control, Word.BLAMED_SLOT) >>> 0, fault, done))
        return;
      const batch = this.#batches[0];
      if (batch === undefined) return;
      const k = batch.collected;
      if (batch.gone(k) === Gone.Cancelled) done.add(batch.rows(k, k + 1, Outcome.Retracted));
      else if (batch.gone(k) === 0) reportFailed(batch, k, done, fault);
    });
    if (this.#up) this.events.changed(this, WireLaneState.Lost);
    const { memory, port, ageMs } = this.#thread;
    for (let i = 0; i < this.#past.length; i++) {
      this.#past[i] = (this.#past[i] as number) + (memory.totals[i] as number);
      memory.totals[i] = 0;
    }
    this.#child?.close();
    this.#child = undefined;
    this.#asides.clear();
    this.#late.length = 0;
    port.close();
    memory.wakeMain(); // Ends the listener.
    this.#batches = [];
    this.#recent = [];
    this.#recentRecords = 0;
    this.#overflow = [];
    this.#values.clear();
    this.#inFlight = 0;
    this.#up = false;
    this.laneEpoch++;
    // A thread that dies as soon as it starts is not restarted in a tight loop.
    this.#restartDelayMs =
      ageMs > 1_000 ? 0 : Math.min(RESTART_DELAY_MS_MAX, this.#restartDelayMs * 2 + 10);
    setTimeout(() => {
      if (!this.#closing) this.#adopt(new LaneThread(this.lane, this.options));
    }, this.#restartDelayMs).unref();
  }

  #abortSlot(slot: number, graceMs: number): void {
    const { control } = this.#memory;
    const thread = this.#thread;
    Atomics.store(control, Word.ABORT_SLOT, slot | 0);
    Atomics.store(control, Word.ABORT_SET, 1);
    thread.port.postMessage({ type: 'abort' } satisfies ToLane);
    this.#endWithin(slot, graceMs);
  }

  /** The body of a seceded record is to end: its outcome will not count. */
  #giveUp(slot: number, graceMs: number): void {
    this.#asides.giveUp(slot);
    this.#thread.port.postMessage({ type: 'give-up', slot } satisfies ToLane);
    this.#endWithin(slot, graceMs);
  }

  /** Ends the thread unless the body of a slot ends in time. */
  #endWithin(slot: number, graceMs: number): void {
    const thread = this.#thread;
    setTimeout(() => {
      if (thread !== this.#thread || this.#closing) return;
      for (const outcome of this.#late) this.#asides.take(outcome);
      const running = thread.memory.isRunning(slot) && this.#batchOf(slot) !== undefined;
      if (running || this.#asides.runs(slot)) void thread.terminate();
    }, graceMs).unref();
  }
}

/** Reports one record as failed. */
function reportFailed(batch: LaneBatch, k: number, done: DoneBuilder, error: Error): void {
  const { codec, bytes } = encodeError(error);
  const offset = done.reserve(bytes.length);
  done.payload.set(bytes, offset);
  done.add({
    ...batch.rows(k, k + 1, Outcome.Failed),
    codec,
    sizes: Uint32Array.of(bytes.length),
    part: 0,
    offset,
    retryable: true,
  });
}

/** The one or two runs that remain of a run without record `k`. */
function splitAround(run: Run, k: number): Run[] {
  const [left, right] = [sliceRun(run, run.from, k), sliceRun(run, k + 1, run.to)];
  return [left, right].filter((part) => part.to > part.from);
}

function slotIn(
  batches: readonly LaneBatch[],
  serial: number,
  index: number,
  attempt: number,
): number {
  for (let i = batches.length - 1; i >= 0; i--) {
    const batch = batches[i] as LaneBatch;
    if (batch.section.serial !== serial) continue;
    const slot = batch.slotOf(index, attempt);
    if (slot >= 0) return slot;
  }
  return -1;
}
