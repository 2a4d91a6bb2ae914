// compute: a lazy graph as one submission.
import { HeddleError } from '../errors/index.js';
import { LazyNode } from '../graph/lazy.js';
import { Future } from './future.js';
import { Hold } from './hold.js';
import { LazyLayers } from './lazy_layers.js';
import type { Session } from './session.js';
import type { SubmitOptions } from './submitter.js';

/**
 * Submits what `roots` need; gives a future per root.
 * @throws HeddleError ERR_GRAPH_CYCLE, ERR_ARGUMENT and what arguments and functions can be at fault for
 */
export function computeNodes(
  session: Session,
  roots: readonly LazyNode<unknown>[],
  options: SubmitOptions,
): Future<unknown>[] {
  session.checkOpen();
  checkRoots('compute', roots, options);
  if (roots.length === 0) return [];
  session.submitter.finish();
  const [needed, wanted] = [session.openRows(0), session.openRows(0)];
  // There are no handles of rows that are only needed on the way.
  session.forget(needed);
  const graph = new LazyLayers(session, roots, options, {
    needed: needed.number,
    wanted: wanted.number,
  });
  const rows = [
    { rows: needed, first: 0, count: graph.needed.batch.rows },
    { rows: wanted, first: 0, count: graph.wanted.batch.rows },
  ].filter(({ count }) => count > 0);
  for (const { rows: each, count } of rows) {
    each.append(count);
    each.closed = true;
  }
  const { layers, payload } = graph.take();
  session.sendGraph(rows, layers, payload);
  const hold = new Hold(wanted, 0, wanted.length);
  return roots.map((root) => new Future<unknown>(hold, graph.place(root)?.first ?? 0));
}

/** @throws HeddleError ERR_ARGUMENT unless all are lazy calls, under options that many results may have */
export function checkRoots(
  what: string,
  roots: readonly LazyNode<unknown>[],
  options: SubmitOptions,
): void {
  if (options.key !== undefined) {
    throw new HeddleError('ERR_ARGUMENT', 'option key is for submit: a graph has many results');
  }
  for (const [i, root] of roots.entries()) {
    if (root instanceof LazyNode) continue;
    throw new HeddleError('ERR_ARGUMENT', `${what}: element ${i} is not the result of lazy(fn)(…)`);
  }
}
