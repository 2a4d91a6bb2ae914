/** A worker process from start to end: one incarnation after another, as configured. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { PACKAGE_VERSION } from '../client/version.js';
import { HeddleError } from '../errors/index.js';
import { encodeHeartbeat, Role } from '../wire/index.js';
import { Control, type Ending } from './control.js';
import { Core } from './core.js';
import { type CpuClock, threadCpuClock } from './cpu.js';
import { DataServer } from './data_server.js';
import { Total } from './lane_memory.js';
import { LaneThread } from './lane_thread.js';
import { type ResolvedOptions, resolveOptions, type WorkerOptions } from './options.js';
import { Peers } from './peers.js';
import { Store } from './store.js';

/** Longest time all lanes may take to start, in ms. Not the caller's timeout, which is the scheduler's to keep. */
const LANES_MS = 60_000;
/** Wait before the next attempt of a worker that reconnects. */
const RECONNECT_MS = 500;
/**
 * Counters are told this long after the last record, so that a finished job's figures are complete.
 */
const IDLE_BEAT_MS = 100;
/** Said in Hello: CPU counters are the threads' CPU, not wall time. */
const EXACT_CPU = 'exact-cpu';
/** What a worker says that takes records whose inputs are still being made here. */
const AHEAD = 'ahead';
/** Said in Welcome: begins and ends of records are to be told. */
const TRACE = 'trace';

class WorkerProcess {
  readonly #store = new Store();
  readonly #peers = new Peers();
  readonly #clock: CpuClock = threadCpuClock();
  #data!: DataServer;
  #core: Core | null = null;
  #control: Control | null = null;
  #epoch = 0;
  /** CPU the main thread had used before it served for the first time: to start is no part of any run. */
  #startedNs = 0;
  readonly #stopped = new AbortController();
  #idleBeat: NodeJS.Timeout | null = null;

  constructor(
    private readonly options: ResolvedOptions,
    private readonly onReady: WorkerOptions['onReady'],
  ) {}

  /** Serves until the scheduler is lost or {@link stop} is called. */
  async run(): Promise<Ending> {
    this.#data = await DataServer.open(
      this.options.dataBind,
      this.#store,
      () => this.#epoch,
      this.options.memory,
      (serial, index, codec, bytes) => this.#core?.reportPut(serial, index, codec, bytes),
    );
    try {
      for (;;) {
        const ending = await this.#incarnation();
        if (this.#stopped.signal.aborted || !this.options.reconnect) return ending;
        await sleep(RECONNECT_MS, undefined, { signal: this.#stopped.signal }).catch(() => {});
      }
    } finally {
      this.#data.close();
    }
  }

  /** Ends gracefully: the scheduler gives the work to others. */
  stop(reason: string): void {
    this.#stopped.abort();
    this.#control?.close(reason);
  }

  async #incarnation(): Promise<Ending> {
    // Lanes first: work that comes at once finds them ready.
    const { lanes } = this.options;
    const threads = Array.from({ length: lanes }, (_, lane) => new LaneThread(lane, this.options));
    try {
      await allReady(threads);
      return await this.#serve(threads);
    } catch (error) {
      if (error instanceof HeddleError) return { graceful: error.code === 'ERR_CLOSED', error };
      throw error;
    } finally {
      await Promise.all(threads.map((thread) => thread.terminate()));
    }
  }

  async #serve(threads: readonly LaneThread[]): Promise<Ending> {
    const { options } = this;
    const { signal } = this.#stopped;
    const hello = this.#hello();
    const { control, welcome } = await Control.open(
      options.connect,
      hello,
      options.timeout,
      signal,
    );
    this.#control = control;
    this.#startedNs ||= this.#clock.nanos();
    this.#epoch = welcome.epoch;
    const { peer: proc, incarnation, epoch, inlineBytesMax } = welcome;
    const { lanes, spinUs, heapMb, name } = options;
    const scheduler = options.connect;
    const traced = welcome.capabilities?.includes(TRACE) === true;
    const told = { proc, incarnation, epoch, inlineBytesMax, traced };
    const settings = { scheduler, name, spinUs, heapMb, ...told };
    const core = new Core(settings, control, this.#store, this.#peers, threads);
    this.#core = core;
    const beat = (loopLagUs: number): Uint8Array[] => this.#heartbeat(core, settings, loopLagUs);
    core.onIdle = () => {
      this.#idleBeat ??= setTimeout(() => {
        this.#idleBeat = null;
        if (this.#core === core) control.beat(0);
      }, IDLE_BEAT_MS);
    };
    control.serve({
      onFrame: (frame) => core.onFrame(frame),
      pull: () => core.pull(),
      beat,
      answered: (ms) => core.stages.wire.record((ms * 1e6) / 2),
    });
    // At once, so that what the worker costs is known from its first moment.
    control.beat(0);
    if (this.#stopped.signal.aborted) control.close('stopped');
    this.onReady?.({ proc, epoch, dataAddress: this.#data.address, lanes });
    const ending = await control.ended;
    this.#core = null;
    this.#epoch = 0;
    this.#peers.clear();
    await core.close();
    this.#store.clear();
    return ending;
  }

  #hello() {
    return {
      role: Role.Worker,
      session: randomBytes(16),
      packageVersion: PACKAGE_VERSION,
      capabilities: this.#clock.exact ? [AHEAD, EXACT_CPU] : [AHEAD],
      name: this.options.name,
      host: hostname(),
      pid: process.pid,
      dataAddress: this.#data.address,
      lanes: this.options.lanes,
      memoryBytes: this.options.memory,
    };
  }

  #heartbeat(
    core: Core,
    of: { proc: number; incarnation: number; epoch: number },
    loopLagUs: number,
  ) {
    return encodeHeartbeat(of.epoch, {
      peer: of.proc,
      incarnation: of.incarnation,
      loopLagUs,
      rssBytes: process.memoryUsage.rss(),
      storedBytes: this.#store.bytes,
      storedValues: this.#store.values,
      fetchedBytes: this.#peers.fetchedBytes,
      tasksRun: core.total(Total.TasksRun),
      cpuComputeNs: core.total(Total.ComputeNs),
      cpuLaneNs: core.total(Total.LaneNs),
      cpuMainNs: this.#clock.nanos() - this.#startedNs,
      layers: core.layers,
      ...core.stages.cells(),
    });
  }
}

/** @throws HeddleError `ERR_WORKER_START` if a thread dies or does not come up in time. */
async function allReady(threads: readonly LaneThread[]): Promise<void> {
  const late = new AbortController();
  const all = Promise.all(threads.map((thread) => thread.settled));
  await Promise.race([all, sleep(LANES_MS, undefined, { signal: late.signal })]);
  late.abort();
  const missing = threads.findIndex((thread) => !thread.isReady);
  if (missing < 0) return;
  const text = `lane ${missing} did not start within ${LANES_MS} ms`;
  throw new HeddleError('ERR_WORKER_START', text);
}

/**
 * Runs a worker in this process until the scheduler is lost or told to stop.
 *
 * @returns how it ended: `graceful` is false if the scheduler was lost without a goodbye or refused
 * the worker.
 * @throws HeddleError `ERR_ARGUMENT`, `ERR_ADDRESS_INVALID`, `ERR_ADDRESS_NOT_LOOPBACK` or
 * `ERR_ADDRESS_IN_USE`.
 * @example
 * const { graceful, error } = await runWorker({ connect: 'tcp://127.0.0.1:8786', lanes: 4 });
 */
export async function runWorker(options: WorkerOptions): Promise<Ending> {
  const worker = new WorkerProcess(resolveOptions(options), options.onReady);
  const { signal } = options;
  const stop = (): void => worker.stop('the worker was stopped');
  if (signal?.aborted === true) stop();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return await worker.run();
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
