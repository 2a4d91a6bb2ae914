// Templates: a lazy graph that the scheduler keeps. An instance costs its parameters: neither the client nor the wire
// sees the graph again.
import { HeddleError } from '../errors/index.js';
import { encodeItems, type ItemColumn } from '../graph/items.js';
import type { LazyNode } from '../graph/lazy.js';
import { Param } from '../graph/param.js';
import { Reference, type ReferencedRows } from '../graph/reference.js';
import { limits } from '../wire/index.js';
import { checkRoots } from './compute.js';
import { Future } from './future.js';
import { Hold } from './hold.js';
import { LazyLayers } from './lazy_layers.js';
import type { Rows } from './rows.js';
import type { Session } from './session.js';
import { checkSignal, type SubmitOptions } from './submitter.js';

const { INLINE_BYTES_MAX } = limits;
/** Layer numbers from here on count from an instance's first. */
const RELATIVE = 2 ** 31;
/** The layers behind that of the parameters: what is only needed, and what is wanted. */
const NEEDED = 1;
const WANTED_LAYER = 2;

/** Values of a template's parameters, by name. */
export type Parameters = Readonly<Record<string, unknown>>;

/** Told of the rows of each instance. */
export type WatchRows = (rows: Rows, first: number, count: number) => void;

interface Dropping {
  readonly session: Session;
  readonly number: number;
  dropped: boolean;
}

/**
 * A graph to be run again and again: `run(parameters)` gives the futures `compute` would give. Made by
 * `client.template(graph)`.
 */
export class Template<R> {
  readonly #session: Session;
  readonly #options: SubmitOptions;
  readonly #watch: WatchRows;
  readonly #state: Dropping;
  /** Parameters in the order of their rows. */
  readonly #params: readonly Param<unknown>[];
  /** Row of each root in the layer of results. */
  readonly #rows: readonly number[];
  readonly #wanted: number;
  readonly #one: boolean;
  /** Keeps the futures that stand in the graph. */
  readonly #roots: readonly LazyNode<unknown>[];

  /** @internal */
  constructor(
    session: Session,
    roots: readonly LazyNode<unknown>[],
    one: boolean,
    options: SubmitOptions,
    watch: WatchRows,
  ) {
    session.checkOpen();
    checkRoots('template', roots, options);
    if (roots.length === 0) throw new HeddleError('ERR_ARGUMENT', 'template: the list is empty');
    this.#session = session;
    this.#options = options;
    this.#watch = watch;
    this.#one = one;
    this.#roots = roots;
    const params = new ParamRows();
    const numbers = { needed: RELATIVE + NEEDED, wanted: RELATIVE + WANTED_LAYER };
    const graph = new LazyLayers(session, roots, options, numbers, (each) => params.place(each));
    this.#rows = roots.map((root) => graph.place(root)?.first ?? 0);
    this.#wanted = graph.wanted.batch.rows;
    this.#params = params.list;
    const { layers, payload } = graph.take();
    const number = session.sendTemplate(this.#params.length, layers, payload);
    this.#state = { session, number, dropped: false };
    dropped.register(this, this.#state, this);
  }

  /** Names of the parameters. */
  get parameters(): readonly string[] {
    return this.#params.map(({ name }) => name);
  }

  /**
   * Submits the graph with these values. Small ones, 1 KiB each: a large value that all instances share belongs in
   * the graph, scattered.
   * @throws HeddleError ERR_TEMPLATE_PARAMETER naming a parameter that is missing, unknown, of another shape or too
   *   large; ERR_RELEASED after `drop()`; ERR_CLOSED, ERR_SCHEDULER_LOST, ERR_CANCELLED
   */
  run(parameters: Parameters = {}): R {
    const session = this.#session;
    session.checkOpen();
    checkSignal(this.#options);
    if (this.#state.dropped) {
      throw new HeddleError('ERR_RELEASED', 'the template was dropped: make another');
    }
    const column = this.#column(this.#values(parameters));
    session.submitter.finish();
    const rows = session.openRows(this.#wanted, WANTED_LAYER);
    rows.append(this.#wanted);
    rows.closed = true;
    session.sendInstance(this.#state.number, rows, rows.number - WANTED_LAYER, column);
    const hold = new Hold(rows, 0, this.#wanted);
    this.#watch(rows, 0, this.#wanted);
    const futures = this.#rows.map((row) => new Future<unknown>(hold, row));
    return (this.#one ? futures[0] : futures) as R;
  }

  /** The scheduler need not keep the graph any more; instances that run go on. */
  drop(): void {
    dropped.unregister(this);
    drop(this.#state);
  }

  /** `using template = …` drops it at the end of the block. */
  [Symbol.dispose](): void {
    this.drop();
  }

  /** `Template(calls)` in logs. */
  get [Symbol.toStringTag](): string {
    return `Template of ${this.#roots.length} results`;
  }

  #column(values: readonly unknown[]): ItemColumn {
    let column: ItemColumn;
    try {
      column = encodeItems(values);
    } catch (error) {
      for (const [i, value] of values.entries()) this.#checkCopies(i, value);
      throw error;
    }
    column.sizes?.forEach((size, i) => {
      if (size <= INLINE_BYTES_MAX) return;
      throw fault(
        this.#nameOf(i),
        `takes ${size} bytes, more than INLINE_BYTES_MAX (${INLINE_BYTES_MAX}): scatter large values and put their ` +
          'futures in the graph',
      );
    });
    const sized = column.stride > 0 || column.sizes !== undefined;
    return sized ? column : { ...column, sizes: new Uint32Array(values.length) };
  }

  #checkCopies(i: number, value: unknown): void {
    try {
      encodeItems([value]);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw fault(this.#nameOf(i), `cannot be sent: ${reason}`);
    }
  }

  #nameOf(i: number): string {
    return this.#params[i]?.name ?? '';
  }

  #values(parameters: Parameters): readonly unknown[] {
    for (const name of Object.keys(parameters)) {
      if (!this.#params.some((param) => param.name === name)) {
        throw fault(
          name,
          `is not in the template, which has ${this.parameters.join(', ') || 'none'}`,
        );
      }
    }
    return this.#params.map((param) => {
      const { name, shape } = param;
      if (!Object.hasOwn(parameters, name)) throw fault(name, 'is missing');
      const value = parameters[name];
      if (value instanceof Reference) {
        throw fault(name, 'is a future: futures stand in the graph itself');
      }
      if (!param.accepts(value)) throw fault(name, `must be of shape ${shape}`);
      return value;
    });
  }
}

/** Rows of parameters, given as they are met. */
class ParamRows {
  readonly list: Param<unknown>[] = [];
  readonly #rows = new Map<string, number>();

  place(reference: Reference): ReferencedRows | undefined {
    if (!(reference instanceof Param)) return undefined;
    let row = this.#rows.get(reference.name);
    if (row === undefined) {
      row = this.list.push(reference) - 1;
      this.#rows.set(reference.name, row);
    } else if (this.list[row]?.shape !== reference.shape) {
      throw fault(reference.name, 'occurs in two shapes');
    }
    return { layer: RELATIVE, first: row, count: 1, part: undefined, array: false };
  }
}

function fault(name: string, what: string): HeddleError {
  return new HeddleError('ERR_TEMPLATE_PARAMETER', `parameter '${name}' ${what}`);
}

function drop(state: Dropping): void {
  if (state.dropped) return;
  state.dropped = true;
  state.session.dropTemplate(state.number);
}

const dropped = new FinalizationRegistry<Dropping>(drop);
