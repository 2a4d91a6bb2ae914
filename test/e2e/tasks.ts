// Tasks the end-to-end tests run in real workers.
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ctx, parts, task } from 'heddle';

const url = import.meta.url;

export const square = task(url, 'square', (x: number) => x * x);
export const add = task(url, 'add', (a: number, b: number) => a + b);
export const sum = task(url, 'sum', (xs: number[]) => xs.reduce((a, b) => a + b, 0));
export const echo = task(url, 'echo', (value: unknown) => value);
export const describeArgs = task(url, 'describeArgs', (...args: unknown[]) => args);
export const pidOf = task(url, 'pidOf', (_: unknown) => process.pid);
export const later = task(url, 'later', async (ms: number) => {
  await sleep(ms);
  return ms;
});

export class Refusal extends Error {
  override name = 'Refusal';
  readonly code = 'E_REFUSED';
  readonly detail = { item: 7 };
}

export const thrower = task(url, 'thrower', (what: string): number => {
  if (what === 'type') throw new TypeError('not this type');
  if (what === 'text') throw 'just text';
  if (what === 'cause') throw new Error('outer', { cause: new RangeError('inner') });
  throw new Refusal(`refused ${what}`);
});

/** Fails until the given attempt. */
export const flaky = task(url, 'flaky', (until: number) => {
  if (ctx.attempt < until) throw new Error(`attempt ${ctx.attempt}`);
  return ctx.attempt;
});

/** A value too large to travel inline, which says who made it and at which attempt. */
export const holder = task(url, 'holder', (seed: number) => {
  const values = new Float64Array(1_000).fill(seed);
  return { seed, pid: process.pid, attempt: ctx.attempt, values };
});
export type Held = ReturnType<typeof holder>;

export const consume = task(url, 'consume', (held: Held, gate: boolean) => ({
  total: held.values.reduce((a, b) => a + b, 0),
  attempt: held.attempt,
  gate,
}));

/** Ends when the file exists. */
export const gate = task(url, 'gate', async (file: string) => {
  while (!existsSync(file)) {
    if (ctx.signal.aborted) throw new Error('aborted');
    await sleep(10);
  }
  return true;
});

/** Says in a file that it began, then waits for its abort signal. */
export const untilAborted = task(url, 'untilAborted', async (began: string, aborted: string) => {
  writeFileSync(began, 'x');
  while (!ctx.signal.aborted) await sleep(10);
  writeFileSync(aborted, 'x');
  return 0;
});

export const bytes = task(url, 'bytes', (size: number) => new Uint8Array(size).fill(7));
export const slices = task(url, 'slices', (n: number) =>
  parts(Array.from({ length: n }, (_, i) => new Uint8Array([i, n]))),
);
export const lengthOf = task(url, 'lengthOf', (value: { length: number }) => value.length);
export const second = task(url, 'second', (part: Uint8Array) => part[0] as number);
export const unserialisable = task(url, 'unserialisable', () => ({ inner: [1, () => 1] }));
export const killOwnProcess = task(url, 'killOwnProcess', (signal: NodeJS.Signals) => {
  process.kill(process.pid, signal);
  return new Promise<never>(() => {});
});
