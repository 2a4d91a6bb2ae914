// Tasks of chains and stencils: short ones, whose values lanes hand on.
import { existsSync, writeFileSync } from 'node:fs';
import { ctx, task } from 'heddle';

const url = import.meta.url;

export const grow = task(url, 'grow', (value: number) => value + 1);

/** Text, which is no number: lanes keep its bytes. */
export const append = task(url, 'append', (text: string, i: number) =>
  `${text}${i % 10}`.slice(-40),
);

/** A value too large to travel inline, so that it is stored. */
export const shift = task(url, 'shift', (values: Float64Array) => values.map((value) => value + 1));

/** Adds three neighbours, modulo a prime. */
export const mix = task(
  url,
  'mix',
  (a: number, b: number, c: number) => (a + 2 * b + 3 * c) % 9973,
);

export const refuse = task(url, 'refuse', (_: number): number => {
  throw new RangeError('the middle refuses');
});

/** Ends its process the first time. */
export const dieOnce = task(url, 'dieOnce', (value: number, file: string) => {
  if (!existsSync(file)) {
    writeFileSync(file, 'x');
    process.kill(process.pid, 'SIGKILL');
  }
  return value + 1;
});

/** Fails at its first attempt. */
export const stumble = task(url, 'stumble', (value: number) => {
  if (ctx.attempt === 1) throw new Error('once more');
  return value + 1;
});

/** Ends when it is told to. */
export const untilAborted = task(url, 'untilAborted', async (value: number) => {
  while (!ctx.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
  return value;
});
