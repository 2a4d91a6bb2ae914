// Argument lists: written by clients with placeholders, made whole by lanes.
import { WireError } from './error.js';
import { Dep, Deps, Item, pack, REST, unpackArgs } from './msgpack.js';
import { buffered, checkCloneable } from './values.js';

/** Makes the arguments of one record from its own datum and its inputs. */
export type ArgsMaker = (item: unknown, inputs: readonly unknown[]) => unknown[];

/**
 * Encodes an argument list (a layer's template, or one row of codec Args).
 * @throws HeddleError ERR_ARGUMENT_SERIALIZATION naming argument and path
 */
export function encodeArgs(args: readonly unknown[]): Uint8Array {
  for (const [i, arg] of args.entries()) {
    if (typeof arg === 'object' || typeof arg === 'function' || typeof arg === 'symbol') {
      checkCloneable(arg, `argument ${i + 1}`, true);
    }
  }
  return pack(args);
}

/** Decodes bytes `start … end` of one row of codec Args and puts the inputs in their places. */
export function decodeArgs(
  bytes: Uint8Array,
  inputs: readonly unknown[],
  start = 0,
  end = bytes.byteLength,
): unknown[] {
  const { args, hasPlaceholders } = unpackArgs(buffered(bytes), start, end);
  return hasPlaceholders ? args.map((arg) => fill(arg, undefined, inputs)) : args;
}

/**
 * Decodes a layer's template once. Constants are shared by all records of a lane; bodies must not change them.
 */
export function compileTemplate(bytes: Uint8Array): ArgsMaker {
  const { args, hasPlaceholders } = unpackArgs(buffered(bytes));
  if (!hasPlaceholders) return () => args.slice();
  return (item, inputs) => {
    const made = new Array<unknown>(args.length);
    for (let i = 0; i < args.length; i++) made[i] = fill(args[i], item, inputs);
    return made;
  };
}

/** The value with its placeholders replaced; parts without any are shared, not copied. */
function fill(value: unknown, item: unknown, inputs: readonly unknown[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Item) return item;
  if (value instanceof Dep) {
    if (value.position >= inputs.length)
      throw new WireError(`input ${value.position} of ${inputs.length}`);
    return inputs[value.position];
  }
  if (value instanceof Deps) {
    const end = value.count === REST ? inputs.length : value.from + value.count;
    if (end > inputs.length) throw new WireError(`inputs to ${end} of ${inputs.length}`);
    return inputs.slice(value.from, end);
  }
  if (Array.isArray(value)) return fillArray(value, item, inputs);
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return fillObject(value as Record<string, unknown>, item, inputs);
}

function fillArray(list: unknown[], item: unknown, inputs: readonly unknown[]): unknown[] {
  let copy: unknown[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const filled = fill(list[i], item, inputs);
    if (filled === list[i]) continue;
    copy ??= list.slice();
    copy[i] = filled;
  }
  return copy ?? list;
}

function fillObject(
  object: Record<string, unknown>,
  item: unknown,
  inputs: readonly unknown[],
): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(object)) {
    const filled = fill(object[key], item, inputs);
    if (filled === object[key]) continue;
    copy ??= { ...object };
    copy[key] = filled;
  }
  return copy ?? object;
}
