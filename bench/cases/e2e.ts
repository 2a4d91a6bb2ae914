/** The whole loop: client, scheduler, worker processes and back. */
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, LocalCluster } from 'heddle';
import { joinCluster, leaveCluster, tasksCompleted } from '../cluster.js';
import { type CpuTimes, perTask } from '../cpu.js';
import type { Case, Sample, Size, Unit } from '../harness.js';
import { cpuNanos } from '../processes.js';
import { median, quantile } from '../stats.js';
import { grow, next, same } from '../tasks.js';

const MAP_TASKS: Record<Size, number> = { smoke: 5_000, full: 200_000 };
const SUBMITS: Record<Size, number> = { smoke: 1_000, full: 50_000 };
const HOPS: Record<Size, number> = { smoke: 50, full: 1_000 };
const CHAINS: Record<Size, number> = { smoke: 1, full: 41 };
const CHAIN_TASKS: Record<Size, number> = { smoke: 50, full: 41_000 };
/** Tasks that submit tasks, and how many each submits. */
const PARENTS: Record<Size, number> = { smoke: 10, full: 500 };
const CHILDREN = 100;
const TRIPS: Record<Size, number> = { smoke: 50, full: 1_000 };
const WARM_TASKS = 20_000;
/** Idle time before, and during, the measurement of idle CPU, in ms. */
const SETTLE_MS = 1_000;
const IDLE_MS: Record<Size, number> = { smoke: 200, full: 2_000 };
const TIMEOUT_MS = 60_000;

type Round = (client: Client, size: Size, cluster: LocalCluster) => Promise<Sample>;

/** CPU time of this process, which is client and scheduler, and of the workers. */
function cpu(cluster: LocalCluster): CpuTimes {
  const nanos = (pid: number): number => cpuNanos(pid) ?? Number.NaN;
  const workers = cluster.workers.map(nanos).reduce((a, b) => a + b, 0);
  return { main: nanos(process.pid), workers };
}

/** @param tasks tasks of a round, for CPU time per task; without, it is not told. */
function e2e(name: string, unit: Unit, round: Round, tasks?: Record<Size, number>): Case {
  return {
    name,
    unit,
    async open(size) {
      const { client, cluster } = await joinCluster();
      const warm = client.map(same, numbers(WARM_TASKS));
      await client.gather(warm, { timeout: TIMEOUT_MS });
      warm.release();
      return {
        async round() {
          const before = cpu(cluster);
          const sample = await round(client, size, cluster);
          if (tasks === undefined) return sample;
          const used = perTask(before, cpu(cluster), tasks[size]);
          return { ...sample, beside: { ...sample.beside, ...used } };
        },
        close: leaveCluster,
      };
    },
  };
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

function checkSame(results: readonly unknown[], count: number): void {
  if (results.length !== count) throw new Error(`${results.length} results instead of ${count}`);
  const wrong = results.findIndex((result, i) => result !== i);
  if (wrong >= 0) throw new Error(`input ${wrong} came back as ${String(results[wrong])}`);
}

const map: Round = async (client, size) => {
  const inputs = numbers(MAP_TASKS[size]);
  const before = await tasksCompleted(client);
  const start = performance.now();
  const futures = client.map(same, inputs);
  const results = await client.gather(futures, { timeout: TIMEOUT_MS });
  const seconds = (performance.now() - start) / 1_000;
  checkSame(results, inputs.length);
  const completed = (await tasksCompleted(client)) - before;
  if (completed !== inputs.length) {
    throw new Error(`the scheduler completed ${completed} tasks instead of ${inputs.length}`);
  }
  futures.release();
  return { value: inputs.length / seconds };
};

const submit: Round = async (client, size) => {
  const count = SUBMITS[size];
  const start = performance.now();
  const futures = [];
  for (let i = 0; i < count; i++) futures.push(client.submit(same, i));
  const results = await client.gather(futures, { timeout: TIMEOUT_MS });
  const seconds = (performance.now() - start) / 1_000;
  checkSame(results, count);
  client.release(futures);
  return { value: count / seconds };
};

/** One chain; us per hop. */
async function oneChain(client: Client, hops: number): Promise<number> {
  const start = performance.now();
  let last = client.submit(next, 0);
  for (let i = 1; i < hops; i++) {
    const previous = last;
    last = client.submit(next, previous);
    previous.release();
  }
  const result = await last.result({ timeout: TIMEOUT_MS });
  const micros = (performance.now() - start) * 1_000;
  if (result !== hops) throw new Error(`the chain gave ${result} instead of ${hops}`);
  last.release();
  return micros / hops;
}

/** A chain is short, and the first ones measure compilers: several, of which the middle one counts. */
const chain: Round = async (client, size) => {
  const micros: number[] = [];
  for (let i = 0; i < CHAINS[size]; i++) micros.push(await oneChain(client, HOPS[size]));
  return { value: median(micros) };
};

/** Tasks that submit tasks and wait for them: each parent's children are a map of its own. */
const dynamic: Round = async (client, size) => {
  const [parents, children] = [PARENTS[size], CHILDREN];
  const start = performance.now();
  const futures = client.map(grow, new Array<number>(parents).fill(children));
  const sums = await client.gather(futures, { timeout: TIMEOUT_MS });
  const seconds = (performance.now() - start) / 1_000;
  const wrong = sums.findIndex((sum) => sum !== (children * (children - 1)) / 2);
  if (wrong >= 0) throw new Error(`the children of ${wrong} gave ${sums[wrong]}`);
  futures.release();
  return { value: (parents * (children + 1)) / seconds };
};

const rtt: Round = async (client, size, cluster) => {
  const times: number[] = [];
  for (let i = 0; i < TRIPS[size]; i++) {
    const start = performance.now();
    const future = client.submit(same, i);
    const result = await future.result({ timeout: TIMEOUT_MS });
    times.push((performance.now() - start) * 1_000);
    if (result !== i) throw new Error(`input ${i} came back as ${result}`);
    future.release();
  }
  const idlePercent = await idle([process.pid, ...cluster.workers], IDLE_MS[size]);
  return { value: median(times), beside: { p99: quantile(times, 0.99), idlePercent } };
};

/** The most that any of the processes uses of a core while nothing happens, in percent. */
async function idle(pids: readonly number[], forMs: number): Promise<number> {
  await sleep(SETTLE_MS);
  const before = pids.map(cpuNanos);
  const start = performance.now();
  await sleep(forMs);
  const nanos = (performance.now() - start) * 1e6;
  const shares = pids.map((pid, i) => {
    const [from, to] = [before[i], cpuNanos(pid)];
    // Not told here: better no figure than a wrong one.
    return from === undefined || to === undefined ? Number.NaN : ((to - from) * 100) / nanos;
  });
  return Math.max(...shares);
}

/** In the order of the report. */
export const E2E_CASES: readonly Case[] = [
  e2e('e2e.map', 'tasks/s', map, MAP_TASKS),
  e2e('e2e.submit', 'tasks/s', submit, SUBMITS),
  e2e('e2e.chain', 'us', chain, CHAIN_TASKS),
  e2e('e2e.dynamic', 'tasks/s', dynamic),
  e2e('e2e.rtt', 'us', rtt),
];
