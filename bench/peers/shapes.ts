/**
 * The graphs every peer runs. A task has a number of its own and reads the results of others; its result is the sum
 * of all of them modulo a prime, so that a result that is lost, doubled or taken from elsewhere changes the answer.
 */

/** A shape by name. */
export type Shape = 'map' | 'submit' | 'merge' | 'tree' | 'chain' | 'stencil' | 'rtt';

/** One row of the comparison. */
export interface ShapeRow {
  readonly shape: Shape;
  /** Tasks (`rtt`: calls, one after the other). */
  readonly tasks: number;
  /** Tasks for those that are fast enough that the smaller number would only measure their start. */
  readonly large?: number;
  /** What a reader should know. */
  readonly what: string;
}

/** Keeps results small integers in every language. */
export const PRIME = 1_000_003;

/** Width of the stencil: two lanes for each of the two workers. */
export const STENCIL_WIDTH = 4;

/** The rows, in the order they are printed. */
export const SHAPES: readonly ShapeRow[] = [
  { shape: 'map', tasks: 5_000, large: 100_000, what: 'independent tasks given at once' },
  { shape: 'submit', tasks: 2_000, large: 50_000, what: 'independent tasks, one call each' },
  { shape: 'merge', tasks: 2_001, large: 20_001, what: 'independent tasks and one that reads all' },
  { shape: 'tree', tasks: 2_047, large: 32_767, what: 'binary reduction' },
  { shape: 'chain', tasks: 200, large: 1_000, what: 'each task reads the one before' },
  {
    shape: 'stencil',
    tasks: 400,
    large: 4_000,
    what: 'four wide, each step reads three of the last',
  },
  { shape: 'rtt', tasks: 200, what: 'one task at a time, idle: median from call to result' },
];

/** What a correct run answers: the sum, modulo the prime, of the results named in the README. */
export function expected(shape: Shape, tasks: number): number {
  switch (shape) {
    case 'map':
    case 'submit':
    case 'rtt':
      return ((tasks * (tasks - 1)) / 2) % PRIME;
    case 'merge':
    case 'tree':
    case 'chain':
      return tasks % PRIME;
    case 'stencil':
      return stencil(tasks);
  }
}

function stencil(tasks: number): number {
  let row = new Array<number>(STENCIL_WIDTH).fill(1);
  for (let step = 1; step < tasks / STENCIL_WIDTH; step++) {
    const last = row;
    row = last.map((own, i) => (1 + (last[i - 1] ?? 0) + own + (last[i + 1] ?? 0)) % PRIME);
  }
  return row.reduce((a, b) => a + b, 0) % PRIME;
}
