/** The whole loop less the tasks: real client, scheduler and sockets, workers that answer at once. */
import { type Client, range } from 'heddle';
import { WORKERS } from '../cluster.js';
import { perTask } from '../cpu.js';
import type { Case, Session, Size } from '../harness.js';
import { reductions } from '../scale.js';
import { same, sum } from '../tasks.js';
import { ZeroWorld } from '../zero_world.js';

const TASKS: Record<Size, number> = { smoke: 4_000, full: 500_000 };
const WARM_TASKS = 20_000;
const TIMEOUT_MS = 60_000;

/**
 * Runs a graph of about `tasks` tasks to its one result; a zero-worker answers with the sum of what it is given. Leaves
 * are 1, 2, …: none can be lost or doubled without a trace.
 */
type Graph = (client: Client, tasks: number) => Promise<{ tasks: number; result: number }>;

/** Independent tasks and one that reads them all. */
const merge: Graph = async (client, tasks) => {
  const leaves = client.map(same, range(1, tasks));
  const root = client.submit(sum, leaves as never);
  leaves.release();
  const result = (await root.result({ timeout: TIMEOUT_MS })) as number;
  root.release();
  return { tasks, result };
};

/** A binary reduction. */
const tree: Graph = async (client, tasks) => {
  const leaves = tasks >> 1;
  const rows = client.map(same, range(1, leaves + 1));
  const root = client.treeReduce(sum, rows, { fanIn: 2 });
  rows.release();
  const result = await root.result({ timeout: TIMEOUT_MS });
  root.release();
  return { tasks: leaves + reductions(leaves), result };
};

async function checked(client: Client, graph: Graph, asked: number): Promise<number> {
  const { tasks, result } = await graph(client, asked);
  const leaves = graph === merge ? tasks - 1 : asked >> 1;
  // A zero-worker counts a row that has no number of its own as 1.
  const expected = (leaves * (leaves + 1)) / 2 + (tasks - leaves);
  if (result !== expected) throw new Error(`the sum is ${result} instead of ${expected}`);
  return tasks;
}

function zero(name: string, graph: Graph): Case {
  return {
    name,
    unit: 'tasks/s',
    async open(size): Promise<Session> {
      const world = await ZeroWorld.start(WORKERS);
      await checked(world.client, graph, WARM_TASKS);
      return {
        async round() {
          const before = Number((await world.client.stats()).tasksCompleted);
          const cpu = world.cpu();
          const start = performance.now();
          const tasks = await checked(world.client, graph, TASKS[size]);
          const seconds = (performance.now() - start) / 1_000;
          const beside = perTask(cpu, world.cpu(), tasks);
          const completed = Number((await world.client.stats()).tasksCompleted) - before;
          if (completed !== tasks) throw new Error(`${completed} of ${tasks} tasks were completed`);
          return { value: tasks / seconds, beside };
        },
        close: () => world.close(),
      };
    },
  };
}

/** In the order of the report. */
export const ZERO_CASES: readonly Case[] = [zero('zero.merge', merge), zero('zero.tree', tree)];
