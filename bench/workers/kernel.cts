/**
 * The body of the tasks of `metg.*` and `real.*`: checks who made its inputs, computes for a while, says who it is.
 * CommonJS, because poolifier's workers are.
 */

/** What a task is told before the results it reads. */
type Cell = readonly [own: number, spins: number, expect: number, bytes: number];

/** Keeps the loop from being left out. */
let sink = 0;

/** Computes: a chain of multiplications that cannot be shortened. */
function spin(spins: number): void {
  let x = sink | 1;
  for (let i = 0; i < spins; i++) x = (Math.imul(x, 1_664_525) + 1_013_904_223) | 0;
  sink = x;
}

/**
 * One task: its number (which says step and point), how long to compute, the sum of the numbers of those it reads, the
 * size of its result in bytes, and their results.
 *
 * @returns its number; as the first element of a Float64Array where the result is to be larger.
 */
function cell(
  own: number,
  spins: number,
  expect: number,
  bytes: number,
  ...reads: (number | Float64Array)[]
): number | Float64Array {
  let sum = 0;
  for (const read of reads) sum += typeof read === 'number' ? read : (read[0] ?? Number.NaN);
  if (sum !== expect)
    throw new Error(`task ${own} was given the wrong results: ${sum}, not ${expect}`);
  spin(spins);
  if (bytes <= 16) return own;
  const result = new Float64Array(bytes >> 3);
  result[0] = own;
  return result;
}

/** The same, as pools call it: one argument. */
function cellOf([spec, reads]: readonly [Cell, readonly (number | Float64Array)[]]):
  | number
  | Float64Array {
  return cell(...spec, ...reads);
}

export = { cell, cellOf, spin };
