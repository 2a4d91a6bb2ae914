/**
 * The main thread's side of one lane: its thread, the records queued in it, and what becomes of them when the
 * thread dies. The thread is replaced under the next lane epoch; stored values are not its business.
 */
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
} from 'node:worker_threads';
import { HeddleError } from '../errors/index.js';
import { PER_RECORD } from '../wire/columns.js';
import { Outcome, LaneState as WireLaneState } from '../wire/generated/enums.js';
import type { DoneBuilder } from './done_builder.js';
import { Gone, LaneBatch, type ResultSink } from './lane_batch.js';
import { ahead, LaneMemory, SLOTS, Total, Word } from './lane_memory.js';
import { errorBytes } from './lane_results.js';
import { EntryKind, HEAD_WORDS, Head, layoutOf, type RunLayout, writeRun } from './lane_section.js';
import type { FromLane, LaneStart, StoredBytes, ToLane } from './messages.js';
import { type HeldValue, type Run, sliceRun } from './section.js';

const STUB_BYTES = HEAD_WORDS * 4;
/** Layers and functions a lane knows before it is told, when it has nothing to do, to forget them. */
const DEFINITIONS_MAX = 4_096;
const RESTART_DELAY_MS_MAX = 5_000;

/** Functions and layers the process was told of; a lane gets them before its first use. */
export interface Definitions {
  readonly functions: ReadonlyMap<number, { readonly name: string; readonly body: Uint8Array }>;
  readonly layers: ReadonlyMap<
    number,
    {
      readonly name: string;
      readonly function: number;
      readonly template: Uint8Array | null;
      readonly dataCodec: number;
    }
  >;
}

/** What a lane tells its process. */
export interface LaneEvents {
  /** Results may be waiting. */
  wake(): void;
  /** The thread died: `report` adds what it had finished and the failure of what it ran. */
  died(lane: LaneHost, report: (done: DoneBuilder) => void): void;
  /** Said after {@link died}, and when the next thread takes records. */
  changed(lane: LaneHost, state: WireLaneState): void;
}

/** Options shared by the lanes of a process. */
export interface LaneOptions {
  readonly epoch: number;
  readonly inlineBytesMax: number;
  readonly spinUs: number;
  /** Old-space limit of a lane's heap in MiB; undefined: Node's default. */
  readonly heapMb: number | undefined;
}

/** One lane. */
export class LaneHost {
  laneEpoch = 1;
  #memory = LaneMemory.allocate();
  #worker!: Worker;
  #port!: MessagePort;
  #batches: LaneBatch[] = [];
  /** Runs that did not fit; bounded by the credit the scheduler keeps. */
  #overflow: Run[] = [];
  #values = new Map<number, StoredBytes>();
  #knownFunctions = new Set<number>();
  #knownLayers = new Set<number>();
  #nextSlot = 0;
  #tail = 0;
  #nextMessage = 1;
  #inFlight = 0;
  #fault: Error | null = null;
  #up = true;
  #closing = false;
  #startedAt = 0;
  #restartDelayMs = 0;
  /** Totals of threads of this lane that are gone. */
  readonly #past = new Float64Array(8);

  constructor(
    readonly lane: number,
    private readonly definitions: Definitions,
    private readonly options: LaneOptions,
    private readonly events: LaneEvents,
    private readonly sink: Omit<ResultSink, 'takeValue'>,
  ) {
    this.#spawn();
  }

  /** Records queued and not collected. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** A running total of this lane over all its threads. */
  total(which: number): number {
    return (this.#past[which] as number) + (this.#memory.totals[which] as number);
  }

  /** Queues a run. Never blocks: what does not fit waits here. */
  submit(run: Run): void {
    if (run.to === run.from) return;
    this.#inFlight += run.to - run.from;
    if (this.#overflow.length > 0 || !this.#push(run)) this.#overflow.push(run);
  }

  /** Adds everything finished to `done`. */
  collect(done: DoneBuilder): void {
    Atomics.store(this.#memory.control, Word.MAIN_WOKEN, 0);
    this.#collect(done);
    while (this.#overflow.length > 0 && this.#push(this.#overflow[0] as Run))
      this.#overflow.shift();
  }

  /** True if a record is queued or running here. */
  has(serial: number, index: number, attempt: number): boolean {
    if (this.#find(serial, index, attempt) !== null) return true;
    return this.#overflow.some((run) => {
      const batch = new LaneBatch(run.section, run.from, run.to - run.from, 0);
      return run.section.serial === serial && batch.find(index, attempt) >= 0;
    });
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
    if (found === null || found.batch.gone(found.k) !== 0) return false;
    found.batch.lose(found.k, why);
    this.#abortSlot((found.batch.slot + found.k) >>> 0, graceMs);
    return true;
  }

  /** Fails the record that has run past its time limit, if there is one. */
  checkTimeLimit(now: number, done: DoneBuilder, graceMs: number): void {
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
    return this.#batches.some((batch) => batch.section.timeoutsMs !== undefined);
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#worker.terminate();
    this.#port.close();
  }

  // ---- queueing

  #push(run: Run): boolean {
    const memory = this.#memory;
    const count = run.to - run.from;
    const consumed = Atomics.load(memory.control, Word.CONSUMED) >>> 0;
    const collected = this.#batches[0] === undefined ? consumed : this.#batches[0].slot;
    const oldest = ahead(collected, consumed) < 0 ? collected : consumed;
    if (ahead(this.#nextSlot, oldest) + count > SLOTS) return false;
    const layout = layoutOf(run);
    const external = layout.bytes > memory.sectionBytes.length / 4;
    const at = this.#reserve(external ? STUB_BYTES : layout.bytes);
    if (at < 0) return false;
    this.#define(run);
    const values = run.held === null ? 0 : this.#postValues(run.held.values);
    const slot = this.#nextSlot;
    for (let s = slot; s !== slot + count; s++) memory.claims[memory.row(s)] = 0;
    if (external) this.#writeExternal(run, layout, at, slot, values);
    else writeRun(run, layout, memory.sectionWords, memory.sectionBytes, at, slot, values);
    this.#nextSlot = (slot + count) >>> 0;
    this.#batches.push(new LaneBatch(run.section, run.from, count, slot));
    Atomics.store(memory.control, Word.SECTION_TAIL, this.#tail | 0);
    if (memory.wakeLane()) this.#port.postMessage({ type: 'wake' } satisfies ToLane);
    return true;
  }

  /** Contiguous room in the section ring; gives its byte offset, or -1. Advances the tail. */
  #reserve(bytes: number): number {
    const { control, sectionBytes, sectionWords } = this.#memory;
    const capacity = sectionBytes.length;
    const head = Atomics.load(control, Word.SECTION_HEAD) >>> 0;
    const offset = this.#tail % capacity;
    const gap = offset + bytes > capacity ? capacity - offset : 0;
    if (((this.#tail - head) >>> 0) + gap + bytes > capacity) return -1;
    if (gap > 0) {
      sectionWords[(offset >>> 2) + Head.BYTES] = gap;
      sectionWords[(offset >>> 2) + Head.KIND] = EntryKind.Skip;
    }
    this.#tail = (this.#tail + gap + bytes) >>> 0;
    return gap > 0 ? 0 : offset;
  }

  #writeExternal(run: Run, layout: RunLayout, at: number, slot: number, values: number): void {
    const memory = new ArrayBuffer(layout.bytes);
    writeRun(run, layout, new Uint32Array(memory), new Uint8Array(memory), 0, slot, values);
    const { sectionWords } = this.#memory;
    sectionWords[(at >>> 2) + Head.BYTES] = STUB_BYTES;
    sectionWords[(at >>> 2) + Head.KIND] = EntryKind.External;
    const id = this.#nextMessage++;
    sectionWords[(at >>> 2) + Head.VALUES] = id;
    this.#port.postMessage({ type: 'section', id, memory } satisfies ToLane, [memory]);
  }

  /** Sends copies of values a run takes as inputs; gives the number of the message. */
  #postValues(values: readonly HeldValue[]): number {
    const table = new Uint32Array(values.length * 3);
    let end = 0;
    for (const [i, { codec, bytes }] of values.entries()) {
      const at = (end + 7) & ~7;
      table.set([codec, at, bytes.length], i * 3);
      end = at + bytes.length;
    }
    const all = Buffer.allocUnsafeSlow(end);
    for (const [i, { bytes }] of values.entries()) all.set(bytes, table[i * 3 + 1]);
    const id = this.#nextMessage++;
    const memory = all.buffer as ArrayBuffer;
    this.#port.postMessage({ type: 'values', id, memory, table } satisfies ToLane, [memory]);
    return id;
  }

  /** Sends the lane what it needs to know of a run's layer and functions. */
  #define({ section, from, to }: Run): void {
    const layer = this.definitions.layers.get(section.serial);
    if (layer === undefined)
      throw new HeddleError('ERR_PROTOCOL', `layer ${section.serial} was not defined`);
    const known = this.#knownLayers.size + this.#knownFunctions.size;
    if (known > DEFINITIONS_MAX && this.#batches.length === 0) {
      this.#knownLayers.clear();
      this.#knownFunctions.clear();
      this.#port.postMessage({ type: 'forget' } satisfies ToLane);
    }
    if (!this.#knownLayers.has(section.serial)) {
      this.#knownLayers.add(section.serial);
      this.#port.postMessage({ type: 'layer', serial: section.serial, ...layer } satisfies ToLane);
    }
    if (layer.function !== PER_RECORD) this.#defineFunction(layer.function);
    if (section.functions !== undefined) {
      let last = -1;
      for (let k = from; k < to; k++) {
        const serial = section.functions[k] as number;
        if (serial !== last) this.#defineFunction(serial);
        last = serial;
      }
    }
  }

  #defineFunction(serial: number): void {
    if (this.#knownFunctions.has(serial)) return;
    const known = this.definitions.functions.get(serial);
    if (known === undefined) return; // The lane fails its records with an error that says so.
    this.#knownFunctions.add(serial);
    this.#port.postMessage({ type: 'function', serial, ...known } satisfies ToLane);
  }

  // ---- results

  #collect(done: DoneBuilder): void {
    const sink: ResultSink = {
      takeValue: (slot) => this.#takeValue(slot),
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
      finished++;
    }
    if (finished > 0) this.#batches.splice(0, finished);
  }

  #takeValue(slot: number): StoredBytes {
    if (!this.#values.has(slot)) {
      for (;;) {
        const received = receiveMessageOnPort(this.#port) as { message: FromLane } | undefined;
        if (received === undefined) break;
        this.#take(received.message);
      }
    }
    const value = this.#values.get(slot);
    if (value === undefined)
      throw new HeddleError('ERR_INTERNAL', `the value of slot ${slot} never came`);
    this.#values.delete(slot);
    return value;
  }

  #take(message: FromLane): void {
    if (message.type === 'value') this.#values.set(message.slot, message.value);
    else if (message.type === 'ready') this.#ready();
    else this.events.wake();
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
      const batch = new LaneBatch(run.section, run.from, run.to - run.from, 0);
      const k = batch.find(index, attempt);
      if (k < 0) continue;
      this.#overflow.splice(at, 1, ...splitAround(run, run.from + k));
      this.#inFlight--;
      return true;
    }
    return false;
  }

  // ---- the thread

  #spawn(): void {
    const { port1, port2 } = new MessageChannel();
    const { epoch, inlineBytesMax, spinUs, heapMb } = this.options;
    const memory = this.#memory.shared;
    const start: LaneStart = { memory, port: port2, epoch, inlineBytesMax, spinUs };
    this.#startedAt = performance.now();
    this.#port = port1;
    const worker = new Worker(new URL('./lane.js', import.meta.url), {
      workerData: start,
      transferList: [port2],
      name: `heddle lane ${this.lane}`,
      ...(heapMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMb } }),
    });
    this.#worker = worker;
    port1.on('message', (message: FromLane) => this.#take(message));
    worker.on('error', (error: Error) => {
      this.#fault = error;
    });
    worker.on('exit', (code) => {
      if (worker === this.#worker && !this.#closing) this.#died(code);
    });
  }

  #ready(): void {
    this.#restartDelayMs = 0;
    if (this.#up) return;
    this.#up = true;
    this.events.changed(this, WireLaneState.Up);
  }

  #died(code: number): void {
    const fault = this.#fault ?? exited(code);
    this.#fault = null;
    this.events.died(this, (done) => {
      this.#collect(done);
      const batch = this.#batches[0];
      if (batch === undefined) return;
      const k = batch.collected;
      if (batch.gone(k) === Gone.Cancelled) done.add(batch.rows(k, k + 1, Outcome.Retracted));
      else if (batch.gone(k) === 0) reportFailed(batch, k, done, fault);
    });
    this.events.changed(this, WireLaneState.Lost);
    for (let i = 0; i < this.#past.length; i++) {
      this.#past[i] = (this.#past[i] as number) + (this.#memory.totals[i] as number);
    }
    this.#port.close();
    this.#memory = LaneMemory.allocate();
    this.#batches = [];
    this.#overflow = [];
    this.#values.clear();
    this.#knownFunctions.clear();
    this.#knownLayers.clear();
    this.#nextSlot = 0;
    this.#tail = 0;
    this.#inFlight = 0;
    this.#up = false;
    this.laneEpoch++;
    // A thread that dies as soon as it starts is not restarted in a tight loop.
    const lived = performance.now() - this.#startedAt;
    this.#restartDelayMs =
      lived > 1_000 ? 0 : Math.min(RESTART_DELAY_MS_MAX, this.#restartDelayMs * 2 + 10);
    setTimeout(() => {
      if (!this.#closing) this.#spawn();
    }, this.#restartDelayMs).unref();
  }

  #abortSlot(slot: number, graceMs: number): void {
    const { control } = this.#memory;
    const worker = this.#worker;
    Atomics.store(control, Word.ABORT_SLOT, slot | 0);
    Atomics.store(control, Word.ABORT_SET, 1);
    this.#port.postMessage({ type: 'abort' } satisfies ToLane);
    setTimeout(() => {
      const stuck = worker === this.#worker && this.#memory.isRunning(slot);
      if (stuck && this.#batchOf(slot) !== undefined) void worker.terminate();
    }, graceMs).unref();
  }
}

function exited(code: number): HeddleError {
  return new HeddleError(
    'ERR_TASK_EXITED',
    `the task ended its lane (exit code ${code}): return or throw instead`,
  );
}

/** Reports one record as failed. */
function reportFailed(batch: LaneBatch, k: number, done: DoneBuilder, error: Error): void {
  const bytes = errorBytes(error);
  const offset = done.reserve(bytes.length);
  done.payload.set(bytes, offset);
  done.add({
    ...batch.rows(k, k + 1, Outcome.Failed),
    codec: 6,
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
