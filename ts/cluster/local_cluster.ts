// A cluster on this machine: the scheduler's thread in this process, workers as child processes, ipc sockets between
// them in a folder only this user can enter.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Client, type ClientOptions } from '../client/index.js';
import { PACKAGE_VERSION } from '../client/version.js';
import { HeddleError } from '../errors/index.js';
import { type CheckLevel, Scheduler } from '../native/index.js';
import { isTaskLane } from '../worker/context.js';
import { beforeExit } from './exit_guard.js';
import { WorkerProcess } from './worker_process.js';

/** Options of `LocalCluster.start`. */
export interface LocalClusterOptions {
  /** Worker processes. Default: one per CPU this process may use. 0 is allowed: add some with `addWorker`. */
  readonly workers?: number | undefined;
  /** Lanes (threads that run tasks) of each worker. Default 1. */
  readonly lanesPerWorker?: number | undefined;
  /** Bytes of managed memory of each worker. Default: its share of the machine's. */
  readonly memory?: number | undefined;
  /** Milliseconds until all workers must have come up. Default 30,000. */
  readonly timeout?: number | undefined;
  /** Whether a worker that dies is replaced. Default true. */
  readonly restart?: boolean | undefined;
  /** Longest time a lost client's work is kept, in milliseconds. Default 30,000. */
  readonly clientGrace?: number | undefined;
  /** Milliseconds before clients are told that work waits for workers. Default 1,000. */
  readonly noWorkersNotice?: number | undefined;
  /** Environment of the workers. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** File for a record of the run, for `heddle replay`: whole once the cluster is closed. Default: none. */
  readonly record?: string | undefined;
  /** File for a trace of tasks per lane and transfers, for Perfetto: whole once the cluster is closed. Default: what
   * `heddle trace` asks for in the environment's HEDDLE_TRACE, else none. */
  readonly trace?: string | undefined;
  /** How thoroughly the engine checks its own state. Default `light`; `full` is for tests. */
  readonly check?: CheckLevel | undefined;
}

const START_MS = 30_000;
const POLL_MS = 10;
/** A worker that dies sooner than this after its start had a short life; each in a row doubles the next pause. */
const SHORT_LIFE_MS = 2_000;
const PAUSE_MS_FIRST = 50;
const PAUSE_MS_MAX = 5_000;
/** Longest path of a UNIX socket on the narrowest supported system, less the names used inside the folder. */
const FOLDER_CHARS_MAX = 60;

/**
 * A scheduler and workers on this machine, for as long as the object is open.
 *
 * @example
 * await using cluster = await LocalCluster.start({ workers: 2 });
 * await using client = await cluster.connect();
 */
export class LocalCluster implements AsyncDisposable {
  readonly #options: LocalClusterOptions;
  readonly #scheduler: Scheduler;
  readonly #folder: string;
  readonly #workers = new Set<WorkerProcess>();
  readonly #clients = new Set<Client>();
  readonly #forgetExit: () => void;
  #lastWorker = 0;
  #shortLives = 0;
  #closing: Promise<void> | undefined;

  private constructor(options: LocalClusterOptions) {
    this.#options = options;
    const base = tmpdir().length > FOLDER_CHARS_MAX ? '/tmp' : tmpdir();
    // mkdtemp makes it with mode 0700.
    this.#folder = mkdtempSync(join(base, 'heddle-'));
    try {
      this.#scheduler = Scheduler.start({
        bind: [`ipc://${this.#folder}/scheduler`],
        packageVersion: PACKAGE_VERSION,
        ...(options.clientGrace === undefined ? {} : { clientGraceMs: options.clientGrace }),
        ...(options.noWorkersNotice === undefined
          ? {}
          : { noWorkersNoticeMs: options.noWorkersNotice }),
        ...(options.check === undefined ? {} : { check: options.check }),
        record: options.record,
        trace: options.trace ?? process.env.HEDDLE_TRACE,
      });
    } catch (error) {
      rmSync(this.#folder, { recursive: true, force: true });
      throw error;
    }
    this.#forgetExit = beforeExit(() => this.#drop());
  }

  /**
   * Starts a scheduler and workers, and waits until all of them are there.
   * @throws HeddleError ERR_CLUSTER_IN_WORKER in a module a worker imports, ERR_WORKER_START, ERR_NATIVE_MISSING,
   *   ERR_ARGUMENT; of a record that cannot be written, ERR_FILE_MISSING, ERR_DISK_FULL, ERR_IO
   */
  static async start(options: LocalClusterOptions = {}): Promise<LocalCluster> {
    if (isTaskLane()) {
      throw new HeddleError(
        'ERR_CLUSTER_IN_WORKER',
        'a worker imported a module that starts a cluster. Move its tasks into a module of their own, which ' +
          'starts nothing, and import them from there.',
      );
    }
    const workers = count('workers', options.workers ?? availableParallelism(), 0);
    count('lanesPerWorker', options.lanesPerWorker ?? 1, 1);
    const cluster = new LocalCluster(options);
    try {
      for (let i = 0; i < workers; i++) cluster.#spawn();
      await cluster.#untilUp([...cluster.#workers]);
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /** Where the scheduler listens: for clients of other processes of this user. */
  get address(): string {
    return this.#scheduler.addresses[0] ?? '';
  }

  /** @internal The scheduler's thread, for tests. */
  get _scheduler(): Scheduler {
    return this.#scheduler;
  }

  /** Why the record or the trace has ended before the run, if one has; the run is untouched. */
  get spoolFailure(): HeddleError | undefined {
    return this.#scheduler.spoolFailure;
  }

  /** Process ids of the workers that run. */
  get workers(): number[] {
    const running = [...this.#workers].filter((worker) => worker.running);
    return running.map(({ pid }) => pid).filter((pid) => pid !== undefined);
  }

  /** A client of this cluster; closed with it at the latest. */
  async connect(options: ClientOptions = {}): Promise<Client> {
    this.#checkOpen();
    const client = await Client.connect(this.address, options);
    this.#clients.add(client);
    return client;
  }

  /**
   * Adds a worker and waits until it is there; gives its process id.
   * @throws HeddleError ERR_WORKER_START, ERR_CLOSED
   */
  async addWorker(): Promise<number> {
    this.#checkOpen();
    const worker = this.#spawn();
    await this.#untilUp([worker]);
    return worker.pid as number;
  }

  /** Ends everything: clients, scheduler, workers, sockets, the temporary folder. Repeatable. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** `await using cluster = …` closes it at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#clients].map((client) => client.close()));
    // Its goodbye makes the workers leave.
    this.#scheduler.stop();
    await Promise.all([...this.#workers].map((worker) => worker.leave()));
    rmSync(this.#folder, { recursive: true, force: true });
    this.#forgetExit();
  }

  /** The same at once, for a process that ends. */
  #drop(): void {
    for (const worker of this.#workers) worker.kill();
    this.#scheduler.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #checkOpen(): void {
    if (this.#closing !== undefined)
      throw new HeddleError('ERR_CLOSED', 'the cluster has been closed');
  }

  #spawn(): WorkerProcess {
    const { lanesPerWorker, memory, env } = this.#options;
    const worker = new WorkerProcess({
      address: this.address,
      name: `worker-${this.#lastWorker++}`,
      lanes: lanesPerWorker ?? 1,
      memory,
      env: env ?? process.env,
    });
    this.#workers.add(worker);
    const started = performance.now();
    void worker.ended.then((reason) => this.#ended(worker, reason, performance.now() - started));
    return worker;
  }

  #ended(worker: WorkerProcess, reason: string, livedMs: number): void {
    this.#workers.delete(worker);
    if (this.#closing !== undefined) return;
    const replaced = this.#options.restart !== false && !worker.engineFailed;
    process.emitWarning(
      `worker process ${worker.name} (pid ${worker.pid}) ended: ${reason}${replaced ? '; starting another' : ''}`,
      'HeddleWarning',
    );
    if (!replaced) return;
    this.#shortLives = livedMs < SHORT_LIFE_MS ? this.#shortLives + 1 : 0;
    const pause = this.#shortLives === 0 ? 0 : PAUSE_MS_FIRST * 2 ** (this.#shortLives - 1);
    setTimeout(
      () => {
        if (this.#closing === undefined) this.#spawn();
      },
      Math.min(pause, PAUSE_MS_MAX),
    ).unref();
  }

  /** Waits until the scheduler knows all of `workers`. */
  async #untilUp(workers: readonly WorkerProcess[]): Promise<void> {
    if (workers.length === 0) return;
    const timeout = this.#options.timeout ?? START_MS;
    const client = await Client.connect(this.address, { name: 'cluster' });
    let timer: NodeJS.Timeout | undefined;
    try {
      const failure = new Promise<never>((_, reject) => {
        const fail = (text: string): void => reject(new HeddleError('ERR_WORKER_START', text));
        timer = setTimeout(() => {
          fail(`workers did not come up within ${timeout} ms${lastWords(workers)}`);
        }, timeout);
        for (const worker of workers) {
          void worker.ended.then((reason) => {
            fail(`${worker.name} ended before it came up: ${reason}${lastWords([worker])}`);
          });
        }
      });
      await Promise.race([untilKnown(client, workers), failure]);
    } finally {
      clearTimeout(timer);
      await client.close();
    }
  }
}

async function untilKnown(client: Client, workers: readonly WorkerProcess[]): Promise<void> {
  while (!client.closed) {
    const { procs } = (await client.info()) as { procs?: readonly { pid?: number }[] };
    const known = new Set(procs?.map(({ pid }) => pid));
    if (workers.every(({ pid }) => known.has(pid))) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function lastWords(workers: readonly WorkerProcess[]): string {
  const words = workers.map((worker) => worker.lastWords).filter((text) => text !== '');
  return words.length === 0 ? '' : `. Its last words: ${words.join(' | ')}`;
}

function count(name: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least && value <= 0xffff) return value;
  throw new HeddleError(
    'ERR_ARGUMENT',
    `option ${name} must be a whole number, at least ${least}, not ${String(value)}`,
  );
}
