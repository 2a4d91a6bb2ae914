/**
 * What a task body can ask about its own run. Valid inside a body, also after its awaits: a lane
 * runs one body at a time, so "the current record" needs no async-local storage and costs nothing
 * per task. Bodies that asked for the client are told apart by that (see `nested_run.ts`).
 *
 * The state hangs on a registered symbol, so that user code which imports another copy of the
 * package sees it.
 */
import type { Client } from '../client/client.js';
import { HeddleError } from '../errors/index.js';

const LANE: unique symbol = Symbol.for('heddle.lane') as never;

/** What a task body may read about its run. */
export interface TaskContext {
  /** 1 for the first run, higher at every repetition; strictly rising. */
  readonly attempt: number;
  /** The same text for every attempt of one task and for no other task: an idempotency key. */
  readonly runKey: string;
  /**
   * Aborts when the task is cancelled or its timeout has passed. Read it afresh in long synchronous
   * loops.
   */
  readonly signal: AbortSignal;
  /**
   * Submits tasks from inside this one, over the connection of the worker. An async body that waits for their results
   * leaves its lane to other tasks meanwhile. What it submitted inherits its priority and ends with it: whatever it
   * has not waited for when it returns, throws or is cancelled is cancelled.
   */
  readonly client: Client;
}

/** The lane's side of {@link ctx}. */
export interface CurrentRun extends TaskContext {
  /** True while a body runs. */
  readonly active: boolean;
  /** Which call of a fused task runs; 0: the first, or the only one. */
  step: number;
}

interface LaneGlobal {
  [LANE]?: CurrentRun;
}

function current(): CurrentRun {
  const run = (globalThis as LaneGlobal)[LANE];
  if (run?.active !== true) {
    throw new HeddleError('ERR_ARGUMENT', 'ctx can only be read while a task body runs');
  }
  return run;
}

/**
 * The run of the task whose body asks.
 *
 * @throws HeddleError `ERR_ARGUMENT` when read outside a task body.
 * @example
 * export const load = task(import.meta.url, 'load', async (url: string) =>
 *   (await fetch(url, { signal: ctx.signal, headers: { 'idempotency-key': ctx.runKey } })).text());
 */
export const ctx: TaskContext = Object.freeze({
  get attempt(): number {
    return current().attempt;
  },
  get runKey(): string {
    const { runKey, step } = current();
    return step === 0 ? runKey : `${runKey}-${step}`;
  },
  get signal(): AbortSignal {
    return current().signal;
  },
  get client(): Client {
    return current().client;
  },
});

/** The running task begins its call number `step`: calls fused into one task differ in their run keys. */
export function enterStep(step: number): void {
  const run = (globalThis as LaneGlobal)[LANE];
  if (run !== undefined) run.step = step;
}

/** True in a thread that runs tasks: a module that starts clusters asks before it does. */
export function isTaskLane(): boolean {
  return (globalThis as LaneGlobal)[LANE] !== undefined;
}

/** Makes the calling thread a task lane whose current run is `run`. */
export function enterTaskLane(run: CurrentRun): void {
  (globalThis as LaneGlobal)[LANE] = run;
}
