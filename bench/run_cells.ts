/** Runs graphs of `cell` tasks to their end: on a cluster of Heddle's, and over any pool. */
import { type Client, type LazyNode, lazy } from 'heddle';
import { type Cell, checkCell, rootsOf } from './cells.js';
import { cell } from './tasks.js';

const TIMEOUT_MS = 120_000;

type Result = number | Float64Array;
const node = lazy(cell) as (
  own: number,
  spins: number,
  expect: number,
  bytes: number,
  ...reads: LazyNode<Result>[]
) => LazyNode<Result>;

/** Runs a graph, prepared beforehand; gives the seconds it took. */
export type RunCells = (cells: readonly Cell[], bytes: number) => Promise<number>;

/** One submission; the clock starts at the call and stops with the last result. */
export const onHeddle =
  (client: Client): RunCells =>
  async (cells, bytes) => {
    const nodes: LazyNode<Result>[] = [];
    for (const { own, spins, expect, reads } of cells) {
      const inputs = reads.map((at) => nodes[at] as LazyNode<Result>);
      nodes.push(node(own, spins, expect, bytes, ...inputs));
    }
    const roots = rootsOf(cells);
    const wanted = roots.map((at) => nodes[at] as LazyNode<Result>);
    const start = performance.now();
    // Every row is a task of its own: fused ones would not count.
    const futures = client.with({ fuse: false }).compute(wanted);
    const values = await client.gather(futures as never, { timeout: TIMEOUT_MS });
    const seconds = (performance.now() - start) / 1_000;
    (values as unknown[]).forEach((value, i) => {
      checkCell(roots[i] as number, value);
    });
    client.release(futures as never);
    return seconds;
  };

/** What a pool is called with: what a row is told, then the results it reads. */
export type PoolCall = [
  spec: [own: number, spins: number, expect: number, bytes: number],
  reads: Result[],
];

/** A row is called once all it reads is there; the caller keeps the results, as a pool knows no graph. */
export const onPool =
  (call: (argument: PoolCall) => Promise<unknown>): RunCells =>
  async (cells, bytes) => {
    const readers = cells.map((): number[] => []);
    const unmet = cells.map(({ reads }, at) => {
      for (const read of reads) readers[read]?.push(at);
      return reads.length;
    });
    const results = new Array<Result>(cells.length);
    const start = performance.now();
    await new Promise<void>((resolve, reject) => {
      let left = cells.length;
      const run = (at: number): void => {
        const { own, spins, expect, reads } = cells[at] as Cell;
        const inputs = reads.map((read) => results[read] as Result);
        call([[own, spins, expect, bytes], inputs]).then((value) => {
          results[at] = value as Result;
          for (const reader of readers[at] as number[]) {
            const missing = (unmet[reader] as number) - 1;
            unmet[reader] = missing;
            if (missing === 0) run(reader);
          }
          if (--left === 0) resolve();
        }, reject);
      };
      for (let at = 0; at < cells.length; at++)
        if (unmet[at] === 0 && (cells[at] as Cell).reads.length === 0) run(at);
    });
    const seconds = (performance.now() - start) / 1_000;
    results.forEach((value, at) => {
      checkCell(at, value);
    });
    return seconds;
  };
