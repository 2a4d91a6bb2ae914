// The tasks of a lazy graph as two layers: what is wanted, and what is only needed on the way.
import { type Chain, chainsOf } from '../graph/fuse.js';
import { argumentsOf } from '../graph/fused_arguments.js';
import { type LazyNode, type LazyPlan, planOf } from '../graph/lazy.js';
import type { Reference, ReferencedRows, ReferenceOwner } from '../graph/reference.js';
import type { Draft, Layer } from '../wire/index.js';
import type { FunctionTable, ShippedFunction } from './functions.js';
import { RowBatch, WANTED } from './row_batch.js';
import type { Session } from './session.js';
import { rowOptions, type SubmitOptions } from './submitter.js';

/** Name of the layers, unless the submission says another. */
export const LAZY_LAYER = 'lazy';

/** One layer that is being filled. */
export interface LazyLayer {
  readonly number: number;
  readonly batch: RowBatch;
}

/** A lazy graph with its rows. */
export class LazyLayers implements ReferenceOwner {
  readonly connection: Session;
  readonly needed: LazyLayer;
  readonly wanted: LazyLayer;
  readonly #roots: ReadonlySet<Reference>;
  readonly #options: SubmitOptions;
  readonly #other: (reference: Reference) => ReferencedRows | undefined;
  readonly #places = new Map<Reference, ReferencedRows>();

  /**
   * @param numbers of the two layers
   * @param other places of references that are not lazy calls
   * @throws HeddleError ERR_GRAPH_CYCLE and what arguments and functions can be at fault for
   */
  constructor(
    session: Session,
    roots: readonly LazyNode<unknown>[],
    options: SubmitOptions,
    numbers: { readonly needed: number; readonly wanted: number },
    other: (reference: Reference) => ReferencedRows | undefined = () => undefined,
  ) {
    this.connection = session;
    this.#roots = new Set(roots);
    this.#options = options;
    this.#other = other;
    this.needed = { number: numbers.needed, batch: new RowBatch() };
    this.wanted = { number: numbers.wanted, batch: new RowBatch() };
    const plan = planOf(roots);
    const { functions, fusion } = session;
    const chains = this.#chains(plan, functions);
    // Every node a node needs comes before it, so its place is known when it is an argument.
    for (const chain of chains) {
      const steps = chain.map(({ fn }) => functions.ship(fn));
      this.#add(chain, steps.length === 1 ? (steps[0] as ShippedFunction) : functions.chain(steps));
    }
    fusion.before += plan.nodes.length;
    fusion.after += chains.length;
  }

  place(node: Reference): ReferencedRows | undefined {
    return this.#places.get(node) ?? this.#other(node);
  }

  /** The layers as a message, with their payload. */
  take(): { layers: Draft<Layer>[]; payload: Uint8Array[] } {
    const layers: Draft<Layer>[] = [];
    const payload: Uint8Array[] = [];
    const name = this.#options.name ?? LAZY_LAYER;
    for (const layer of [this.needed, this.wanted]) {
      if (layer.batch.rows === 0) continue;
      const flags = layer === this.wanted ? WANTED : 0;
      const taken = layer.batch.take(layer.number, 0, name, flags, payload.length);
      layers.push(taken.draft);
      payload.push(taken.payload);
    }
    return { layers, payload };
  }

  #chains(plan: LazyPlan, functions: FunctionTable): readonly Chain[] {
    if (this.#options.fuse === false) return plan.nodes.map((node) => [node]);
    return chainsOf(plan, this.#roots, (a, b) =>
      sameOptions(functions.ship(a.fn), functions.ship(b.fn), this.#options),
    );
  }

  /** Adds the task that makes the calls of `chain`. */
  #add(chain: Chain, fn: ShippedFunction): void {
    const last = chain.at(-1) as LazyNode<unknown>;
    const { number, batch } = this.#roots.has(last) ? this.wanted : this.needed;
    const first = batch.rows;
    batch.add(fn, argumentsOf(chain), rowOptions(fn, this.#options), this);
    const place = { layer: number, first, count: 1, part: undefined, array: false };
    this.#places.set(last, place);
  }
}

/** Whether two calls may be one task: it is retried, ordered and timed as a whole. */
function sameOptions(a: ShippedFunction, b: ShippedFunction, options: SubmitOptions): boolean {
  const [one, other] = [rowOptions(a, options), rowOptions(b, options)];
  const timed = one.timeout !== 0 || other.timeout !== 0;
  return !timed && one.retries === other.retries && one.priority === other.priority;
}
