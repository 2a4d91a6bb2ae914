// Values of zero bytes are values: each is an argument, an input and a result like any other.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Client, LocalCluster } from 'heddle';
import { WAIT_MS } from './support.js';
import * as tasks from './tasks.js';

const timeout = WAIT_MS;
/** Enough rows for several sections and pages. */
const MANY = 70_000;
let cluster: LocalCluster;
let client: Client;

before(async () => {
  // Two workers, so that inputs also travel between processes.
  cluster = await LocalCluster.start({ workers: 2, check: 'touched' });
  client = await cluster.connect();
});
after(() => cluster.close());

const bytes = (...values: number[]): Uint8Array => Uint8Array.of(...values);

/** Values that are encoded in no byte at all, and some that merely are empty. */
const EMPTY: readonly (readonly [string, unknown])[] = [
  ['an empty Uint8Array', bytes()],
  ['undefined', undefined],
  ['an empty string', ''],
  ['an empty array', []],
  ['an empty Float64Array', new Float64Array(0)],
];

for (const [name, value] of EMPTY) {
  test(`${name} as the item of every row`, async () => {
    const items = [value, value, value];
    const alone = client.map(tasks.describeArgs, items);
    assert.deepEqual(await alone.results({ timeout }), [[value], [value], [value]]);
    const beside = client.map(tasks.describeArgs, items, 7, client.submit(tasks.square, 3));
    assert.deepEqual(
      await beside.results({ timeout }),
      items.map(() => [value, 7, 9]),
    );
  });

  test(`${name} as argument, inline input, result and scattered value`, async () => {
    const echoed = client.submit(tasks.echo, value);
    assert.deepEqual(await echoed.result({ timeout }), value);
    const passed = client.submit(tasks.describeArgs, echoed, value, echoed);
    assert.deepEqual(await passed.result({ timeout }), [value, value, value]);
    const scattered = client.scatter(value);
    assert.deepEqual(await scattered.result({ timeout }), value);
    // As many rows as lanes and more: some run where the value is not.
    const used = client.map(tasks.describeArgs, [1, 2, 3, 4], scattered);
    assert.deepEqual(
      await used.results({ timeout }),
      [1, 2, 3, 4].map((i) => [i, value]),
    );
  });
}

test('empty and other items of one codec side by side', async () => {
  const items = [bytes(), bytes(1), bytes(), bytes(2, 3)];
  const args = client.map(tasks.describeArgs, items);
  assert.deepEqual(
    await args.results({ timeout }),
    items.map((item) => [item]),
  );
});

test('many rows of no bytes each, appended in several frames', async () => {
  const counts = client.map(
    (...args: unknown[]) => (args[0] instanceof Uint8Array ? args.length : -1),
    Array.from({ length: MANY }, () => bytes()),
  );
  const found = await counts.results({ timeout });
  assert.equal(found.length, MANY);
  assert.ok(found.every((count) => count === 1));
});

test('a chain of tasks without results', async () => {
  let last = client.submit(() => {});
  for (let i = 0; i < 20; i++) last = client.submit((..._before: unknown[]) => {}, last);
  const count = client.submit((...args: unknown[]) => args.length, last);
  assert.equal(await count.result({ timeout }), 1);
});
