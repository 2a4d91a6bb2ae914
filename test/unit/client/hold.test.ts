// The safety net: what nobody can reach any more is released, what somebody can is not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Client, type Future } from 'heddle';
import { decodeDemand, Kind } from '#heddle/wire/index.js';
import { FakeScheduler } from './fake_scheduler.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const inc = (x: number): number => x + 1;

test('garbage collection releases maps and batches, not what is still held', async () => {
  await using scheduler = await FakeScheduler.start();
  await using client = await Client.connect(scheduler.address);
  const kept: Future<number>[] = [];
  // In functions of their own, so that no register or stack slot keeps what is dropped.
  const drop = (): void => {
    client.map(inc, [1, 2, 3]);
    kept.push(client.map(inc, [4, 5]).at(1));
  };
  const dropBatch = (): void => {
    for (let i = 0; i < 4; i++) client.submit(inc, i);
  };
  drop();
  dropBatch();
  await new Promise((resolve) => setImmediate(resolve));
  const released = new Map<number, number>();
  for (let tries = 0; tries < 100 && released.size < 2; tries++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
    while (scheduler.frames.some(({ kind }) => kind === Kind.Release)) {
      const { layers, counts } = decodeDemand(await scheduler.next(Kind.Release));
      for (const [i, layer] of layers?.entries() ?? []) released.set(layer, counts?.[i] as number);
    }
  }
  assert.deepEqual([...released.values()].sort(), [3, 4]);
  assert.equal(kept[0]?.status, 'pending');
});

test('a result that is awaited is held, whoever forgot its future', async () => {
  await using scheduler = await FakeScheduler.start();
  await using client = await Client.connect(scheduler.address);
  const one = client.submit(inc, 1).result({ timeout: 5_000 });
  const many = client.gather(client.map(inc, [1, 2]), { timeout: 5_000 });
  const single = (await scheduler.submit()).layers[0]?.layer as number;
  const mapped = (await scheduler.submit()).layers[0]?.layer as number;
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await scheduler.numbers(Math.max(single, mapped), 0, [2, 3]);
  await scheduler.numbers(Math.min(single, mapped), 0, [2, 3]);
  assert.equal(await one, 2);
  assert.deepEqual(await many, [2, 3]);
});
