// What the scheduler and its workers remember follows what is alive, not what was ever submitted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalCluster } from 'heddle';
import { until, WAIT_MS } from './support.js';
import * as tasks from './tasks.js';

const timeout = WAIT_MS;
const MAPS = 5_000;
/** Each lane is told in batches of 64 what to forget; the rest is what is alive. */
const LAYERS_MAX = 2 * 64 + 16;

test('thousands of small maps, one after the other, leave no definitions behind', async () => {
  await using cluster = await LocalCluster.start({ workers: 1, lanesPerWorker: 2 });
  await using client = await cluster.connect();
  for (let i = 0; i < MAPS; i++) {
    const squares = client.map(tasks.square, [i, i + 1]);
    const single = i % 10 === 0 ? client.submit(tasks.square, i) : null;
    assert.deepEqual(await squares.results({ timeout }), [i * i, (i + 1) * (i + 1)]);
    squares.release();
    if (single === null) continue;
    assert.equal(await single.result({ timeout }), i * i);
    single.release();
  }
  const stats = () => client.stats();
  await until('all tasks are done', async () => (await stats()).tasksCompleted === MAPS * 2.1);
  // A worker's counters come with its heartbeats: one of those sent after the last result.
  const cpuOf = async (): Promise<number> => (await stats()).procs[0]?.cpuMainNs as number;
  const before = await cpuOf();
  await until('another heartbeat', async () => (await cpuOf()) !== before);
  const held = async (): Promise<number> => (await stats()).procs[0]?.layers as number;
  await until('the worker holds few definitions', async () => (await held()) <= LAYERS_MAX);
  const { layers, inlineBytes, attempts } = await stats();
  assert.ok(attempts >= MAPS * 2.1);
  assert.ok(layers <= 16, `${layers} layers`);
  assert.ok(inlineBytes <= 1024, `${inlineBytes} bytes`);
});
