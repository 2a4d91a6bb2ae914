// Inputs of tasks while arguments are encoded: columns of (layer, row, part), and the walk that finds them.
import { HeddleError } from '../errors/index.js';
import { Dep, Deps, limits, WHOLE_VALUE } from '../wire/index.js';
import { Reference, type ReferenceOwner } from './reference.js';

const { DEPS_PER_TASK_MAX } = limits;

/** Inputs of consecutive tasks, in order. */
export class InputColumns {
  /** Layer number per input. */
  readonly layers: number[] = [];
  readonly indices: number[] = [];
  readonly parts: number[] = [];
  /** True if some input is one part of a value. */
  anyPart = false;

  /** Number of inputs so far. */
  get length(): number {
    return this.indices.length;
  }

  add(layer: number, index: number, part: number | undefined): void {
    this.layers.push(layer);
    this.indices.push(index);
    this.parts.push(part ?? WHOLE_VALUE);
    if (part !== undefined) this.anyPart = true;
  }

  /** Drops inputs from `length` on: their task was not added after all. */
  truncate(length: number): void {
    this.layers.length = length;
    this.indices.length = length;
    this.parts.length = length;
  }
}

/** Turns one reference into a placeholder and notes its inputs. */
export type NoteReference = (reference: Reference) => unknown;

/**
 * A note-taker for one task.
 * @param owner whose rows may be named
 * @param inputs where the inputs go; the task's begin at its present length
 * @param before inputs the task has before those
 */
export function referenceNoter(
  owner: ReferenceOwner,
  inputs: InputColumns,
  before = 0,
): NoteReference {
  const base = inputs.length - before;
  return (reference) => {
    const { layer, first, count, part, array } = reference.resolveFor(owner);
    const from = inputs.length - base;
    if (from + count > DEPS_PER_TASK_MAX) {
      throw new HeddleError(
        'ERR_LIMIT_EXCEEDED',
        `a task has ${from + count} inputs, more than DEPS_PER_TASK_MAX (${DEPS_PER_TASK_MAX}): ` +
          'combine them in several tasks',
      );
    }
    for (let i = 0; i < count; i++) inputs.add(layer, first + i, part);
    return array ? new Deps(from, count) : new Dep(from);
  };
}

/**
 * `value` with every reference in it replaced by what `note` makes of it: at the top, or nested in plain arrays and
 * objects. What holds no reference is returned as it is, not copied.
 */
export function replaceReferences(value: unknown, note: NoteReference): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return replace(value, note, new Set());
}

function replace(value: object, note: NoteReference, above: Set<object>): unknown {
  if (value instanceof Reference) return note(value);
  const isArray = Array.isArray(value);
  if (!isArray && !isPlainObject(value)) {
    refuseInCollection(value);
    return value;
  }
  if (above.has(value)) return value; // A circle: its references were found on the way in.
  above.add(value);
  const made = isArray ? replaceInArray(value, note, above) : replaceInObject(value, note, above);
  above.delete(value);
  return made;
}

function replaceInArray(
  list: readonly unknown[],
  note: NoteReference,
  above: Set<object>,
): unknown {
  let copy: unknown[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const old = list[i];
    if (typeof old !== 'object' || old === null) continue;
    const made = replace(old, note, above);
    if (made === old) continue;
    copy ??= list.slice();
    copy[i] = made;
  }
  return copy ?? list;
}

function replaceInObject(object: object, note: NoteReference, above: Set<object>): unknown {
  let copy: Record<string, unknown> | undefined;
  for (const [key, old] of Object.entries(object) as [string, unknown][]) {
    if (typeof old !== 'object' || old === null) continue;
    const made = replace(old, note, above);
    if (made === old) continue;
    copy ??= { ...object };
    copy[key] = made;
  }
  return copy ?? object;
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function refuseInCollection(value: object): void {
  if (!(value instanceof Map || value instanceof Set)) return;
  for (const item of value instanceof Map ? value.values() : value) {
    if (item instanceof Reference) {
      throw new HeddleError(
        'ERR_ARGUMENT_SERIALIZATION',
        `a future inside a ${value instanceof Map ? 'Map' : 'Set'}: use a plain object or array, or pass it directly`,
      );
    }
  }
}
