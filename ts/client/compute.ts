// compute: a lazy graph as one submission of two layers, what is wanted and what is only needed on the way.
import { HeddleError } from '../errors/index.js';
import { LazyNode, planOf } from '../graph/lazy.js';
import type { TaskOptions } from '../graph/options.js';
import type { Reference, ReferencedRows, ReferenceOwner } from '../graph/reference.js';
import type { Draft, Layer } from '../wire/index.js';
import type { ShippedFunction } from './functions.js';
import { Future } from './future.js';
import { Hold } from './hold.js';
import { RowBatch, type RowOptions, WANTED } from './row_batch.js';
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
  const { nodes } = planOf(roots);
  session.submitter.finish();
  const graph = new LazyGraph(session, new Set(roots));
  // Every node a node needs comes before it, so its place is known when it is an argument.
  for (const node of nodes) {
    const fn = session.functions.ship(node.fn);
    graph.add(node, fn, rowOptions(fn, options));
  }
  graph.send(options.name ?? LAYER_NAME);
  const { rows } = graph.wanted;
  const hold = new Hold(rows, 0, rows.length);
  return roots.map((root) => new Future<unknown>(hold, graph.place(root)?.first ?? 0));
}

interface GraphLayer {
  readonly rows: Rows;
  readonly batch: RowBatch;
}

class LazyGraph implements ReferenceOwner {
  readonly connection: Session;
  readonly wanted: GraphLayer;
  readonly #needed: GraphLayer;
  readonly #roots: ReadonlySet<Reference>;
  readonly #places = new Map<Reference, ReferencedRows>();

  constructor(session: Session, roots: ReadonlySet<Reference>) {
    this.connection = session;
    this.#roots = roots;
    this.#needed = { rows: session.openRows(16), batch: new RowBatch() };
    this.wanted = { rows: session.openRows(16), batch: new RowBatch() };
  }

  place(node: Reference): ReferencedRows | undefined {
    return this.#places.get(node);
  }

  add(node: LazyNode<unknown>, fn: ShippedFunction, options: RowOptions): void {
    const { rows, batch } = this.#roots.has(node) ? this.wanted : this.#needed;
    batch.add(fn, node.args, options, this);
    const first = rows.append(1);
    const place = { layer: rows.number, first, count: 1, part: undefined, array: false };
    this.#places.set(node, place);
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
