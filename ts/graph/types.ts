// Types of arguments: where a task takes a T, a future of a T will do, at the top or inside plain arrays and objects.
import type { Future, PartReference } from '../client/future.js';
import type { FutureArray } from '../client/future_array.js';

/** What may stand for a `T` in an argument. */
export type Arg<T> =
  | T
  | Future<T>
  | PartReference<T>
  | (T extends Opaque
      ? never
      : T extends readonly (infer E)[]
        ? FutureArray<E> | { readonly [K in keyof T]: Arg<T[K]> }
        : T extends object
          ? { readonly [K in keyof T]: Arg<T[K]> }
          : never);

/** An argument list of which each may be an {@link Arg}. */
export type Args<A extends readonly unknown[]> = { readonly [K in keyof A]: Arg<A[K]> };

/** Objects that are values as a whole: nothing inside them may be a future. */
type Opaque =
  | ((...args: never[]) => unknown)
  | ArrayBuffer
  | ArrayBufferView
  | Date
  | Error
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | RegExp;

/** A typed array of numbers: `map` ships it as one column. */
export type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array;
