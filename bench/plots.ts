/** `--scale FOLDER`: cost per task against workers and against tasks, as two charts. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, type Say, type Size } from './harness.js';
import { type Cost, inprocCost, zeroCost } from './scale.js';
import { chartSvg, type Line } from './svg.js';
import { ZeroWorld } from './zero_world.js';

const WORKERS: Record<Size, readonly number[]> = {
  smoke: [1, 8],
  full: [1, 4, 24, 96, 378, 756, 1_512],
};
const TASKS: Record<Size, readonly number[]> = {
  smoke: [1_000, 10_000],
  full: [10_000, 100_000, 1_000_000, 10_000_000],
};
/** Tasks while workers vary, workers while tasks vary. */
const FIXED_TASKS: Record<Size, number> = { smoke: 10_000, full: 1_000_000 };
const FIXED_WORKERS: Record<Size, number> = { smoke: 2, full: 24 };
const RUNS = 3;

/** The cheapest of a few runs: others' load only ever adds. */
async function least(run: () => Promise<Cost>): Promise<Cost> {
  const costs: Cost[] = [];
  for (let i = 0; i < RUNS; i++) costs.push(await run());
  return {
    wallNs: Math.min(...costs.map(({ wallNs }) => wallNs)),
    schedulerNs: Math.min(...costs.map(({ schedulerNs }) => schedulerNs)),
  };
}

interface Sweep {
  readonly name: string;
  readonly title: string;
  readonly x: string;
  readonly at: readonly number[];
  readonly workers: (at: number) => number;
  readonly tasks: (at: number) => number;
}

async function measured(sweep: Sweep, say: Say): Promise<Line[]> {
  const wall: [number, number][] = [];
  const scheduler: [number, number][] = [];
  const inproc: [number, number][] = [];
  for (const at of sweep.at) {
    const [workers, tasks] = [sweep.workers(at), sweep.tasks(at)];
    const world = await ZeroWorld.start(workers);
    try {
      const cost = await least(() => zeroCost(world, tasks));
      wall.push([at, cost.wallNs]);
      if (Number.isFinite(cost.schedulerNs)) scheduler.push([at, cost.schedulerNs]);
    } finally {
      await world.close();
    }
    inproc.push([at, (await least(() => inprocCost(workers, tasks))).wallNs]);
    const last = [wall, scheduler, inproc].map((line) => format(line.at(-1)?.[1] ?? Number.NaN));
    say(
      `${workers} workers, ${tasks} tasks: ${last.join(', ')} ns (zero, its scheduler's CPU, inproc)`,
    );
  }
  return [
    { name: 'zero, wall', points: wall },
    { name: "zero, scheduler's CPU", points: scheduler },
    { name: 'zero-inproc', points: inproc },
  ].filter(({ points }) => points.length > 0);
}

/** Measures both sweeps and writes a chart of each into `folder`; gives the files' paths. */
export async function plotScale(folder: string, size: Size, say: Say): Promise<string[]> {
  const sweeps: Sweep[] = [
    {
      name: 'workers',
      title: `Cost of a task of a tree of ${FIXED_TASKS[size].toLocaleString('en-US')}`,
      x: 'workers',
      at: WORKERS[size],
      workers: (at) => at,
      tasks: () => FIXED_TASKS[size],
    },
    {
      name: 'tasks',
      title: `Cost of a task of a tree between ${FIXED_WORKERS[size]} workers`,
      x: 'tasks',
      at: TASKS[size],
      workers: () => FIXED_WORKERS[size],
      tasks: (at) => at,
    },
  ];
  mkdirSync(folder, { recursive: true });
  const files: string[] = [];
  for (const sweep of sweeps) {
    const lines = await measured(sweep, say);
    const file = join(folder, `scale-${sweep.name}.svg`);
    writeFileSync(file, chartSvg({ title: sweep.title, x: sweep.x, y: 'ns per task', lines }));
    files.push(file);
  }
  return files;
}
