// The client: what users hold. Every method is a thin door to the session.
import { Explanation } from '../diagnostics/explanation.js';
import { HeddleError } from '../errors/index.js';
import { LazyNode } from '../graph/lazy.js';
import type { TaskOptions } from '../graph/options.js';
import type { Arg, Args, RowArgs } from '../graph/types.js';
import type { Notice } from '../wire/index.js';
import { limits } from '../wire/index.js';
import { isTaskLane } from '../worker/context.js';
import {
  type Completion,
  type CompletionOptions,
  CompletionWait,
  inCompletionOrder,
} from './completion.js';
import { Future } from './future.js';
import { FutureArray } from './future_array.js';
import { type GatherOptions, GatherWait } from './gather.js';
import { Hold } from './hold.js';
import type { TreeOptions, WindowOptions } from './regular.js';
import { type FuturesLike, rowList } from './row_list.js';
import { scatterValues } from './scatter.js';
import type { Scope } from './scope.js';
import { Session } from './session.js';
import type { SchedulerInfo, SchedulerStats } from './stats.js';
import { type Computed, Submission } from './submission.js';
import type { SubmitOptions } from './submitter.js';
import type { Template } from './template.js';

/** Options of `Client.connect`. */
export interface ClientOptions {
  /** Milliseconds until a scheduler must have answered. Default 10,000. */
  readonly timeout?: number | undefined;
  /** What tools call this client. Default `client-PID`. */
  readonly name?: string | undefined;
  /**
   * Milliseconds the scheduler keeps this client's work after it loses the client without a goodbye. Default: 30,000,
   * which is also the most; `close()` gives everything up at once.
   */
  readonly grace?: number | undefined;
}

/** Something a person should know, such as work that waits because no worker is connected. */
export interface ClientNotice {
  /** A code of the error table. */
  readonly code: string;
  readonly message: string;
  /** True when it no longer holds. */
  readonly cleared: boolean;
}

const CONNECT_MS = 10_000;

/**
 * A connection to a scheduler.
 *
 * @example
 * await using client = await Client.connect('tcp://127.0.0.1:8786');
 * const squares = client.map((x: number) => x * x, [1, 2, 3]);
 * console.log(await client.gather(squares));
 */
export class Client implements AsyncDisposable {
  readonly #session: Session;
  readonly #plain: Submission;
  readonly #inherited: SubmitOptions;
  /** Of a running task: what it has submitted. */
  readonly #scope: Scope | undefined;
  readonly #noticeListeners = new Set<(notice: ClientNotice) => void>();
  readonly #lostListeners = new Set<(error: HeddleError) => void>();

  private constructor(session: Session, inherited: SubmitOptions = {}, scope?: Scope) {
    this.#session = session;
    this.#inherited = inherited;
    this.#scope = scope;
    this.#plain = new Submission(session, inherited, scope);
    if (scope !== undefined) return;
    session.events.on('notice', (notice) => this.#notice(notice));
    session.events.on('lost', (error) => {
      for (const listener of this.#lostListeners) listener(error);
    });
  }

  /**
   * Connects to a scheduler.
   * @param address `tcp://HOST:PORT` or `ipc://PATH`
   * @throws HeddleError ERR_ADDRESS_INVALID, ERR_CONNECT_TIMEOUT, ERR_PROTOCOL_VERSION, ERR_PROTOCOL, ERR_ARGUMENT,
   *   ERR_CLUSTER_IN_WORKER
   */
  static async connect(address: string, options: ClientOptions = {}): Promise<Client> {
    // A lane may be ended at any time, and a thread that ends with a socket open takes the process with it.
    if (isTaskLane()) {
      throw new HeddleError(
        'ERR_CLUSTER_IN_WORKER',
        'a task, or a module a worker imported, connects a client. A task submits with ctx.client; ' +
          'code that starts things belongs in a module that no worker imports.',
      );
    }
    const settings = {
      timeout: milliseconds('timeout', options.timeout ?? CONNECT_MS, 1),
      name: options.name ?? `client-${process.pid}`,
      graceMs: milliseconds('grace', options.grace ?? limits.CLIENT_GRACE_MS, 0),
    };
    // Sockets are loaded by those who open some: lanes have none.
    const [{ Connection }, { DataPeer }] = await Promise.all([
      import('./connection.js'),
      import('./data_peer.js'),
    ]);
    const session = await Session.open({
      connect: (owner) => Connection.open(address, settings, owner),
      peer: (at, epoch) => new DataPeer(at, epoch),
    });
    return new Client(session);
  }

  /** The client of one run of a task. @internal */
  static within(session: Session, priority: number, scope: Scope): Client {
    return new Client(session, priority === 0 ? {} : { inherited: priority }, scope);
  }

  /** The scheduler's address. */
  get address(): string {
    return this.#session.address;
  }

  /** True once `close()` was called or the scheduler was lost. */
  get closed(): boolean {
    return this.#session.error !== undefined;
  }

  /**
   * The same ways to submit, under options: `retries`, `priority`, `timeout`, `key`, `signal`, `name`.
   * @throws HeddleError ERR_ARGUMENT naming an option that is unfit
   * @example
   * client.with({ retries: 3, timeout: 60_000 }).map(load, urls);
   */
  with(options: TaskOptions): Submission {
    return new Submission(this.#session, { ...this.#inherited, ...options }, this.#scope);
  }

  /**
   * Submits one task: see {@link Submission.submit}.
   * @example
   * const total = client.submit(sum, squares);      // a future, or an array of them, is an argument like any other
   * console.log(await total.result({ timeout: 5_000 }));
   */
  submit<A extends unknown[], R>(
    fn: (...args: A) => R,
    ...args: Args<NoInfer<A>>
  ): Future<Awaited<R>> {
    return this.#plain.submit(fn, ...args);
  }

  /**
   * Submits one task per item: see {@link Submission.map}.
   * @example
   * const scaled = client.map((x: number, by: number) => x * by, new Float64Array(1_000_000), 3);
   */
  map<T, C extends unknown[], R>(
    fn: (item: T, ...constants: C) => R,
    items: Iterable<Arg<T>>,
    ...constants: Args<NoInfer<C>>
  ): FutureArray<Awaited<R>> {
    return this.#plain.map(fn, items, ...constants);
  }

  /**
   * Submits one task per row of arrays of futures: see {@link Submission.blockwise}.
   * @example
   * const sums = client.blockwise((a: number, b: number, scale: number) => (a + b) * scale, left, right, 2);
   */
  blockwise<A extends unknown[], R>(
    fn: (...args: A) => R,
    ...args: RowArgs<NoInfer<A>>
  ): FutureArray<Awaited<R>> {
    return this.#plain.blockwise(fn, ...args);
  }

  /**
   * Combines an array of futures into one value: see {@link Submission.treeReduce}.
   * @example
   * const total = client.treeReduce((xs: number[]) => xs.reduce((a, b) => a + b), squares, { fanIn: 16 });
   */
  treeReduce<T>(
    fn: (values: NoInfer<T>[]) => NoInfer<T> | Promise<NoInfer<T>>,
    futures: FutureArray<T>,
    options?: TreeOptions,
  ): Future<T> {
    return this.#plain.treeReduce(fn, futures, options);
  }

  /**
   * Submits one task per future, over its neighbours: see {@link Submission.window}.
   * @example
   * const smooth = client.window((xs: number[]) => xs.reduce((a, b) => a + b) / xs.length, values, { radius: 2 });
   */
  window<T, C extends unknown[], R>(
    fn: (values: NoInfer<T>[], ...constants: C) => R,
    futures: FutureArray<T>,
    options: WindowOptions,
    ...constants: Args<NoInfer<C>>
  ): FutureArray<Awaited<R>> {
    return this.#plain.window(fn, futures, options, ...constants);
  }

  /** Computes lazy calls: see {@link Submission.compute}. */
  compute<T>(node: LazyNode<T>): Future<T>;
  compute<const N extends readonly LazyNode<unknown>[]>(nodes: N): Computed<N>;
  compute(nodes: LazyNode<unknown> | readonly LazyNode<unknown>[]): unknown {
    return nodes instanceof LazyNode ? this.#plain.compute(nodes) : this.#plain.compute(nodes);
  }

  /** Keeps a graph of lazy calls at the scheduler, to be run again and again: see {@link Submission.template}. */
  template<T>(node: LazyNode<T>): Template<Future<T>>;
  template<const N extends readonly LazyNode<unknown>[]>(nodes: N): Template<Computed<N>>;
  template(nodes: LazyNode<unknown> | readonly LazyNode<unknown>[]): unknown {
    return nodes instanceof LazyNode ? this.#plain.template(nodes) : this.#plain.template(nodes);
  }

  /**
   * Results of futures, in their order; a future that occurs twice gives its result twice. One promise in all.
   * @throws with `errors: 'raise'`, the error of the first task to fail; see also `Future.result`
   */
  gather(
    futures: FutureArray<number>,
    options: GatherOptions & { readonly as: Float64ArrayConstructor },
  ): Promise<Float64Array>;
  gather<T>(
    futures: FutureArray<T>,
    options?: GatherOptions & { readonly as?: undefined },
  ): Promise<T[]>;
  gather<const F extends readonly Future<unknown>[]>(
    futures: F,
    options?: GatherOptions & { readonly errors?: 'raise' | undefined },
  ): Promise<Results<F>>;
  gather<T>(futures: Iterable<Future<T>>, options?: GatherOptions): Promise<T[]>;
  async gather(futures: FuturesLike, options: GatherOptions = {}): Promise<unknown> {
    return new GatherWait(this.#session, rowList(this.#session, futures), options).run();
  }

  /**
   * Makes a value of this process the result of a future, so that large arguments are sent once and not with every
   * task. The value is copied now.
   * @throws HeddleError ERR_ARGUMENT_SERIALIZATION, ERR_CLOSED
   */
  scatter<T>(value: T): Future<T> {
    const rows = scatterValues(this.#session, [value]);
    this.#scope?.add(rows, 0, 1);
    return new Future<T>(new Hold(rows, 0, 1), 0);
  }

  /** As `scatter`, one future per value; the values are spread over the workers. */
  scatterEach<T>(values: Iterable<T>): FutureArray<T> {
    const list = [...values];
    if (list.length === 0) return new FutureArray<T>(new Hold(this.#session.noRows, 0, 0), 0, 0);
    const rows = scatterValues(this.#session, list);
    this.#scope?.add(rows, 0, list.length);
    return new FutureArray<T>(new Hold(rows, 0, list.length), 0, list.length);
  }

  /**
   * Waits for tasks to end, without their values.
   * @throws HeddleError ERR_TIMEOUT, ERR_NO_WORKERS, ERR_RELEASED, ERR_SCHEDULER_LOST
   */
  async wait<T>(
    futures: FutureArray<T> | Iterable<Future<T>>,
    options: CompletionOptions = {},
  ): Promise<Completion<T>> {
    return new CompletionWait<T>(this.#session, futures, options).run();
  }

  /**
   * The futures in the order in which their tasks end, however they end: each is made when it is asked for, and a
   * loop that is left early watches no more.
   */
  asCompleted<T>(
    futures: FutureArray<T> | Iterable<Future<T>>,
  ): AsyncGenerator<Future<T>, void, undefined> {
    const listed = futures instanceof FutureArray ? futures : [...futures];
    rowList(this.#session, listed);
    return inCompletionOrder(this.#session, listed);
  }

  /** Cancels tasks, and what depends on them. No new attempt starts; a running body sees `ctx.signal`. */
  cancel(futures: FuturesLike, reason?: string): void {
    const list = rowList(this.#session, futures);
    for (let i = 0; i < list.length; i++)
      this.#session.cancel(list.rows(i), list.row(i), 1, reason);
  }

  /** Gives up results: each is kept only while tasks need it. */
  release(futures: FuturesLike): void {
    const list = rowList(this.#session, futures);
    for (let i = 0; i < list.length; i++) this.#session.release(list.rows(i), list.row(i), 1);
  }

  /** The scheduler's version, epoch, address and worker processes. */
  info(): Promise<SchedulerInfo> {
    return this.#session.query('info') as Promise<SchedulerInfo>;
  }

  /** The scheduler's counters: tasks by state, workers, CPU time by stage. */
  stats(): Promise<SchedulerStats> {
    return this.#session.query('stats') as Promise<SchedulerStats>;
  }

  /**
   * Where the time went: this client's work and the cluster's totals, by the four questions, with advice. Takes up to a
   * second, for every worker's next report is waited for.
   * @param options `since`: an earlier explanation of this client; only what came after it counts. Without it, all
   *   since the scheduler started.
   * @throws HeddleError ERR_TIMEOUT, ERR_SCHEDULER_LOST, ERR_CLOSED, ERR_ARGUMENT
   * @example
   * console.log(`${await client.explain()}`);
   */
  explain(options: { readonly since?: Explanation | undefined } = {}): Promise<Explanation> {
    const session = this.#session;
    const { stages, fusion } = session;
    const query = (what: string): Promise<unknown> => session.query(what);
    return Explanation.of({ stats: () => this.stats(), query, stages, fusion }, options.since);
  }

  /** What the scheduler knows of a task: its state and what it waits for. */
  async why(future: Future<unknown>): Promise<{ readonly state: string; readonly reason: string }> {
    rowList(this.#session, [future]);
    const body = JSON.stringify({ layer: future._rows.number, index: future._row });
    return (await this.#session.query('why', body)) as { state: string; reason: string };
  }

  /**
   * Listens: `'notice'` for what a person should know, `'lost'` once if the scheduler is gone. Without a listener
   * notices become process warnings. Returns a function that stops listening.
   */
  on(event: 'notice', listener: (notice: ClientNotice) => void): () => void;
  on(event: 'lost', listener: (error: HeddleError) => void): () => void;
  on(event: 'notice' | 'lost', listener: (value: never) => void): () => void {
    const listeners: Set<(value: never) => void> =
      event === 'notice' ? this.#noticeListeners : this.#lostListeners;
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /**
   * Says goodbye: everything this client wants is given up at once, pending results reject with ERR_CLOSED. The client
   * of a task gives up what that task submitted.
   */
  async close(): Promise<void> {
    if (this.#scope === undefined) await this.#session.close();
    else this.#scope.end();
  }

  /** `await using client = …` closes it at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #notice(notice: Notice): void {
    const { code = 'ERR_INTERNAL', message = '', cleared } = notice;
    for (const listener of this.#noticeListeners) listener({ code, message, cleared });
    if (this.#noticeListeners.size === 0 && !cleared) {
      process.emitWarning(message, { type: 'HeddleNotice', code });
    }
  }
}

/** Results of a tuple of futures. */
export type Results<F extends readonly Future<unknown>[]> = {
  -readonly [K in keyof F]: F[K] extends Future<infer T> ? T : never;
};

function milliseconds(name: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least && value <= 0x7fff_ffff) return value;
  throw new HeddleError(
    'ERR_ARGUMENT',
    `option ${name} must be whole milliseconds, at least ${least}, not ${String(value)}`,
  );
}
