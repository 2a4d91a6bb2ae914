// Symbolic layers end to end: what their tasks are given, and what is refused at the call.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Client, HeddleError, LocalCluster, range } from 'heddle';
import { WAIT_MS } from './support.js';
import * as tasks from './tasks.js';

let cluster: LocalCluster;
let client: Client;
const timeout = WAIT_MS;

before(async () => {
  cluster = await LocalCluster.start({ workers: 2, check: 'touched' });
  client = await cluster.connect();
});
after(async () => {
  await cluster?.close();
});

const refused = (call: () => unknown, text: RegExp, code = 'ERR_ARGUMENT'): void => {
  assert.throws(call, (error) => {
    assert.ok(error instanceof HeddleError);
    assert.equal(error.code, code);
    assert.match(error.message, text);
    return true;
  });
};

test('a range is mapped without being sent', async () => {
  assert.deepEqual(await client.map(tasks.square, range(5)).results({ timeout }), [0, 1, 4, 9, 16]);
  const halves = client.map(tasks.add, range(1, -1, -0.5), 10);
  assert.deepEqual(await halves.results({ timeout }), [11, 10.5, 10, 9.5]);
  assert.deepEqual([...range(3, 6)], [3, 4, 5]);
  assert.deepEqual(await client.map(tasks.square, range(0)).results({ timeout }), []);
  refused(() => range(0, 1, 0), /step/);
});

test('blockwise goes through arrays side by side and shares the rest', async () => {
  const left = client.map(tasks.square, range(1_000));
  const right = client.map(tasks.add, range(1_000), 1);
  const more = client.submit(tasks.square, 3);
  const body = (a: number, b: number, scale: { k: number }, all: number[][]): number =>
    (a + b) * scale.k + (all[0] as number[]).length;
  const made = client.blockwise(body, left, right, { k: more }, [left.slice(0, 5)]);
  assert.deepEqual(
    await made.results({ timeout }),
    Array.from({ length: 1_000 }, (_, i) => (i * i + i + 1) * 9 + 5),
  );
  const pairs = client.blockwise(
    (a: number, b: number) => [a, b],
    left.slice(0, 2),
    right.slice(2, 4),
  );
  assert.deepEqual(await pairs.results({ timeout }), [
    [0, 3],
    [1, 4],
  ]);
  refused(
    () => client.blockwise(tasks.add, left, right.slice(1)),
    /argument 2 has 999 rows, argument 1 has 1000/,
  );
  refused(() => client.blockwise(tasks.add, 1, 2), /needs a FutureArray/);
});

test('treeReduce combines neighbours until one value is left', async () => {
  const numbers = client.map(tasks.square, range(1_000));
  const sum = 332_833_500;
  for (const fanIn of [2, 3, 16, 1_000]) {
    const total = client.treeReduce(tasks.sum, numbers, { fanIn });
    assert.equal(await total.result({ timeout }), sum);
  }
  const words = client.map((x: number) => String.fromCharCode(97 + x), range(10));
  const joined = client.treeReduce((parts: string[]) => parts.join(''), words, { fanIn: 3 });
  assert.equal(await joined.result({ timeout }), 'abcdefghij');
  assert.equal(await client.treeReduce(tasks.sum, numbers.slice(7, 8)).result({ timeout }), 49);
  refused(
    () => client.treeReduce(tasks.sum, numbers, { fanIn: 1 }),
    /fanIn must be an integer from 2/,
  );
  refused(() => client.treeReduce(tasks.sum, numbers.slice(0, 0)), /empty/);
});

test('window gives every task its neighbours', async () => {
  const numbers = client.map(tasks.add, range(6), 0);
  const copy = (values: number[], by: number): number[] => values.map((value) => value * by);
  assert.deepEqual(
    await client
      .window(copy, numbers, { radius: 1 }, client.submit(tasks.add, 1, 1))
      .results({ timeout }),
    [
      [0, 2],
      [0, 2, 4],
      [2, 4, 6],
      [4, 6, 8],
      [6, 8, 10],
      [8, 10],
    ],
  );
  const around = client.window(tasks.sum, numbers, { radius: 2, periodic: true });
  assert.deepEqual(await around.results({ timeout }), [12, 11, 10, 15, 14, 13]);
  refused(
    () => client.window(tasks.sum, numbers, { radius: 0 }),
    /radius must be an integer from 1/,
  );
  refused(
    () => client.window(tasks.sum, numbers, { radius: 3, periodic: true }),
    /would read one twice/,
  );
  refused(() => client.window(tasks.sum, numbers, { radius: 2_000 }), /WINDOW_RADIUS_MAX \(1024\)/);
});

test('a stencil over many steps, then a tree, under cancel of nothing and release of all on the way', async () => {
  const steps = 20;
  let row = client.map(tasks.add, range(64), 0);
  for (let step = 0; step < steps; step++) {
    const next = client.window(tasks.sum, row, { radius: 1, periodic: true });
    row.release();
    row = next;
  }
  const total = client.treeReduce(tasks.sum, row);
  assert.equal(await total.result({ timeout }), ((63 * 64) / 2) * 3 ** steps);
});

test('a failure behind a gate names the task that failed', async () => {
  const bad = client.submit(tasks.thrower, 'plain');
  const all = client.map(tasks.add, range(3), bad);
  await assert.rejects(all.at(2).result({ timeout }), /refused plain/);
});

test('a long list of futures is mapped frame by frame, in order', async () => {
  const count = 70_000;
  const numbers = client.map(tasks.add, range(count), 0);
  const doubled = client.map(tasks.add, [...numbers], 1);
  const results = await doubled.results({ timeout });
  assert.equal(results.length, count);
  assert.ok(results.every((value, i) => value === i + 1));
});
