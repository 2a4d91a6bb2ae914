/**
 * Graphs of `cell` tasks: rows with numbers that say step and point, bodies that compute for a while and check the
 * producers of their inputs. What Heddle and pools run alike.
 */

import { rowsOf, type Shape, type ShapeSize } from './shapes.js';
import kernel from './workers/kernel.cjs';

/** A row as its task is told of it. */
export interface Cell {
  /** Its number: 1, 2, … in order, so that no sum of others stands for it unnoticed. */
  readonly own: number;
  readonly spins: number;
  /** Sum of the numbers of the rows it reads. */
  readonly expect: number;
  /** Positions of the rows it reads. */
  readonly reads: readonly number[];
}

/** How tasks differ in length: none, or up to twice and down to nothing, by their number. */
export interface Bodies {
  /** Turns of the loop of an average task. */
  readonly spins: number;
  /** 0: all alike; 1: evenly from 0 to twice; 2: one in eight takes all of it. */
  readonly imbalance?: 0 | 1 | 2;
}

/** All rows of a graph. */
export function cellsOf(shape: Shape, size: ShapeSize, { spins, imbalance = 0 }: Bodies): Cell[] {
  const cells: Cell[] = [];
  for (const { reads } of rowsOf(shape, size)) {
    const at = cells.length;
    const expect = reads.reduce((sum, read) => sum + read + 1, 0);
    cells.push({ own: at + 1, spins: Math.round(spins * share(at, imbalance)), expect, reads });
  }
  return cells;
}

/** What part of the average the body of row `at` takes. */
function share(at: number, imbalance: 0 | 1 | 2): number {
  if (imbalance === 0) return 1;
  // The golden ratio spreads consecutive numbers evenly.
  if (imbalance === 1) return 2 * ((at * 0.618_033_988_749_895) % 1);
  return at % 8 === 0 ? 8 : 0;
}

/** Positions of rows that nobody reads: their results are those to ask for. */
export function rootsOf(cells: readonly { readonly reads: readonly number[] }[]): number[] {
  const read = new Uint8Array(cells.length);
  for (const { reads } of cells) for (const at of reads) read[at] = 1;
  return cells.flatMap((_, at) => (read[at] === 1 ? [] : [at]));
}

/** Throws unless `value` is what row `at` answers. */
export function checkCell(at: number, value: unknown): void {
  const number = value instanceof Float64Array ? value[0] : value;
  if (number !== at + 1) throw new Error(`row ${at} answered ${String(number)}`);
}

/** Turns of the loop per us, best of a few: the machine's speed now. */
export function spinsPerUs(): number {
  const turns = 200_000;
  let best = 0;
  for (let i = 0; i < 20; i++) {
    const start = performance.now();
    kernel.spin(turns);
    best = Math.max(best, turns / ((performance.now() - start) * 1_000));
  }
  return best;
}
