/** How much a task's cost grows from 24 to 1,512 workers: once over real sockets, once without any. */
import type { Case, Sample, Session, Size } from '../harness.js';
import { type Cost, inprocCost, zeroCost } from '../scale.js';
import { median } from '../stats.js';
import { ZeroWorld } from '../zero_world.js';

/** The numbers RSDS and Dask were measured at. */
const WORKERS: Record<Size, readonly [few: number, many: number]> = {
  smoke: [2, 40],
  full: [24, 1_512],
};
const TASKS: Record<Size, number> = { smoke: 20_000, full: 1_000_000 };
/** Runs of each number of workers, of which the median counts. */
const RUNS: Record<Size, number> = { smoke: 1, full: 5 };

type Measure = (workers: number, tasks: number, runs: number) => Promise<Cost>;

function middle(costs: readonly Cost[]): Cost {
  return {
    wallNs: median(costs.map(({ wallNs }) => wallNs)),
    schedulerNs: median(costs.map(({ schedulerNs }) => schedulerNs)),
  };
}

const zero: Measure = async (workers, tasks, runs) => {
  const world = await ZeroWorld.start(workers);
  try {
    const costs: Cost[] = [];
    // The first run defines layers to every worker and warms up.
    for (let i = 0; i <= runs; i++) costs.push(await zeroCost(world, tasks));
    return middle(costs.slice(1));
  } finally {
    await world.close();
  }
};

const inproc: Measure = async (workers, tasks, runs) => {
  const costs: Cost[] = [];
  for (let i = 0; i < runs; i++) costs.push(await inprocCost(workers, tasks));
  return middle(costs);
};

function growth(name: string, measure: Measure): Case {
  return {
    name,
    unit: 'x',
    open: async (size): Promise<Session> => ({
      async round(): Promise<Sample> {
        const [few, many] = WORKERS[size];
        const from = await measure(few, TASKS[size], RUNS[size]);
        const to = await measure(many, TASKS[size], RUNS[size]);
        return {
          value: to.wallNs / from.wallNs,
          beside: {
            fewNs: from.wallNs,
            manyNs: to.wallNs,
            schedulerGrowth: to.schedulerNs / from.schedulerNs,
          },
        };
      },
      close: async () => {},
    }),
  };
}

/** In the order of the report. */
export const GROWTH_CASES: readonly Case[] = [
  growth('growth.zero', zero),
  growth('growth.inproc', inproc),
];
