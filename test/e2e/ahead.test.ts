// Work sent ahead of its inputs gives what it gives one task at a time, whatever happens in the middle.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Client, type Future, LocalCluster } from 'heddle';
import * as tasks from './ahead_tasks.js';
import { rejects, temporaryFolder, WAIT_MS } from './support.js';

const timeout = WAIT_MS;
let cluster: LocalCluster;
let client: Client;

before(async () => {
  cluster = await LocalCluster.start({ workers: 1, lanesPerWorker: 2, check: 'full' });
  client = await cluster.connect();
});

after(async () => {
  await client.close();
  await cluster.close();
});

/** Tasks one after the other, each submitted by itself. */
function chain(from: Future<number> | number, hops: number): Future<number>[] {
  const all: Future<number>[] = [];
  let last: Future<number> | number = from;
  for (let i = 0; i < hops; i++) {
    last = client.submit(tasks.grow, last);
    all.push(last);
  }
  return all;
}

test('a chain of 1,000 tasks is exact, of numbers, of text and of stored values', async () => {
  const numbers = chain(0, 1_000);
  assert.deepEqual(
    await client.gather(numbers, { timeout }),
    numbers.map((_, i) => i + 1),
  );
  let text: Future<string> | string = '';
  let expected = '';
  for (let i = 0; i < 1_000; i++) {
    text = client.submit(tasks.append, text, i);
    expected = `${expected}${i % 10}`.slice(-40);
  }
  assert.equal(await (text as Future<string>).result({ timeout }), expected);
  let values: Future<Float64Array> | Float64Array = new Float64Array(1_000);
  for (let i = 0; i < 100; i++) values = client.submit(tasks.shift, values);
  const shifted = await (values as Future<Float64Array>).result({ timeout });
  assert.ok(shifted.every((value) => value === 100));
});

test('a stencil of explicit tasks on two lanes of one worker is exact', async () => {
  const [width, steps] = [8, 60];
  let row: (Future<number> | number)[] = Array.from({ length: width }, (_, i) => i);
  let expected = row as number[];
  const at = <T>(list: readonly T[], i: number): T => list[(i + width) % width] as T;
  for (let step = 0; step < steps; step++) {
    const [before, known] = [row, expected];
    row = before.map((_, i) =>
      client.submit(tasks.mix, at(before, i - 1), at(before, i), at(before, i + 1)),
    );
    expected = known.map(
      (_, i) => (at(known, i - 1) + 2 * at(known, i) + 3 * at(known, i + 1)) % 9973,
    );
  }
  assert.deepEqual(await client.gather(row as Future<number>[], { timeout }), expected);
});

test('what fails in the middle is blamed by all that come after', async () => {
  const before = chain(0, 50);
  const middle = client.submit(tasks.refuse, before.at(-1) as Future<number>);
  const later = chain(middle, 50);
  assert.equal(await (before.at(-1) as Future<number>).result({ timeout }), 50);
  for (const future of [middle, ...later]) {
    await assert.rejects(future.result({ timeout }), /the middle refuses/);
  }
});

test('a task that is retried in the middle gives its next attempt to the rest', async () => {
  const before = chain(0, 50);
  const middle = client.with({ retries: 1 }).submit(tasks.stumble, before.at(-1) as Future<number>);
  const later = chain(middle, 50);
  assert.equal(await (later.at(-1) as Future<number>).result({ timeout }), 101);
});

test('a worker killed in the middle of a chain does not change its result', async () => {
  using folder = temporaryFolder();
  const before = chain(0, 200);
  const file = join(folder.path, 'died');
  const middle = client.submit(tasks.dieOnce, before.at(-1) as Future<number>, file);
  const later = chain(middle, 200);
  assert.equal(await (later.at(-1) as Future<number>).result({ timeout }), 401);
});

test('cancelling the middle of a chain ends what comes after and nothing else', async () => {
  const before = chain(0, 50);
  const middle = client.submit(tasks.untilAborted, before.at(-1) as Future<number>);
  const later = chain(middle, 50);
  middle.cancel();
  await rejects((later.at(-1) as Future<number>).result({ timeout }), 'ERR_CANCELLED');
  assert.equal(await (before.at(-1) as Future<number>).result({ timeout }), 50);
  assert.equal(await (chain(0, 300).at(-1) as Future<number>).result({ timeout }), 300);
});
