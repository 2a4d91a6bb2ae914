// Submitting under options. A client submits with none; `client.with(options)` gives the same methods with some.
import { HeddleError } from '../errors/index.js';
import { LazyNode } from '../graph/lazy.js';
import { checkTaskOptions } from '../graph/options.js';
import type { Arg, Args, RowArgs } from '../graph/types.js';
import { computeNodes } from './compute.js';
import type { Future } from './future.js';
import type { FutureArray } from './future_array.js';
import { mapItems } from './map.js';
import { blockwise, type TreeOptions, treeReduce, type WindowOptions, window } from './regular.js';
import type { Rows } from './rows.js';
import type { Scope } from './scope.js';
import type { Session } from './session.js';
import { checkSignal, type SubmitOptions } from './submitter.js';
import { Template } from './template.js';

/** Results of lazy nodes, as futures. */
export type Computed<N extends readonly LazyNode<unknown>[]> = {
  -readonly [K in keyof N]: N[K] extends LazyNode<infer T> ? Future<T> : never;
};

/** The ways to submit work, all under the same options. Made by `client.with(options)`. */
export class Submission {
  readonly #session: Session;
  readonly #options: SubmitOptions;
  readonly #scope: Scope | undefined;
  #cancelled: { rows: Rows; first: number; count: number }[] | undefined;

  /** @internal */
  constructor(session: Session, options: SubmitOptions, scope?: Scope) {
    checkTaskOptions(options);
    if (scope !== undefined && options.key !== undefined) {
      throw new HeddleError(
        'ERR_ARGUMENT',
        'option key is not for tasks that submit: what they submit ends with them',
      );
    }
    this.#session = session;
    this.#options = options;
    this.#scope = scope;
  }

  /**
   * Submits one task.
   * @param fn a `task()`, or a function that uses nothing from outside itself
   * @param args its arguments: values, or futures anywhere inside them
   * @throws HeddleError ERR_TASK_SERIALIZATION, ERR_ARGUMENT_SERIALIZATION, ERR_ARGUMENT_TOO_LARGE, ERR_RELEASED,
   *   ERR_CANCELLED, ERR_CLOSED, ERR_SCHEDULER_LOST: at the call, nothing was sent
   * @example
   * const total = client.with({ retries: 3, priority: 10 }).submit(sum, squares);
   */
  submit<A extends unknown[], R>(
    fn: (...args: A) => R,
    ...args: Args<NoInfer<A>>
  ): Future<Awaited<R>> {
    const options = this.#options;
    checkSignal(options);
    const { submitter, functions, stages } = this.#session;
    const since = stages.sample();
    const shipped = functions.ship(fn);
    const future =
      options.key === undefined
        ? submitter.submit(shipped, args, options)
        : submitter.submitKeyed(shipped, args, { ...options, key: options.key });
    this.#watch(future._rows, future._row, 1);
    if (since > 0) stages.sampled(since);
    return future as Future<Awaited<R>>;
  }

  /**
   * Submits one task per item: `fn(item, ...constants)`.
   * @param items an iterable, a typed array of numbers (one column, no copy per item), a `range` or a `FutureArray`
   *   (both described, not enumerated)
   * @param constants arguments every task gets, sent once
   * @throws as `submit`
   */
  map<T, C extends unknown[], R>(
    fn: (item: T, ...constants: C) => R,
    items: Iterable<Arg<T>>,
    ...constants: Args<NoInfer<C>>
  ): FutureArray<Awaited<R>> {
    checkSignal(this.#options);
    const session = this.#session;
    const shipped = session.functions.ship(fn);
    const futures = session.stages.describing(() =>
      mapItems(session, shipped, items, constants, this.#options),
    );
    this.#watch(futures._rows, futures._first, futures.length);
    return futures as FutureArray<Awaited<R>>;
  }

  /**
   * Submits one task per row of arrays of futures: `fn(row i of each array, the other arguments as they are)`, in the
   * order given. All arrays have equal lengths; at least one is needed. The layer is described, not enumerated.
   * @param args arrays of futures, taken row by row; values and futures that all tasks share. A whole array for every
   *   task is given inside an array or object: `{ all: futures }`.
   * @throws HeddleError ERR_ARGUMENT if lengths disagree or there is no array, and as `submit`
   * @example
   * const sums = client.blockwise((a: number, b: number, scale: number) => (a + b) * scale, left, right, 2);
   */
  blockwise<A extends unknown[], R>(
    fn: (...args: A) => R,
    ...args: RowArgs<NoInfer<A>>
  ): FutureArray<Awaited<R>> {
    return this.#regular((session) =>
      blockwise(session, session.functions.ship(fn), args, this.#options),
    );
  }

  /**
   * Combines an array of futures into one value: `fn(values)` over runs of `fanIn` values, and again over the results.
   * @param fn takes 1 to `fanIn` values, neighbours in order, and gives one of their kind
   * @returns the future of the last result; those on the way are not kept
   * @throws HeddleError ERR_ARGUMENT if the array is empty or an option is unfit, and as `submit`
   * @example
   * const total = client.treeReduce((xs: number[]) => xs.reduce((a, b) => a + b), squares, { fanIn: 16 });
   */
  treeReduce<T>(
    fn: (values: NoInfer<T>[]) => NoInfer<T> | Promise<NoInfer<T>>,
    futures: FutureArray<T>,
    options: TreeOptions = {},
  ): Future<T> {
    checkSignal(this.#options);
    const session = this.#session;
    const future = session.stages.describing(() =>
      treeReduce(session, session.functions.ship(fn), futures, options, this.#options),
    );
    this.#watch(future._rows, future._row, 1);
    return future as Future<T>;
  }

  /**
   * Submits one task per future: `fn(values, ...constants)`, where `values` are those of its neighbours up to `radius`
   * away and its own, in order.
   * @param options `radius`: neighbours to either side, at least 1; `periodic`: the first and the last are neighbours.
   *   Without it, windows at the ends are shorter.
   * @param constants arguments every task gets, sent once
   * @throws HeddleError ERR_ARGUMENT if an option is unfit, and as `submit`
   * @example
   * const smooth = client.window((xs: number[]) => xs.reduce((a, b) => a + b) / xs.length, values, { radius: 2 });
   */
  window<T, C extends unknown[], R>(
    fn: (values: NoInfer<T>[], ...constants: C) => R,
    futures: FutureArray<T>,
    options: WindowOptions,
    ...constants: Args<NoInfer<C>>
  ): FutureArray<Awaited<R>> {
    return this.#regular((session) =>
      window(session, session.functions.ship(fn), futures, options, constants, this.#options),
    );
  }

  #regular<R>(make: (session: Session) => FutureArray<unknown>): FutureArray<R> {
    checkSignal(this.#options);
    const session = this.#session;
    const futures = session.stages.describing(() => make(session));
    this.#watch(futures._rows, futures._first, futures.length);
    return futures as FutureArray<R>;
  }

  /**
   * Computes lazy calls, and what they need, as one graph; what several of them share runs once.
   * @param nodes one node, or a list for a list of futures
   * @throws HeddleError ERR_GRAPH_CYCLE, and as `submit`
   */
  compute<T>(node: LazyNode<T>): Future<T>;
  compute<const N extends readonly LazyNode<unknown>[]>(nodes: N): Computed<N>;
  compute(nodes: LazyNode<unknown> | readonly LazyNode<unknown>[]): unknown {
    checkSignal(this.#options);
    const one = nodes instanceof LazyNode;
    const session = this.#session;
    const futures = session.stages.describing(() =>
      computeNodes(session, one ? [nodes] : nodes, this.#options),
    );
    for (const future of futures) this.#watch(future._rows, future._row, 1);
    return one ? futures[0] : futures;
  }

  /**
   * Keeps a graph of lazy calls at the scheduler, to be run with different values for its `param(name)`s: an instance
   * costs client and wire the same whatever the size of the graph, its results apart.
   * @param nodes one node, or a list for instances that give lists of futures
   * @throws HeddleError ERR_GRAPH_CYCLE, ERR_TEMPLATE_PARAMETER, and as `submit`
   * @example
   * using template = client.template(lazy(total)(lazy(load)(param<string>('path'))));
   * const totals = paths.map((path) => template.run({ path }));
   */
  template<T>(node: LazyNode<T>): Template<Future<T>>;
  template<const N extends readonly LazyNode<unknown>[]>(nodes: N): Template<Computed<N>>;
  template(nodes: LazyNode<unknown> | readonly LazyNode<unknown>[]): unknown {
    checkSignal(this.#options);
    const one = nodes instanceof LazyNode;
    return new Template(this.#session, one ? [nodes] : nodes, one, this.#options, (...rows) =>
      this.#watch(...rows),
    );
  }

  /** Cancels rows when the signal aborts. One listener, however many submissions. */
  #watch(rows: Rows, first: number, count: number): void {
    this.#scope?.add(rows, first, count);
    const { signal } = this.#options;
    if (signal === undefined || count === 0) return;
    if (this.#cancelled === undefined) {
      this.#cancelled = [];
      signal.addEventListener('abort', () => this.#abort(String(signal.reason)), { once: true });
    }
    const last = this.#cancelled.at(-1);
    if (last?.rows === rows && last.first + last.count === first) last.count += count;
    else this.#cancelled.push({ rows, first, count });
  }

  #abort(reason: string): void {
    for (const { rows, first, count } of this.#cancelled ?? []) {
      this.#session.cancel(rows, first, count, reason);
    }
    this.#cancelled = [];
  }
}
