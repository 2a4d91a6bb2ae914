/** Cost per task against the number of workers and of tasks, over real sockets and without any. */
import { range } from 'heddle';
import { perTask } from './cpu.js';
import { native } from './native.js';
import { same, sum } from './tasks.js';
import { timeOnce } from './time.js';
import type { ZeroWorld } from './zero_world.js';

const TIMEOUT_MS = 300_000;

/** Cost of one task. */
export interface Cost {
  /** Wall time in ns. */
  readonly wallNs: number;
  /** CPU of the scheduler in ns; without sockets, wall time is. */
  readonly schedulerNs: number;
}

/** Rows of a binary reduction of so many rows. */
export function reductions(leaves: number): number {
  let rows = 0;
  for (let level = leaves; level > 1; rows += level) level = Math.ceil(level / 2);
  return rows;
}

/** What a tree answers when a worker counts a row that has no number of its own as 1. */
export const treeSum = (leaves: number): number => (leaves * (leaves + 1)) / 2 + reductions(leaves);

/** A tree of about `tasks` tasks between `workers` workers, in one thread: engine and codec. */
export async function inprocCost(workers: number, tasks: number): Promise<Cost> {
  const run = new (native().BenchInproc)(workers, tasks);
  let answer = Number.NaN;
  const seconds = await timeOnce(() => {
    answer = run.run();
  });
  const leaves = Math.max(2, Math.floor(tasks / 2));
  if (answer !== treeSum(leaves))
    throw new Error(`the tree gave ${answer}, not ${treeSum(leaves)}`);
  const ns = (seconds * 1e9) / run.tasks;
  return { wallNs: ns, schedulerNs: ns };
}

/** The same through the world's sockets, from a client's call to its result. */
export async function zeroCost(world: ZeroWorld, tasks: number): Promise<Cost> {
  const { client } = world;
  const leaves = Math.floor(tasks / 2);
  const cpu = world.cpu();
  const start = performance.now();
  const rows = client.map(same, range(1, leaves + 1));
  const root = client.treeReduce(sum, rows, { fanIn: 2 });
  rows.release();
  const answer = await root.result({ timeout: TIMEOUT_MS });
  const wallNs = ((performance.now() - start) * 1e6) / (leaves + reductions(leaves));
  root.release();
  if (answer !== treeSum(leaves))
    throw new Error(`the tree gave ${answer}, not ${treeSum(leaves)}`);
  const used = perTask(cpu, world.cpu(), leaves + reductions(leaves));
  return { wallNs, schedulerNs: (used.schedulerUs ?? Number.NaN) * 1_000 };
}
