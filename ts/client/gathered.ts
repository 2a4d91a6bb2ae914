// What gathered results are put into: an array, or, if they are numbers, a typed one.
import { HeddleError } from '../errors/index.js';

/** Results in their order. */
export type Gathered = unknown[] | Float64Array;

/** @throws HeddleError ERR_ARGUMENT for a value that is no number and is to be put among numbers */
export function put(out: Gathered, at: number, value: unknown): void {
  if (out instanceof Float64Array && typeof value !== 'number') {
    const what = value === null ? 'null' : typeof value;
    throw new HeddleError(
      'ERR_ARGUMENT',
      `result ${at} is ${what}, not a number: gather it without { as: Float64Array }`,
    );
  }
  (out as unknown[])[at] = value;
}
