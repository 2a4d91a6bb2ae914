// Types of arguments: where a task takes a T, a future of a T will do, at the top or inside plain arrays and objects.
import type { Future, PartReference } from '../client/future.js';
import type { FutureArray } from '../client/future_array.js';
import type { LazyNode } from './lazy.js';
import type { Param } from './param.js';

/** What may stand for a `T` in an argument. */
export type Arg<T> = Standing<T, never>;

/** An argument list of which each may be an {@link Arg}. */
export type Args<A extends readonly unknown[]> = { readonly [K in keyof A]: Arg<A[K]> };

/** As {@link Args}, for lazy calls: results of other lazy calls may stand there too. */
export type LazyArgs<A extends readonly unknown[]> = {
  readonly [K in keyof A]: Standing<A[K], 'lazy'>;
};

/**
 * As {@link Args}, for `blockwise`: an array of futures of a `T` stands for a `T`, one for each task. To give every
 * task the whole array, put it inside an array or object.
 */
export type RowArgs<A extends readonly unknown[]> = {
  readonly [K in keyof A]:
    | FutureArray<A[K]>
    | PartReference<A[K][]>
    | Exclude<Arg<A[K]>, FutureArray<unknown> | PartReference<unknown>>
    | PartReference<A[K]>;
};

type Standing<T, Kind extends 'lazy'> =
  | T
  | Future<T>
  | PartReference<T>
  | (Kind extends 'lazy' ? LazyNode<T> | Param<T> : never)
  | (T extends Opaque
      ? never
      : T extends readonly (infer E)[]
        ? FutureArray<E> | { readonly [K in keyof T]: Standing<T[K], Kind> }
        : T extends object
          ? { readonly [K in keyof T]: Standing<T[K], Kind> }
          : never);

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
