/** From the call to the scheduler's acceptance, of a million tasks that nobody runs; and what they take there. */
import { Client, range } from 'heddle';
import type { Case, Sample, Session, Size } from '../harness.js';
import { Child, rssBytes } from '../processes.js';
import { RawClient } from '../raw_client.js';
import { randomEdges } from '../shapes.js';
import { same, sum } from '../tasks.js';

const TASKS: Record<Size, number> = { smoke: 20_000, full: 1_000_000 };
const LAYERED_TASKS: Record<Size, number> = { smoke: 100_000, full: 10_000_000 };

/** A scheduler without workers; `round` has it for itself. */
async function withScheduler<T>(round: (address: string, pid: number) => Promise<T>): Promise<T> {
  const scheduler = new Child('../daemon/main.js', ['scheduler', '--port', '0', '--json']);
  try {
    const { address } = JSON.parse(await scheduler.firstLine()) as { address: string };
    return await round(address, scheduler.process.pid as number);
  } finally {
    await scheduler.stop();
  }
}

function measured(name: string, unit: 'ms' | 'B', round: (size: Size) => Promise<Sample>): Case {
  return {
    name,
    unit,
    open: async (size): Promise<Session> => ({
      round: () => round(size),
      close: async () => {},
    }),
  };
}

/**
 * Frames of one client are taken in in order, so an answer to a question says that what came before is in. Rows are
 * nothing until the frontier reaches them: it is layers that can be counted.
 */
async function accepted(client: Client, expected: number): Promise<void> {
  const { layers } = await client.stats();
  if (layers !== expected) throw new Error(`the scheduler has ${layers} layers, not ${expected}`);
}

async function bytesReceived(client: Client): Promise<number> {
  return (await client.stats()).scheduler.bytesReceived;
}

/** A map over numbers by arithmetic, then one over its futures: ms of the slower one, bytes of both with a question. */
const layer = measured('submit.layer', 'ms', (size) =>
  withScheduler(async (address) => {
    const client = await Client.connect(address);
    try {
      const tasks = TASKS[size];
      // The function is sent and code is warm; two questions in a row cost what the second is told to.
      const warm = client.map(same, range(10));
      const ask = await bytesReceived(client);
      const before = await bytesReceived(client);
      let start = performance.now();
      const first = client.map(same, range(tasks));
      await accepted(client, 2);
      const overRange = performance.now() - start;
      start = performance.now();
      const second = client.map(same, first);
      await accepted(client, 3);
      const overFutures = performance.now() - start;
      const questions = 3 * (before - ask);
      const bytes = ((await bytesReceived(client)) - before - questions) / 2;
      for (const futures of [warm, first, second]) futures.release();
      return { value: Math.max(overRange, overFutures), beside: { overRange, overFutures, bytes } };
    } finally {
      await client.close();
    }
  }),
);

/** A random graph of two inputs per task, from typed arrays. */
const csr = measured('submit.csr', 'ms', (size) =>
  withScheduler(async (address) => {
    const client = await RawClient.connect(address);
    try {
      await client.submit(randomEdges(1_000));
      const edges = randomEdges(TASKS[size]);
      const start = performance.now();
      const bytes = await client.submit(edges);
      const value = performance.now() - start;
      return { value, beside: { bytesPerTask: bytes / TASKS[size] } };
    } finally {
      client.close();
    }
  }),
);

/** Resident bytes of the scheduler per task of a graph that nobody runs. */
async function held(
  address: string,
  pid: number,
  tasks: number,
  submit: (client: Client) => Promise<void>,
): Promise<Sample> {
  const client = await Client.connect(address);
  try {
    await client.stats();
    const before = rssBytes(pid);
    await submit(client);
    return { value: (rssBytes(pid) - before) / tasks };
  } finally {
    await client.close();
  }
}

/** Four layers: a map, one over it, a window, a binary tree. */
const layered = measured('memory.layered', 'B', (size) =>
  withScheduler((address, pid) => {
    const rows = LAYERED_TASKS[size] / 4;
    return held(address, pid, LAYERED_TASKS[size], async (client) => {
      const first = client.map(same, range(rows));
      const second = client.map(same, first);
      const third = client.window(sum, second, { radius: 1 });
      const root = client.treeReduce(sum, third, { fanIn: 2 });
      for (const futures of [first, second, third]) futures.release();
      await accepted(client, 4);
      root.release();
    });
  }),
);

/** The graph of `submit.csr`, every row live. */
const explicit = measured('memory.explicit', 'B', (size) =>
  withScheduler((address, pid) =>
    held(address, pid, TASKS[size], async () => {
      const raw = await RawClient.connect(address);
      await raw.submit(randomEdges(TASKS[size]));
      raw.close();
    }),
  ),
);

/** In the order of the report. */
export const SUBMIT_CASES: readonly Case[] = [layer, csr, layered, explicit];
