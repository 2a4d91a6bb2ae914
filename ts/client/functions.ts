// Functions of one connection: each is analysed, hashed and sent once.
import { HeddleError } from '../errors/index.js';
import { encodeFunctionBody, type FunctionBody, hashBody } from '../graph/function_body.js';
import type { TaskDefaults } from '../graph/options.js';
import { sourceOf } from '../graph/source.js';
import { taskReference } from '../graph/task.js';

/** A function the scheduler has been told of. */
export interface ShippedFunction {
  /** The client's number for it. */
  readonly number: number;
  readonly name: string;
  /** Options every submission has unless it says otherwise. */
  readonly defaults: TaskDefaults;
}

/** Tells the scheduler of a function. */
export type DefineFunction = (
  number: number,
  hash: Uint8Array,
  name: string,
  body: Uint8Array,
) => void;

type Callable = (...args: never[]) => unknown;

const NO_DEFAULTS: TaskDefaults = Object.freeze({});

/** Numbers functions; two with equal bodies share a number. */
export class FunctionTable {
  readonly #define: DefineFunction;
  readonly #known = new WeakMap<Callable, ShippedFunction>();
  readonly #numbers = new Map<string, number>();

  constructor(define: DefineFunction) {
    this.#define = define;
  }

  /**
   * The shipped form of `fn`, sent now if it is new.
   * @throws HeddleError ERR_ARGUMENT, ERR_TASK_SERIALIZATION, ERR_LIMIT_EXCEEDED
   */
  ship(fn: unknown): ShippedFunction {
    if (typeof fn !== 'function') {
      throw new HeddleError(
        'ERR_ARGUMENT',
        `expected a function, not ${fn === null ? 'null' : typeof fn}`,
      );
    }
    const callable = fn as Callable;
    return this.#known.get(callable) ?? this.#ship(callable);
  }

  #ship(fn: Callable): ShippedFunction {
    const reference = taskReference(fn);
    const body: FunctionBody = reference?.body ?? sourceOf(fn);
    const bytes = encodeFunctionBody(body);
    const hash = hashBody(bytes);
    const key = Buffer.from(hash).toString('base64');
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#numbers.size + 1;
      this.#numbers.set(key, number);
      this.#define(number, hash, body.name, bytes);
    }
    const shipped = { number, name: body.name, defaults: reference?.defaults ?? NO_DEFAULTS };
    this.#known.set(fn, shipped);
    return shipped;
  }
}
