// Fusion: a call whose result only one other call reads runs in the same task as its reader. The scheduler then has
// one task where there were several, and a value that nobody else sees is never encoded, stored or sent.
//
// Only lines are fused, so nothing that could have run side by side no longer does: a call joins its reader if that
// is its only reader, reads it once, and reads nothing else that must be waited for.
import type { LazyNode, LazyPlan } from './lazy.js';

/** Most calls of one task: a failed attempt repeats all of them. */
export const FUSED_CALLS_MAX = 256;

/** Calls that run in one task, first to last; mostly one. */
export type Chain = readonly LazyNode<unknown>[];

/**
 * The plan's calls as chains, each after the chains it needs.
 * @param roots calls whose results are asked for: each ends a chain
 * @param alike whether two calls may share a task: the same retries, priority, and no timeout of their own
 * @example
 * chainsOf(planOf([c]), new Set([c]), () => true);   // a → b → c: [[a, b, c]]
 */
export function chainsOf(
  plan: LazyPlan,
  roots: ReadonlySet<object>,
  alike: (a: LazyNode<unknown>, b: LazyNode<unknown>) => boolean,
): Chain[] {
  const readers = readersOf(plan);
  const chains: LazyNode<unknown>[][] = [];
  /** The chain that ends with the node at a position. */
  const ending = new Map<LazyNode<unknown>, LazyNode<unknown>[]>();
  for (const [at, node] of plan.nodes.entries()) {
    const needs = plan.needs[at];
    const only = needs?.nodes.length === 1 && !needs.others ? needs.nodes[0] : undefined;
    const chain = only === undefined ? undefined : ending.get(only);
    const joins =
      only !== undefined &&
      chain !== undefined &&
      chain.length < FUSED_CALLS_MAX &&
      readers[plan.positions.get(only) ?? 0] === 1 &&
      !roots.has(only) &&
      alike(only, node);
    if (joins) {
      chain.push(node);
      ending.set(node, chain);
    } else {
      const fresh = [node];
      chains.push(fresh);
      ending.set(node, fresh);
    }
  }
  // A chain stands where its first call stood, but others may need it only by its last: order by that.
  const place = (chain: Chain): number =>
    plan.positions.get(chain.at(-1) as LazyNode<unknown>) ?? 0;
  return chains.sort((a, b) => place(a) - place(b));
}

/** How often each node is read. */
function readersOf({ nodes, positions, needs }: LazyPlan): Uint32Array {
  const readers = new Uint32Array(nodes.length);
  for (const each of needs) {
    for (const node of each.nodes) {
      const at = positions.get(node) ?? 0;
      readers[at] = (readers[at] ?? 0) + 1;
    }
  }
  return readers;
}
