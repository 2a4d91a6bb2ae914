/**
 * Where CPU time goes, by the four questions and user code. Each figure is read from the clock of the
 * thread that spent it; none is what remains of a total.
 */
import type { Client, WorkerStats } from '../../client/index.js';
import { ioThreadNanos } from '../../diagnostics/io_threads.js';
import { threadCpuNanos } from '../../native/index.js';

/** CPU seconds, summed over processes. */
export interface Stages {
  /** 1. Where is the graph generated: this thread, while it builds layers. */
  describe: number;
  /** 2. How does it reach the scheduler: this thread's other work for the job (sending, receiving,
   * decoding), the scheduler's receiving, verifying and decoding, and the I/O threads of both. */
  communicate: number;
  /** 3. How is it processed: the engine. */
  process: number;
  /** 4. How do tasks reach workers: the scheduler's encoding and sending, the workers' main and
   * I/O threads, and their lanes outside user code. */
  dispatch: number;
  /** User code in the workers' lanes. */
  compute: number;
}

/** Totals of a cluster at one moment. */
interface Totals {
  readonly tasks: number;
  readonly bytesBetweenWorkers: number;
  readonly communicate: number;
  readonly process: number;
  readonly dispatch: number;
  readonly compute: number;
}

/** What a metered job cost. */
export interface Cost {
  readonly tasks: number;
  readonly bytesBetweenWorkers: number;
  readonly stages: Stages;
}

/** Tasks the scheduler has completed so far. */
export async function tasksCompleted(client: Client): Promise<number> {
  return (await client.stats()).tasksCompleted;
}

async function totals(client: Client): Promise<Totals> {
  const { tasksCompleted: tasks, procs, scheduler } = await client.stats();
  const sum = (of: (proc: WorkerStats) => number): number =>
    procs.reduce((total, proc) => total + of(proc), 0);
  return {
    tasks,
    bytesBetweenWorkers: sum((proc) => proc.fetchedBytes),
    communicate: scheduler.cpuReceiveNs + scheduler.cpuIoNs + ioThreadNanos(process.pid),
    process: scheduler.cpuApplyNs,
    dispatch:
      scheduler.cpuEncodeNs +
      scheduler.cpuSendNs +
      sum((proc) => proc.cpuMainNs + proc.cpuLaneNs + ioThreadNanos(proc.pid)),
    compute: sum((proc) => proc.cpuComputeNs),
  };
}

/** Workers report their clocks with each heartbeat: this long after, everything is told. */
const REPORT_MS = 1_200;
const POLL_MS = 10;

const seconds = (nanos: number): number => nanos / 1e9;

/** Meters one job of a client. */
export class Meter {
  readonly #client: Client;
  #before: Totals | undefined;
  #describeNs = 0;
  #clientNs = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  /** The client, with the time that `map` and `submit` take on this thread noted. */
  watched(): Client {
    const note =
      <A extends unknown[], R>(call: (...args: A) => R) =>
      (...args: A): R => {
        const start = threadCpuNanos();
        try {
          return call(...args);
        } finally {
          this.#describeNs += threadCpuNanos() - start;
        }
      };
    return new Proxy(this.#client, {
      get(client, property) {
        const value: unknown = Reflect.get(client, property, client);
        if (typeof value !== 'function') return value;
        const bound = (value as (...args: unknown[]) => unknown).bind(client);
        return property === 'map' || property === 'submit' ? note(bound) : bound;
      },
    });
  }

  /** Notes where the cluster's clocks stand, once every worker has told: starting up is no part of the job. */
  async start(): Promise<void> {
    for (const since = performance.now(); performance.now() - since < REPORT_MS; ) {
      const { procs } = await this.#client.stats();
      if (procs.every((proc) => proc.cpuMainNs > 0)) break;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    this.#before = await totals(this.#client);
  }

  /** Runs part of the job: what this thread does until it is done, beyond describing, is communication. */
  async run<T>(part: () => Promise<T>): Promise<T> {
    const described = this.#describeNs;
    const start = threadCpuNanos();
    try {
      return await part();
    } finally {
      this.#clientNs += threadCpuNanos() - start - (this.#describeNs - described);
    }
  }

  /**
   * What the job cost.
   * @param since `performance.now()` at its end: the workers' next report must be in.
   */
  async cost(since: number): Promise<Cost> {
    const before = this.#before;
    if (before === undefined) throw new Error('start() was not called');
    const wait = REPORT_MS - (performance.now() - since);
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const after = await totals(this.#client);
    return {
      tasks: after.tasks - before.tasks,
      bytesBetweenWorkers: after.bytesBetweenWorkers - before.bytesBetweenWorkers,
      stages: {
        describe: seconds(this.#describeNs),
        communicate: seconds(this.#clientNs + after.communicate - before.communicate),
        process: seconds(after.process - before.process),
        dispatch: seconds(after.dispatch - before.dispatch),
        compute: seconds(after.compute - before.compute),
      },
    };
  }
}
