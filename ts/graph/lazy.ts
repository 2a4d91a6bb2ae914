// Lazy graphs: calls written down instead of made, computed as one submission.
import { HeddleError } from '../errors/index.js';
import { Reference, type ReferencedRows, type ReferenceOwner } from './reference.js';
import type { LazyArgs } from './types.js';

type Callable = (...args: never[]) => unknown;

/** A call that has not been made: `lazy(fn)(…)`. An argument of other lazy calls, or what `compute` takes. */
export class LazyNode<T> extends Reference {
  /** The result's type, for the checker alone. @internal */
  declare readonly __result?: T;
  /** @internal */
  readonly fn: Callable;
  /** @internal */
  readonly args: readonly unknown[];

  /** @internal Made by `lazy(fn)(…)`. */
  constructor(fn: Callable, args: readonly unknown[]) {
    super();
    this.fn = fn;
    this.args = args;
  }

  /** @internal */
  override resolveFor(owner: ReferenceOwner): ReferencedRows {
    const place = owner.place(this);
    if (place !== undefined) return place;
    throw new HeddleError(
      'ERR_ARGUMENT',
      'a lazy call is an argument of lazy calls only: client.compute(node) gives a future for other tasks',
    );
  }
}

/**
 * Turns a function into one that writes its calls down. Results of such calls can be arguments of others, at the top
 * or inside plain arrays and objects; `client.compute(node)` runs what a node needs, each node once.
 * @example
 * const [a, b] = [lazy(load)('a.csv'), lazy(load)('b.csv')];
 * const total = client.compute(lazy(sum)([lazy(count)(a), lazy(count)(b)]));
 */
export function lazy<A extends unknown[], R>(
  fn: (...args: A) => R,
): (...args: LazyArgs<A>) => LazyNode<Awaited<R>> {
  if (typeof fn !== 'function')
    throw new HeddleError('ERR_ARGUMENT', 'lazy(fn): fn must be a function');
  return (...args) => new LazyNode<Awaited<R>>(fn, args);
}

/** Nodes of a graph, each after the nodes it needs. */
export interface LazyPlan {
  readonly nodes: readonly LazyNode<unknown>[];
  /** Position in `nodes`. */
  readonly positions: ReadonlyMap<LazyNode<unknown>, number>;
  /** What each node's arguments refer to. */
  readonly needs: readonly Needs[];
}

/** References in a node's arguments. */
export interface Needs {
  /** Lazy nodes, as often as they occur. */
  readonly nodes: readonly LazyNode<unknown>[];
  /** Whether there are others: futures. */
  readonly others: boolean;
}

interface Visit {
  readonly node: LazyNode<unknown>;
  readonly needs: Needs;
  next: number;
}

/**
 * Everything `roots` need, in order. Iterative: graphs may be deeper than the stack.
 * @throws HeddleError ERR_GRAPH_CYCLE naming the path
 */
export function planOf(roots: readonly LazyNode<unknown>[]): LazyPlan {
  const nodes: LazyNode<unknown>[] = [];
  const positions = new Map<LazyNode<unknown>, number>();
  const open = new Set<LazyNode<unknown>>();
  const needs: Needs[] = [];
  const path: Visit[] = [];
  const enter = (node: LazyNode<unknown>): void => {
    open.add(node);
    path.push({ node, needs: referencesIn(node.args), next: 0 });
  };
  for (const root of roots) {
    if (!positions.has(root)) enter(root);
    for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
      const need = visit.needs.nodes[visit.next++];
      if (need === undefined) {
        open.delete(visit.node);
        positions.set(visit.node, nodes.push(visit.node) - 1);
        needs.push(visit.needs);
        path.pop();
      } else if (open.has(need)) {
        throw cycle(path, need);
      } else if (!positions.has(need)) enter(need);
    }
  }
  return { nodes, positions, needs };
}

function cycle(path: readonly Visit[], again: LazyNode<unknown>): HeddleError {
  const from = path.findIndex(({ node }) => node === again);
  const names = [...path.slice(from).map(({ node }) => node), again].map(
    ({ fn }) => fn.name || 'anonymous',
  );
  return new HeddleError(
    'ERR_GRAPH_CYCLE',
    `a lazy graph waits for itself: ${names.join(' → ')}. Arguments must not be changed to hold later calls.`,
  );
}

/** References in arguments: at the top or nested in plain arrays and objects. */
function referencesIn(args: readonly unknown[]): Needs {
  const nodes: LazyNode<unknown>[] = [];
  let others = false;
  const seen = new Set<object>();
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if (value instanceof LazyNode) {
      nodes.push(value);
      return;
    }
    if (value instanceof Reference) {
      others = true;
      return;
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    const plain = prototype === Object.prototype || prototype === null;
    if ((!plain && !Array.isArray(value)) || seen.has(value)) return;
    seen.add(value);
    for (const inside of Array.isArray(value) ? value : Object.values(value)) look(inside);
  };
  for (const arg of args) look(arg);
  return { nodes, others };
}
