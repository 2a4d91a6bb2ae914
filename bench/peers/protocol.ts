/** What the comparison and a peer's program say to each other: one JSON object per line on stdin and stdout. */
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Shape } from './shapes.js';

/** A program that is ready says so with its versions. */
export interface Ready {
  readonly ready: true;
  /** What was measured, such as `dask 2026.8.0, Python 3.11.2`. */
  readonly version: string;
}

/** Run this. */
export interface Order {
  readonly shape: Shape;
  readonly tasks: number;
}

/** What came of it. */
export interface Report {
  /** Wall time from the first call to the last result, in s; `rtt`: the median of one call. */
  readonly seconds: number;
  /** See `expected` in `shapes.ts`. */
  readonly answer: number;
}

/** A shape the peer cannot express, and why. */
export interface Unable {
  readonly unable: string;
}

/** Runs one order. */
export type Run = (order: Order) => Promise<Report | Unable>;

/** Answers orders until stdin ends. */
export async function serve(version: string, run: Run): Promise<void> {
  const say = (value: object): void => {
    process.stdout.write(`${JSON.stringify(value)}\n`);
  };
  say({ ready: true, version } satisfies Ready);
  for await (const line of createInterface({ input: process.stdin })) {
    say(await run(JSON.parse(line) as Order));
  }
}

/** Times a run. */
export async function timed(body: () => Promise<number>): Promise<Report> {
  const start = performance.now();
  const answer = await body();
  return { seconds: (performance.now() - start) / 1_000, answer };
}

/** Times calls one after the other; the median counts. */
export async function timedOneByOne(
  count: number,
  call: (i: number) => Promise<number>,
): Promise<Report> {
  const seconds: number[] = [];
  let answer = 0;
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    answer += await call(i);
    seconds.push((performance.now() - start) / 1_000);
  }
  seconds.sort((a, b) => a - b);
  return { seconds: seconds[count >> 1] ?? Number.NaN, answer };
}
