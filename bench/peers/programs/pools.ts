/**
 * The pools' program in the comparison: `pools.js piscina` or `pools.js poolifier`. They have no graphs: this process
 * holds the results and calls a task once what it reads is there, as their users do.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { FixedQueue, Piscina } from 'piscina';
import { FixedClusterPool } from 'poolifier';
import { type Order, type Report, serve, timed, timedOneByOne } from '../protocol.js';
import { PRIME, STENCIL_WIDTH } from '../shapes.js';

const WORKERS = 2;
const IN_FLIGHT = 256;

type Add = (numbers: number[]) => Promise<number>;

interface Pool {
  readonly add: Add;
  close(): Promise<void>;
}

function open(name: string): Pool {
  const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  if (name === 'piscina') {
    const pool = new Piscina<number[], number>({
      filename: file('pool_worker.js'),
      minThreads: WORKERS,
      maxThreads: WORKERS,
      concurrentTasksPerWorker: IN_FLIGHT / WORKERS,
      taskQueue: new FixedQueue(),
      recordTiming: false,
      idleTimeout: Number.POSITIVE_INFINITY,
    });
    return { add: (numbers) => pool.run(numbers), close: () => pool.destroy() };
  }
  const pool = new FixedClusterPool<number[], number>(WORKERS, file('pool_worker_process.cjs'));
  return {
    add: async (numbers) => (await pool.execute(numbers)) ?? Number.NaN,
    close: async () => pool.destroy(),
  };
}

/** Keeps IN_FLIGHT calls open: more only fill queues. */
async function all(add: Add, lists: readonly number[][]): Promise<number[]> {
  const results = new Array<number>(lists.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < lists.length) {
      const i = next++;
      results[i] = await add(lists[i] as number[]);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return results;
}

const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) % PRIME;

async function tree(add: Add, tasks: number): Promise<number> {
  let level = await all(
    add,
    Array.from({ length: (tasks + 1) / 2 }, () => [1]),
  );
  while (level.length > 1) {
    const below = level;
    const pairs = Array.from({ length: below.length / 2 }, (_, i) => [
      1,
      below[2 * i] as number,
      below[2 * i + 1] as number,
    ]);
    level = await all(add, pairs);
  }
  return level[0] as number;
}

async function chain(add: Add, tasks: number): Promise<number> {
  let last = await add([1]);
  for (let i = 1; i < tasks; i++) last = await add([1, last]);
  return last;
}

/** No barrier between steps: a point starts once its own three are there. */
async function stencil(add: Add, tasks: number): Promise<number> {
  let row = Array.from({ length: STENCIL_WIDTH }, () => add([1]));
  for (let step = 1; step < tasks / STENCIL_WIDTH; step++) {
    const last = row;
    row = last.map(async (_, i) =>
      add([1, ...(await Promise.all(last.slice(Math.max(0, i - 1), i + 2)))]),
    );
  }
  return total(await Promise.all(row));
}

async function run(add: Add, { shape, tasks }: Order): Promise<Report> {
  switch (shape) {
    case 'map':
    case 'submit':
      return timed(async () =>
        total(
          await all(
            add,
            Array.from({ length: tasks }, (_, i) => [i]),
          ),
        ),
      );
    case 'merge':
      return timed(async () => {
        const leaves = Array.from({ length: tasks - 1 }, () => [1]);
        return add([1, ...(await all(add, leaves))]);
      });
    case 'tree':
      return timed(() => tree(add, tasks));
    case 'chain':
      return timed(() => chain(add, tasks));
    case 'stencil':
      return timed(() => stencil(add, tasks));
    case 'rtt':
      return timedOneByOne(tasks, (i) => add([i]));
  }
}

/** Packages hide their manifests from imports; it lies above what they export. */
function versionOf(packageName: string): string {
  let folder = dirname(createRequire(import.meta.url).resolve(packageName));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  const manifest = readFileSync(join(folder, 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

const name = process.argv[2] ?? 'piscina';
const pool = open(name);
const version = versionOf(name);
await serve(`${name} ${version}, Node ${process.versions.node}`, (order) => run(pool.add, order));
await pool.close();
process.exit();
