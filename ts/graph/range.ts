// Numbers by arithmetic, as items of a map: a descriptor, whatever its length.
import { HeddleError } from '../errors/index.js';

/** `length` numbers: the i-th is `start + i * step`. Made by {@link range}. */
export class Range implements Iterable<number> {
  readonly start: number;
  readonly step: number;
  readonly length: number;

  /** @internal Made by `range()`. */
  constructor(start: number, step: number, length: number) {
    this.start = start;
    this.step = step;
    this.length = length;
  }

  *[Symbol.iterator](): Iterator<number> {
    for (let i = 0; i < this.length; i++) yield this.start + i * this.step;
  }
}

/**
 * Numbers from `start` (0 if only an end is given) to `end`, exclusive, `step` apart. A map over it sends the three
 * numbers, not the items.
 * @throws HeddleError ERR_ARGUMENT if a number is not finite or `step` is 0
 * @example
 * client.map(simulate, range(1_000_000));
 */
export function range(end: number): Range;
export function range(start: number, end: number, step?: number): Range;
export function range(first: number, second?: number, step = 1): Range {
  const [start, end] = second === undefined ? [0, first] : [first, second];
  if (!Number.isFinite(start) || !Number.isFinite(end) || !Number.isFinite(step) || step === 0) {
    throw new HeddleError(
      'ERR_ARGUMENT',
      `range(${start}, ${end}, ${step}): finite numbers, and a step that is not 0`,
    );
  }
  return new Range(start, step, Math.max(0, Math.ceil((end - start) / step)));
}
