// Many results: one by one as they end, in order, in batches, as columns.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Client, type Future, LocalCluster } from 'heddle';
import { rejects, until, WAIT_MS } from './support.js';
import * as tasks from './tasks.js';

const timeout = WAIT_MS;
let cluster: LocalCluster;
let client: Client;

before(async () => {
  cluster = await LocalCluster.start({ workers: 2, check: 'light' });
  client = await cluster.connect();
});
after(async () => {
  await cluster?.close();
});

const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

test('200,000 futures come as their tasks end, each once', async () => {
  const n = 200_000;
  const futures = client.map(tasks.square, numbers(n));
  const seen = new Uint8Array(n);
  for await (const future of client.asCompleted(futures)) {
    assert.equal(future.status, 'done');
    const row = future._row - futures._first;
    seen[row] = (seen[row] as number) + 1;
  }
  assert.ok(seen.every((times) => times === 1));
  const part = futures.slice(10, 20);
  let again = 0;
  for await (const _ of client.asCompleted(part)) again++;
  assert.equal(again, 10, 'those that had ended before');
});

test('picked futures, failures, releases, and leaving early', async () => {
  const good = client.submit(tasks.square, 3);
  const bad = client.submit(tasks.thrower, 'error');
  const slow = client.submit(tasks.later, 60_000);
  const states: string[] = [];
  const order: Future<unknown>[] = [];
  for await (const future of client.asCompleted<unknown>([slow, good, bad, good])) {
    states.push(future.status);
    order.push(future);
    if (states.length === 3) slow.release();
  }
  assert.deepEqual(states.sort(), ['done', 'done', 'failed', 'released']);
  assert.equal(order.at(-1), slow);
  const many = client.map(tasks.square, numbers(5_000));
  for await (const future of client.asCompleted(many)) {
    assert.equal(await future.result({ timeout }), future._row ** 2);
    break;
  }
  assert.equal((await many.results({ timeout })).length, 5_000);
});

test('wait returns at all, the first or the first failure', async () => {
  const slow = client.submit(tasks.later, 60_000);
  const first = await client.wait([slow, client.submit(tasks.square, 1)], {
    returnWhen: 'first',
    timeout,
  });
  assert.deepEqual([first.done.length, first.pending.length], [1, 1]);
  const failed = await client.wait<unknown>(
    [client.submit(tasks.square, 2), slow, client.submit(tasks.thrower, 'error')],
    { returnWhen: 'first-error', timeout },
  );
  assert.ok(failed.pending.includes(slow));
  slow.release();
  const all = await client.wait(client.map(tasks.square, numbers(10_000)), { timeout });
  assert.deepEqual([all.done.length, all.pending.length], [10_000, 0]);
});

test('numbers as one typed array', async () => {
  const futures = client.map(tasks.square, numbers(50_000));
  const column = await client.gather(futures, { as: Float64Array, timeout });
  assert.ok(column instanceof Float64Array);
  assert.deepEqual(
    [...column],
    numbers(50_000).map((x) => x * x),
  );
  assert.deepEqual(
    await futures.slice(3, 5).results({ as: Float64Array, timeout }),
    new Float64Array([9, 16]),
  );
  const texts = client.map(tasks.echo, ['a', 'b']);
  const error = await rejects(texts.results({ as: Float64Array, timeout }), 'ERR_ARGUMENT');
  assert.match(error.message, /result 0 is string/);
});

test('streams are in order, in batches, and give up what is past', async () => {
  const futures = client.map(tasks.square, numbers(10_000));
  const sizes: number[] = [];
  const values: number[] = [];
  for await (const batch of futures.stream({ batch: 3_000, timeout, release: true })) {
    sizes.push(batch.length);
    values.push(...batch);
  }
  assert.deepEqual(sizes, [3_000, 3_000, 3_000, 1_000]);
  assert.deepEqual(
    values,
    numbers(10_000).map((x) => x * x),
  );
  assert.equal(futures.at(0).status, 'released');
  assert.equal(futures.at(-1).status, 'released');
  const left = client.map(tasks.square, numbers(100));
  for await (const batch of left.stream({ batch: 10, timeout, release: true })) {
    assert.equal(batch.length, 10);
    break;
  }
  await until('the rest to be given up', () => left.at(99).status === 'released');
  const single: number[] = [];
  for await (const value of client.map(tasks.square, numbers(10))) single.push(value);
  assert.deepEqual(
    single,
    numbers(10).map((x) => x * x),
  );
});
