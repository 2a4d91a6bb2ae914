/** Tasks of the end-to-end cases: what workers import. */
import { ctx, range, task } from 'heddle';
import kernel from './workers/kernel.cjs';

/** The no-op: its argument, so that every result can be checked. */
export const same = task(import.meta.url, 'same', (x: number) => x);

/** A hop of the chain. */
export const next = task(import.meta.url, 'next', (x: number) => x + 1);

/** What a reduction does; zero-workers do the same to whatever they are given. */
export const sum = task(import.meta.url, 'sum', (values: readonly number[]) => {
  let total = 0;
  for (const value of values) total += value;
  return total;
});

/** A row of a graph that computes for a while and checks the producers of its inputs. */
export const cell = task(import.meta.url, 'cell', kernel.cell);

/** A task that submits as many tasks as it is told, and reads them: the shape `dynamic`. */
export const grow = task(import.meta.url, 'grow', async (children: number) => {
  const futures = ctx.client.map(same, range(children));
  const values = await ctx.client.gather(futures);
  futures.release();
  return values.reduce((total, value) => total + value, 0);
});
