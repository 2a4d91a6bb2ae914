// Inputs of a regular layer, by role: gates, of which every row reads the same rows, come first in the list of a
// row's inputs; streams, of which every row reads its own, come after them, for a window may be shorter at the ends.
import { HeddleError } from '../errors/index.js';
import { Dep, Deps, type Draft, type Input, limits } from '../wire/index.js';
import type { NoteReference } from './inputs.js';
import type { ReferencedRows, ReferenceOwner } from './reference.js';

const { DEPS_PER_TASK_MAX, INPUTS_PER_LAYER_MAX } = limits;

interface Gate {
  readonly layer: number;
  readonly first: number;
  readonly part: number | undefined;
  count: number;
}

/** Inputs of one layer while its shared arguments are encoded. */
export class LayerInputs {
  readonly #gates: Gate[] = [];
  #length = 0;

  /** Inputs behind the gate: streams have the positions from here on. */
  get length(): number {
    return this.#length;
  }

  /**
   * Turns references in shared arguments into placeholders: every row reads what they stand for.
   * @throws HeddleError ERR_LIMIT_EXCEEDED, and what `resolveFor` throws
   */
  noter(owner: ReferenceOwner): NoteReference {
    return (reference) => {
      const rows = reference.resolveFor(owner);
      const from = this.#length;
      if (from + rows.count > DEPS_PER_TASK_MAX) {
        throw new HeddleError(
          'ERR_LIMIT_EXCEEDED',
          `a task has ${from + rows.count} inputs, more than DEPS_PER_TASK_MAX (${DEPS_PER_TASK_MAX}): ` +
            'combine them with treeReduce',
        );
      }
      if (rows.count > 0) this.#add(rows);
      return rows.array ? new Deps(from, rows.count) : new Dep(from);
    };
  }

  #add({ layer, first, count, part }: ReferencedRows): void {
    this.#length += count;
    const last = this.#gates.at(-1);
    if (last?.layer === layer && last.part === part && last.first + last.count === first) {
      last.count += count;
    } else {
      this.#gates.push({ layer, first, count, part });
    }
  }

  /**
   * The layer's inputs, gates and then `streams`.
   * @throws HeddleError ERR_LIMIT_EXCEEDED
   */
  drafts(streams: readonly ReferencedRows[] = []): Draft<Input>[] {
    const inputs = this.#gates.map((gate): Draft<Input> => ({ ...gate, broadcast: true }));
    for (const { layer, first, count, part } of streams) inputs.push({ layer, first, count, part });
    if (inputs.length > INPUTS_PER_LAYER_MAX) {
      throw new HeddleError(
        'ERR_LIMIT_EXCEEDED',
        `${inputs.length} futures that are not neighbours, more than INPUTS_PER_LAYER_MAX ` +
          `(${INPUTS_PER_LAYER_MAX}): pass a FutureArray, or combine them in a task`,
      );
    }
    return inputs;
  }
}
