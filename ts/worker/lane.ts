/**
 * A lane: one worker_thread that runs task bodies, one at a time. It has no sockets (a thread with
 * an open socket cannot be terminated safely) and shares only {@link LaneMemory} and one port with
 * the main thread.
 *
 * Between records it spins briefly, as long as that has been paying off, then sleeps on a futex;
 * while user code has timers or handles of its own, it waits in its event loop instead.
 */
import {
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  workerData,
} from 'node:worker_threads';
import type { Client } from '../client/client.js';
import { compileTemplate, PER_RECORD } from '../wire/index.js';
import { type CurrentRun, enterTaskLane } from './context.js';
import { type CpuClock, threadCpuClock } from './cpu.js';
import { type Body, FunctionCache, type KnownFunction } from './functions.js';
import type { LaneLayer } from './lane_args.js';
import { LaneMemory, LaneState, Total, Word } from './lane_memory.js';
import { ResultWriter } from './lane_results.js';
import { SectionRunner, Stop } from './lane_run.js';
import { EntryKind, Head, SectionView } from './lane_section.js';
import type { FromLane, LaneStart, ToLane } from './messages.js';
import { NestedRuns } from './nested_run.js';
import type { HeldValue } from './section.js';

const YIELD_MS = 8;
const NO_VALUES: readonly HeldValue[] = [];

class Lane {
  readonly #memory: LaneMemory;
  readonly #port: MessagePort;
  readonly #clock: CpuClock = threadCpuClock();
  readonly #functions = new FunctionCache();
  readonly #layers = new Map<number, LaneLayer>();
  readonly #values = new Map<number, readonly HeldValue[]>();
  readonly #sections = new Map<number, ArrayBuffer>();
  /** Definitions to drop when the ring has been read far enough. */
  readonly #forgets: Extract<ToLane, { type: 'forget' }>[] = [];
  readonly #nested: NestedRuns;
  readonly #results: ResultWriter;
  readonly #runner: SectionRunner;
  /** Lets the record that is awaited go on beside the lane. */
  #secede: (() => void) | null = null;
  readonly #view = new SectionView();
  readonly #spinUsMax: number;
  #spinUs: number;
  #head = 0;
  #ranSinceTurn = false;
  #lastTurn = performance.now();
  #woken: (() => void) | null = null;
  /** Rejections nobody handled while the record at hand ran. */
  #rejections: unknown[] = [];

  constructor(start: LaneStart) {
    this.#memory = new LaneMemory(start.memory);
    this.#port = start.port;
    this.#spinUsMax = start.spinUs;
    this.#spinUs = start.spinUs;
    const wakeMain = (): void => this.#memory.wakeMain();
    const post = (message: FromLane, move: ArrayBuffer[]): void =>
      this.#port.postMessage(message, move);
    const results = new ResultWriter(this.#memory, post, wakeMain);
    this.#results = results;
    this.#nested = new NestedRuns(
      post,
      () => this.#memory.epoch,
      (run) => {
        if (run === this.#runner.nested) this.#secede?.();
      },
    );
    this.#runner = new SectionRunner(this.#memory, results, this.#clock, wakeMain, this.#nested);
    enterTaskLane(new CurrentOf(this.#runner, this.#nested));
    process.on('exit', () => this.#blame());
    process.on('uncaughtExceptionMonitor', () => this.#blame());
    this.#port.on('message', (message: ToLane) => this.#take(message));
    process.on('unhandledRejection', (reason) => this.#rejected(reason));
  }

  /** Runs records until the thread is terminated. */
  async serve(): Promise<never> {
    parentPort?.postMessage('ready');
    for (;;) {
      const bytes = this.#next();
      if (bytes === 0) {
        await this.#idle();
      } else {
        await this.#section();
        this.#head = (this.#head + bytes) >>> 0;
        const { control } = this.#memory;
        Atomics.store(control, Word.SECTION_HEAD, this.#head | 0);
        if (this.#forgets.length > 0) this.#forget();
        Atomics.store(control, Word.CONSUMED, this.#runner.slot(this.#view.count) | 0);
        if (performance.now() - this.#lastTurn > YIELD_MS) await this.#turn();
      }
    }
  }

  /**
   * Points the view at the next section; gives the bytes it takes in the ring, 0 if there is none.
   */
  #next(): number {
    const { control, sectionBytes, sectionWords } = this.#memory;
    while (Atomics.load(control, Word.SECTION_TAIL) !== (this.#head | 0)) {
      const at = this.#head % sectionBytes.length;
      const bytes = sectionWords[(at >>> 2) + Head.BYTES] as number;
      const kind = sectionWords[(at >>> 2) + Head.KIND];
      if (kind === EntryKind.Records) {
        this.#view.read(sectionWords, sectionBytes, at);
        return bytes;
      }
      if (kind === EntryKind.External) {
        this.#readExternal(sectionWords[(at >>> 2) + Head.VALUES] as number);
        return bytes;
      }
      this.#head = (this.#head + bytes) >>> 0;
      Atomics.store(control, Word.SECTION_HEAD, this.#head | 0);
    }
    return 0;
  }

  #readExternal(id: number): void {
    if (!this.#sections.has(id)) this.#drainPort();
    const memory = this.#sections.get(id) as ArrayBuffer;
    this.#sections.delete(id);
    this.#view.read(new Uint32Array(memory), new Uint8Array(memory), 0);
  }

  async #section(): Promise<void> {
    const view = this.#view;
    const runner = this.#runner;
    const began = this.#clock.nanos();
    const computed = this.#memory.totals[Total.ComputeNs] as number;
    if (!this.#layers.has(view.serial)) this.#drainPort();
    const layer = this.#layers.get(view.serial) as LaneLayer;
    let values = NO_VALUES;
    if (view.values !== 0) {
      if (!this.#values.has(view.values)) this.#drainPort();
      values = this.#values.get(view.values) as readonly HeldValue[];
      this.#values.delete(view.values);
    }
    runner.begin(view, layer, values, this.#bodies(layer));
    this.#ranSinceTurn = true;
    for (let stop = runner.run(); stop !== Stop.End; stop = runner.run()) {
      if (stop === Stop.Thenable) await this.#settle();
      else await this.#load(this.#functionOf(layer, runner.at));
    }
    const compute = (this.#memory.totals[Total.ComputeNs] as number) - computed;
    this.#addLaneNs(Math.max(0, this.#clock.nanos() - began - compute));
  }

  #addLaneNs(ns: number): void {
    const { totals } = this.#memory;
    totals[Total.LaneNs] = (totals[Total.LaneNs] as number) + ns;
  }

  #functionOf(layer: LaneLayer, k: number): KnownFunction {
    const serial = this.#view.functions?.[k] ?? layer.function;
    const known = this.#functions.get(serial);
    if (known !== undefined) return known;
    this.#drainPort();
    return this.#functions.get(serial) ?? this.#functions.unknown(serial);
  }

  #bodies(layer: LaneLayer): (k: number) => Body | null {
    if (this.#view.functions === null && layer.function !== PER_RECORD) {
      const known = this.#functionOf(layer, 0);
      return () => known.body;
    }
    return (k) => this.#functionOf(layer, k).body;
  }

  async #load(known: KnownFunction): Promise<void> {
    if (known.error === null) await this.#functions.load(known);
    if (known.error !== null) this.#runner.fail(known.error);
  }

  async #settle(): Promise<void> {
    const runner = this.#runner;
    const wall = performance.now();
    const cpu = this.#clock.nanos();
    runner.reportNow(wall);
    if (runner.nested !== null) this.#nested.leave();
    const outcome = outcomeOf(runner.thenable as PromiseLike<unknown>);
    const settled = runner.nested?.waits === true ? null : await this.#orSeceded(outcome);
    if (settled === null) {
      const run = runner.secede(wall, cpu);
      void outcome.then(({ failed, value }) => {
        this.#nested.end(run);
        this.#results.late(run.slot, failed, value);
      });
      return;
    }
    let { failed, value } = settled;
    // One turn of the loop, so that a rejection the body left behind is known before its outcome
    // is.
    await this.#turn();
    if (!failed && this.#rejections.length > 0) {
      failed = true;
      value = this.#rejections[0];
    }
    this.#rejections = [];
    runner.settled(failed, value, wall, cpu);
  }

  /** The outcome, or null as soon as the run waits for tasks it submitted. */
  async #orSeceded(outcome: Promise<Settled>): Promise<Settled | null> {
    const seceded = new Promise<null>((resolve) => {
      this.#secede = () => resolve(null);
    });
    const settled = await Promise.race([outcome, seceded]);
    this.#secede = null;
    return settled;
  }

  /** The thread ends: if by the doing of a seceded run, the main thread must know which. */
  #blame(): void {
    const run = this.#nested.current;
    if (run?.seceded !== true) return;
    Atomics.store(this.#memory.control, Word.BLAMED_SLOT, run.slot | 0);
    Atomics.store(this.#memory.control, Word.BLAMED_SET, 1);
  }

  #rejected(reason: unknown): void {
    // Whose it is nobody knows if bodies run beside one another.
    if (this.#runner.thenable !== null && this.#nested.secededCount === 0) {
      this.#rejections.push(reason);
      return;
    }
    const text = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
    process.stderr.write(`heddle worker: a finished task left a rejected promise: ${text}\n`);
  }

  /** Waits for the next ring entry. */
  async #idle(): Promise<void> {
    this.#runner.reportNow(performance.now());
    if (this.#spin()) return;
    if (this.#ranSinceTurn) {
      await this.#turn();
      this.#ranSinceTurn = false;
      if (this.#hasEntry()) return;
    }
    const slept = performance.now();
    if (this.#nested.secededCount > 0 || userHandles()) await this.#sleepInEventLoop();
    else this.#sleepOnFutex();
    if ((performance.now() - slept) * 1000 < 4 * this.#spinUsMax) this.#spinUs = this.#spinUsMax;
  }

  #hasEntry(): boolean {
    return Atomics.load(this.#memory.control, Word.SECTION_TAIL) !== (this.#head | 0);
  }

  #spin(): boolean {
    if (this.#spinUs < 1) return false;
    const began = performance.now();
    let now = began;
    let found = false;
    while (!found && (now - began) * 1000 < this.#spinUs) {
      for (let i = 0; i < 32 && !found; i++) found = this.#hasEntry();
      now = performance.now();
    }
    this.#addLaneNs((now - began) * 1e6);
    if (!found) this.#spinUs /= 2;
    return found;
  }

  #sleepOnFutex(): void {
    const { control } = this.#memory;
    const wake = Atomics.load(control, Word.WAKE);
    Atomics.store(control, Word.STATE, LaneState.Asleep);
    if (!this.#hasEntry()) Atomics.wait(control, Word.WAKE, wake);
    Atomics.store(control, Word.STATE, LaneState.Busy);
  }

  async #sleepInEventLoop(): Promise<void> {
    const { control } = this.#memory;
    await new Promise<void>((resolve) => {
      this.#woken = resolve;
      Atomics.store(control, Word.STATE, LaneState.EventLoop);
      if (this.#hasEntry()) resolve();
    });
    this.#woken = null;
    Atomics.store(control, Word.STATE, LaneState.Busy);
  }

  #turn(): Promise<void> {
    return new Promise((resolve) =>
      setImmediate(() => {
        this.#lastTurn = performance.now();
        resolve();
      }),
    );
  }

  #drainPort(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.#port) as { message: ToLane } | undefined;
      if (received === undefined) return;
      this.#take(received.message);
    }
  }

  #forget(): void {
    for (let first = this.#forgets[0]; first !== undefined; first = this.#forgets[0]) {
      if (((this.#head - first.after) | 0) < 0) return;
      for (const serial of first.layers) {
        this.#layers.delete(serial);
        this.#runner.forget(serial);
      }
      for (const serial of first.functions) this.#functions.forget(serial);
      this.#forgets.shift();
    }
  }

  #take(message: ToLane): void {
    switch (message.type) {
      case 'function':
        this.#functions.define(message.serial, message.name, message.body);
        return;
      case 'layer':
        this.#layers.set(message.serial, {
          ...message,
          template: message.template === null ? null : compileTemplate(message.template),
        });
        return;
      case 'forget':
        this.#forgets.push(message);
        this.#forget();
        return;
      case 'values':
        this.#values.set(message.id, valuesOf(message.memory, message.table));
        return;
      case 'section':
        this.#sections.set(message.id, message.memory);
        return;
      case 'abort':
        this.#runner.checkAbort();
        this.#nested.giveUp(Atomics.load(this.#memory.control, Word.ABORT_SLOT) >>> 0);
        return;
      case 'give-up':
        this.#nested.giveUp(message.slot);
        return;
      case 'frame':
      case 'resumed':
      case 'lost':
      case 'answer':
        this.#nested.session.take(message);
        return;
      case 'wake':
        this.#woken?.();
        return;
    }
  }
}

interface Settled {
  readonly failed: boolean;
  readonly value: unknown;
}

function outcomeOf(thenable: PromiseLike<unknown>): Promise<Settled> {
  return Promise.resolve(thenable).then(
    (value) => ({ failed: false, value }),
    (value: unknown) => ({ failed: true, value }),
  );
}

/** What `ctx` shows: the run of the body that reads it, which may have seceded. */
class CurrentOf implements CurrentRun {
  constructor(
    private readonly runner: SectionRunner,
    private readonly nested: NestedRuns,
  ) {}

  get #run(): CurrentRun {
    return this.nested.current ?? this.runner;
  }

  get active(): boolean {
    return this.#run.active;
  }

  get attempt(): number {
    return this.#run.attempt;
  }

  get runKey(): string {
    return this.#run.runKey;
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }

  get client(): Client {
    return this.#run.client;
  }

  get step(): number {
    return this.#run.step;
  }

  set step(step: number) {
    this.#run.step = step;
  }
}

function valuesOf(memory: ArrayBuffer, table: Uint32Array): HeldValue[] {
  const values: HeldValue[] = [];
  for (let i = 0; i < table.length; i += 3) {
    const [codec, at, bytes] = table.subarray(i, i + 3) as unknown as number[];
    values.push({ codec: codec as number, bytes: new Uint8Array(memory, at, bytes) });
  }
  return values;
}

/** True while user code has timers, sockets or other requests that need the event loop. */
function userHandles(): boolean {
  // The lane's own port is one; a handle that is closing is none.
  let handles = 0;
  for (const type of process.getActiveResourcesInfo()) if (type !== 'CloseReq') handles++;
  return handles > 1;
}

new Lane(workerData as LaneStart).serve().catch((error: unknown) => {
  // A fault of ours: the lane ends as by any uncaught error, and is replaced.
  setImmediate(() => {
    throw error;
  });
});
