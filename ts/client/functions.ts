// Functions of one connection: each is analysed, hashed and sent once.
import { HeddleError } from '../errors/index.js';
import {
  type ChainFunction,
  encodeFunctionBody,
  type FunctionBody,
  hashBody,
} from '../graph/function_body.js';
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

type PlainFunction = Exclude<FunctionBody, ChainFunction>;

const NO_DEFAULTS: TaskDefaults = Object.freeze({});
const CHAIN_NAME_MAX = 120;

/** Numbers functions; two with equal bodies share a number. */
export class FunctionTable {
  readonly #define: DefineFunction;
  readonly #known = new WeakMap<Callable, ShippedFunction>();
  readonly #numbers = new Map<string, number>();
  readonly #bodies = new Map<number, PlainFunction>();

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

  /**
   * The shipped form of several functions of this table that run in one task, one after the other.
   * @throws HeddleError ERR_LIMIT_EXCEEDED
   */
  chain(steps: readonly ShippedFunction[]): ShippedFunction {
    const first = steps[0] as ShippedFunction;
    const numbers = [...new Set(steps.map(({ number }) => number))];
    const functions = numbers.map((number) => this.#bodies.get(number) as PlainFunction);
    const name = steps.map((step) => step.name).join(' → ');
    const body: FunctionBody = {
      kind: 'chain',
      name: name.length > CHAIN_NAME_MAX ? `${name.slice(0, CHAIN_NAME_MAX - 1)}…` : name,
      functions,
      steps: steps.map(({ number }) => numbers.indexOf(number)),
    };
    return { number: this.#number(body), name: body.name, defaults: first.defaults };
  }

  #ship(fn: Callable): ShippedFunction {
    const reference = taskReference(fn);
    const body: PlainFunction = reference?.body ?? sourceOf(fn);
    const number = this.#number(body);
    this.#bodies.set(number, body);
    const shipped = { number, name: body.name, defaults: reference?.defaults ?? NO_DEFAULTS };
    this.#known.set(fn, shipped);
    return shipped;
  }

  /** The number of a body, sent now if it is new. */
  #number(body: FunctionBody): number {
    const bytes = encodeFunctionBody(body);
    const hash = hashBody(bytes);
    const key = Buffer.from(hash).toString('base64');
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#numbers.size + 1;
      this.#numbers.set(key, number);
      this.#define(number, hash, body.name, bytes);
    }
    return number;
  }
}
