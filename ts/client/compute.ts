// compute: a lazy graph as one submission of two layers, what is wanted and what is only needed on the way.
import { HeddleError } from '../errors/index.js';
import { type Chain, chainsOf } from '../graph/fuse.js';
import { argumentsOf } from '../graph/fused_arguments.js';
import { LazyNode, planOf } from '../graph/lazy.js';
import type { TaskOptions } from '../graph/options.js';
import type { Reference, ReferencedRows, ReferenceOwner } from '../graph/reference.js';
import type { Draft, Layer } from '../wire/index.js';
import type { ShippedFunction } from './functions.js';
import { Future } from './future.js';
import { Hold } from './hold.js';
import { RowBatch, WANTED } from './row_batch.js';
import type { Rows } from './rows.js';
import type { GraphRows, Session } from './session.js';
import { rowOptions } from './submitter.js';

const LAYER_NAME = 'lazy';

/**
 * Submits what `roots` need; gives a future per root.
 * @throws HeddleError ERR_GRAPH_CYCLE, ERR_ARGUMENT and what arguments and functions can be at fault for
 */
export function computeNodes(
  session: Session,
  roots: readonly LazyNode<unknown>[],
  options: TaskOptions,
): Future<unknown>[] {
  session.checkOpen();
  if (options.key !== undefined) {
    throw new HeddleError('ERR_ARGUMENT', 'option key is for submit: a graph has many results');
  }
  for (const [i, root] of roots.entries()) {
    if (!(root instanceof LazyNode)) {
      throw new HeddleError(
        'ERR_ARGUMENT',
        `compute: element ${i} is not the result of lazy(fn)(…)`,
      );
    }
  }
  if (roots.length === 0) return [];
  const plan = planOf(roots);
  session.submitter.finish();
  const { functions, fusion } = session;
  const graph = new LazyGraph(session, new Set(roots), options);
  const alike = (a: LazyNode<unknown>, b: LazyNode<unknown>): boolean =>
    sameOptions(functions.ship(a.fn), functions.ship(b.fn), options);
  const chains =
    options.fuse === false ? plan.nodes.map((node) => [node]) : chainsOf(plan, graph.roots, alike);
  // Every node a node needs comes before it, so its place is known when it is an argument.
  for (const chain of chains) {
    const steps = chain.map(({ fn }) => functions.ship(fn));
    graph.add(chain, steps.length === 1 ? (steps[0] as ShippedFunction) : functions.chain(steps));
  }
  fusion.before += plan.nodes.length;
  fusion.after += chains.length;
  graph.send(options.name ?? LAYER_NAME);
  const { rows } = graph.wanted;
  const hold = new Hold(rows, 0, rows.length);
  return roots.map((root) => new Future<unknown>(hold, graph.place(root)?.first ?? 0));
}

/** Whether two calls may be one task: it is retried, ordered and timed as a whole. */
function sameOptions(a: ShippedFunction, b: ShippedFunction, options: TaskOptions): boolean {
  const [one, other] = [rowOptions(a, options), rowOptions(b, options)];
  const timed = one.timeout !== 0 || other.timeout !== 0;
  return !timed && one.retries === other.retries && one.priority === other.priority;
}

interface GraphLayer {
  readonly rows: Rows;
  readonly batch: RowBatch;
}

class LazyGraph implements ReferenceOwner {
  readonly connection: Session;
  readonly wanted: GraphLayer;
  readonly #needed: GraphLayer;
  readonly roots: ReadonlySet<Reference>;
  readonly #options: TaskOptions;
  readonly #places = new Map<Reference, ReferencedRows>();

  constructor(session: Session, roots: ReadonlySet<Reference>, options: TaskOptions) {
    this.connection = session;
    this.roots = roots;
    this.#options = options;
    this.#needed = { rows: session.openRows(16), batch: new RowBatch() };
    this.wanted = { rows: session.openRows(16), batch: new RowBatch() };
  }

  place(node: Reference): ReferencedRows | undefined {
    return this.#places.get(node);
  }

  /** Adds the task that makes the calls of `chain`. */
  add(chain: Chain, fn: ShippedFunction): void {
    const last = chain.at(-1) as LazyNode<unknown>;
    const { rows, batch } = this.roots.has(last) ? this.wanted : this.#needed;
    batch.add(fn, argumentsOf(chain), rowOptions(fn, this.#options), this);
    const first = rows.append(1);
    const place = { layer: rows.number, first, count: 1, part: undefined, array: false };
    this.#places.set(last, place);
  }

  send(name: string): void {
    const session = this.connection;
    const layers: Draft<Layer>[] = [];
    const payload: Uint8Array[] = [];
    const graph: GraphRows[] = [];
    for (const { batch, rows } of [this.#needed, this.wanted]) {
      rows.closed = true;
      const count = rows.length;
      if (count === 0) continue;
      const flags = rows === this.wanted.rows ? WANTED : 0;
      const taken = batch.take(rows.number, 0, name, flags, payload.length);
      layers.push(taken.draft);
      payload.push(taken.payload);
      graph.push({ rows, first: 0, count });
    }
    // There are no handles of rows that are only needed on the way.
    session.forget(this.#needed.rows);
    session.sendGraph(graph, layers, payload);
  }
}
