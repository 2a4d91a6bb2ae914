// Which values can be copied to another process, and the path of the first part that cannot. msgpackr would write
// functions as undefined and class instances as plain objects: silent changes we refuse.
import { isPlaceholder } from './msgpack.js';

const VIEWS: ReadonlySet<unknown> = new Set([
  Buffer,
  DataView,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
]);

/** What cannot be copied, and where it is: `path` is empty for the value itself, else such as `.items[3].callback`. */
export interface Uncloneable {
  readonly path: string;
  readonly what: string;
}

/**
 * Finds the first part of a value that cannot be copied; undefined if all can.
 * Survive: primitives except symbols, plain objects and arrays, Map, Set, Date, RegExp, Error, ArrayBuffer, typed
 * arrays, DataView, and references that repeat or form circles.
 * @param placeholders whether argument placeholders are allowed
 */
export function findUncloneable(value: unknown, placeholders = false): Uncloneable | undefined {
  switch (typeof value) {
    case 'object':
      return value === null ? undefined : walk(value, new Set(), placeholders);
    case 'function':
    case 'symbol':
      return { path: '', what: `a ${typeof value}` };
    default:
      return undefined;
  }
}

type Seen = Set<object>;

function part(value: unknown, seen: Seen, placeholders: boolean): Uncloneable | undefined {
  if (typeof value === 'object' && value !== null) {
    return seen.has(value) ? undefined : walk(value, seen, placeholders);
  }
  if (typeof value === 'function' || typeof value === 'symbol')
    return { path: '', what: `a ${typeof value}` };
  return undefined;
}

const under = (path: string, found: Uncloneable): Uncloneable => ({
  path: path + found.path,
  what: found.what,
});

function walk(value: object, seen: Seen, placeholders: boolean): Uncloneable | undefined {
  seen.add(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Array.prototype) return walkArray(value as unknown[], seen, placeholders);
  if (prototype === Object.prototype || prototype === null)
    return walkObject(value, seen, placeholders);
  if (ArrayBuffer.isView(value)) {
    return VIEWS.has(value.constructor) ? undefined : { path: '', what: named(value) };
  }
  if (prototype === Map.prototype)
    return walkMap(value as Map<unknown, unknown>, seen, placeholders);
  if (prototype === Set.prototype) return walkSet(value as Set<unknown>, seen, placeholders);
  if (prototype === Date.prototype || prototype === RegExp.prototype) return undefined;
  if (prototype === ArrayBuffer.prototype) return undefined;
  if (value instanceof Error) {
    const found = part(value.cause, seen, placeholders);
    return found === undefined ? undefined : under('.cause', found);
  }
  if (isPlaceholder(value)) return placeholders ? undefined : { path: '', what: 'a placeholder' };
  // An object literal of another realm.
  if (Object.getPrototypeOf(prototype) === null && named(value) === 'an instance of Object') {
    return walkObject(value, seen, placeholders);
  }
  return { path: '', what: named(value) };
}

function walkArray(
  list: readonly unknown[],
  seen: Seen,
  placeholders: boolean,
): Uncloneable | undefined {
  for (let i = 0; i < list.length; i++) {
    const found = part(list[i], seen, placeholders);
    if (found !== undefined) return under(`[${i}]`, found);
  }
  return undefined;
}

function walkObject(object: object, seen: Seen, placeholders: boolean): Uncloneable | undefined {
  for (const key of Object.keys(object)) {
    const found = part((object as Record<string, unknown>)[key], seen, placeholders);
    if (found !== undefined) {
      return under(/^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`, found);
    }
  }
  return undefined;
}

function walkMap(
  map: ReadonlyMap<unknown, unknown>,
  seen: Seen,
  placeholders: boolean,
): Uncloneable | undefined {
  for (const [key, value] of map) {
    const found = part(key, seen, placeholders);
    if (found !== undefined) return under('.keys()', found);
    const inside = part(value, seen, placeholders);
    if (inside !== undefined) {
      const name = typeof key === 'string' ? JSON.stringify(key) : String(key);
      return under(`.get(${name})`, inside);
    }
  }
  return undefined;
}

function walkSet(
  set: ReadonlySet<unknown>,
  seen: Seen,
  placeholders: boolean,
): Uncloneable | undefined {
  for (const value of set) {
    const found = part(value, seen, placeholders);
    if (found !== undefined) return under('.values()', found);
  }
  return undefined;
}

function named(value: object): string {
  const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name;
  if (name === 'Promise') return 'a Promise (await it)';
  return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'a class instance';
}
