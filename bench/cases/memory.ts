/** What a finished task costs the scheduler while somebody holds its future. */
import { Client } from 'heddle';
import { WORKERS } from '../cluster.js';
import type { Case, Session, Size } from '../harness.js';
import { Child, rssBytes } from '../processes.js';
import { same } from '../tasks.js';

const TASKS: Record<Size, number> = { smoke: 20_000, full: 1_000_000 };
const WARM_TASKS = 10_000;
const TIMEOUT_MS = 120_000;

/** One scheduler process per round, so that no round finds memory an earlier one left behind. */
async function round(size: Size): Promise<number> {
  const scheduler = new Child('../daemon/main.js', ['scheduler', '--port', '0', '--json']);
  const children = [scheduler];
  try {
    const { address } = JSON.parse(await scheduler.firstLine()) as { address: string };
    for (let i = 0; i < WORKERS; i++) {
      children.push(
        new Child('../daemon/main.js', ['worker', '--connect', address, '--lanes', '1']),
      );
    }
    const client = await Client.connect(address);
    try {
      // Code paths and connections come first: they are not tasks.
      await client.gather(client.map(same, new Float64Array(WARM_TASKS)), { timeout: TIMEOUT_MS });
      const pid = scheduler.process.pid as number;
      const before = rssBytes(pid);
      const inputs = Float64Array.from({ length: TASKS[size] }, (_, i) => i);
      const futures = client.map(same, inputs);
      const results = await client.gather(futures, { timeout: TIMEOUT_MS });
      const wrong = results.findIndex((result, i) => result !== i);
      if (results.length !== TASKS[size] || wrong >= 0) throw new Error(`row ${wrong} is wrong`);
      const held = rssBytes(pid) - before;
      futures.release();
      return held / TASKS[size];
    } finally {
      await client.close();
    }
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}

/** Bytes of resident memory of the scheduler per task. */
export const memory: Case = {
  name: 'memory.held',
  unit: 'B',
  async open(size): Promise<Session> {
    return { round: async () => ({ value: await round(size) }), close: async () => {} };
  },
};
