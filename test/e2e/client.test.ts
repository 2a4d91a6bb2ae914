// The client's whole surface against a real scheduler and real workers.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Client, ctx, type Future, LocalCluster, lazy, RemoteError, task } from 'heddle';
import { rejects, temporaryFolder, until, WAIT_MS } from './support.js';
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

test('map, submit and gather give values in order', async () => {
  const items = Array.from({ length: 5_000 }, (_, i) => i);
  const squares = client.map(tasks.square, items);
  assert.deepEqual(
    await client.gather(squares, { timeout }),
    items.map((x) => x * x),
  );
  const futures = items.slice(0, 1_500).map((x) => client.submit(tasks.add, x, 1));
  assert.deepEqual(
    await client.gather(futures, { timeout }),
    items.slice(0, 1_500).map((x) => x + 1),
  );
  const total = client.submit(tasks.sum, squares.slice(0, 4));
  assert.equal(await total.result({ timeout }), 14);
  assert.deepEqual(await client.gather([total, total], { timeout }), [14, 14]);
  assert.ok((total.attempt as number) >= 1);
});

test('typed arrays, other iterables, constants, maps over futures', async () => {
  const numbers = client.map(tasks.square, new Int16Array([-3, 4]));
  assert.deepEqual(await numbers.results({ timeout }), [9, 16]);
  const set = client.map(tasks.lengthOf, new Set(['a', 'bcd', '']));
  assert.deepEqual(await set.results({ timeout }), [1, 3, 0]);
  const shifted = client.map(tasks.add, numbers, client.submit(tasks.square, 10));
  assert.deepEqual(await shifted.results({ timeout }), [109, 116]);
  const offset = client.map(tasks.square, shifted.slice(1));
  assert.deepEqual(await offset.results({ timeout }), [116 * 116]);
  const mixed = client.map(tasks.square, [client.submit(tasks.square, 2), 3]);
  assert.deepEqual(await mixed.results({ timeout }), [16, 9]);
  const values = [1, 'two', null, undefined, { three: [3] }, new Uint8Array([4]), true];
  assert.deepEqual(await client.map(tasks.echo, values).results({ timeout }), values);
});

test('a map larger than one frame is appended in several, constants included', async () => {
  const sizes = Array.from({ length: 40_000 }, (_, i) => 900 + (i % 7));
  const texts = sizes.map((size, i) => String(i).padEnd(size, 'x'));
  const more = client.submit(tasks.square, 2);
  const lengths = client.map((text: string, by: number) => text.length + by, texts, more);
  assert.deepEqual(
    await lengths.results({ timeout }),
    sizes.map((size) => size + 4),
  );
  assert.equal(await client.submit(tasks.square, 5).result({ timeout }), 25);
});

test('arguments and results keep their types', async () => {
  const values = [
    undefined,
    null,
    -0,
    Number.NaN,
    2 ** 40,
    'text with ünïcode',
    'x'.repeat(100),
    12345678901234567890n,
    new Date(7),
    new Map([['k', new Set([1])]]),
    new Float32Array([1.5, 2.5]),
    new Uint8Array(5_000).fill(3),
    { nested: { list: [1, [2, { three: 3 }]], none: undefined } },
    [],
  ];
  for (const value of values) {
    assert.deepEqual(await client.submit(tasks.echo, value).result({ timeout }), value);
  }
  assert.deepEqual(
    await client
      .submit(tasks.describeArgs, 1, undefined, 'a', [client.submit(tasks.square, 3)])
      .result({ timeout }),
    [1, undefined, 'a', [9]],
  );
});

test('inline functions ship; captured variables are refused at the call', async () => {
  const by = 3;
  assert.deepEqual(await client.map((x: number) => x * 3, [1, 2]).results({ timeout }), [3, 6]);
  const host = client.submit(async () => (await import('node:os')).hostname());
  assert.equal(await host.result({ timeout }), (await import('node:os')).hostname());
  assert.throws(() => client.submit((x: number) => x * by, 1), {
    code: 'ERR_TASK_SERIALIZATION',
    message: /'by'/,
  });
});

test('an error reaches the awaiting caller with class, code, cause, properties and stack', async () => {
  const refusal = await rejects(
    client.submit(tasks.thrower, 'me').result({ timeout }),
    'E_REFUSED',
  );
  assert.ok(refusal instanceof RemoteError);
  assert.equal(refusal.name, 'Refusal');
  assert.equal(refusal.message, 'refused me');
  assert.match(refusal.stack ?? '', /tasks\.js:\d+/);
  assert.deepEqual((refusal as unknown as { detail: unknown }).detail, { item: 7 });
  const type = await rejects(
    client.submit(tasks.thrower, 'type').result({ timeout }),
    'ERR_TASK_FAILED',
  );
  assert.ok(type instanceof TypeError);
  const outer = await rejects(
    client.submit(tasks.thrower, 'cause').result({ timeout }),
    'ERR_TASK_FAILED',
  );
  assert.ok(outer.cause instanceof RangeError);
  const text = await rejects(
    client.submit(tasks.thrower, 'text').result({ timeout }),
    'ERR_TASK_FAILED',
  );
  assert.match(text.message, /just text/);
  // What depends on it fails with the same error.
  const dependent = client.submit(tasks.add, client.submit(tasks.thrower, 'x'), 1);
  assert.match((await rejects(dependent.result({ timeout }), 'E_REFUSED')).message, /refused x/);
  await rejects(
    client.submit(tasks.unserialisable).result({ timeout }),
    'ERR_RESULT_SERIALIZATION',
  );
});

test('gather with some failures: raise or skip', async () => {
  const futures = [1, 2, 3].map((x) => client.submit(tasks.square, x));
  const failing = client.submit(tasks.thrower, 'it') as Future<number>;
  await rejects(client.gather([...futures, failing], { timeout }), 'E_REFUSED');
  const kept = await client.gather([failing, ...futures, failing], { errors: 'skip', timeout });
  assert.deepEqual(kept, [1, 4, 9]);
});

test('retries raise the attempt; without them the first failure counts', async () => {
  // Every dispatch is an attempt, a record moved to an idle lane included: numbers are lower bounds.
  const retried = client.with({ retries: 3 }).submit(tasks.flaky, 3);
  const attempt = await retried.result({ timeout });
  assert.ok(attempt >= 3);
  assert.equal(retried.attempt, attempt);
  await rejects(client.submit(tasks.flaky, 1_000).result({ timeout }), 'ERR_TASK_FAILED');
  const all = await client.with({ retries: 1 }).map(tasks.flaky, [1, 2, 2]).results({ timeout });
  assert.ok(all.every((ran, i) => ran >= ([1, 2, 2][i] as number)));
});

test('a task that takes longer than its timeout fails, and its lane goes on', async () => {
  await rejects(
    client.with({ timeout: 50 }).submit(tasks.later, 60_000).result({ timeout }),
    'ERR_TASK_TIMEOUT',
  );
  assert.equal(await client.submit(tasks.square, 5).result({ timeout }), 25);
});

test('cancel: what waits never starts, what runs sees the signal, dependents go too', async () => {
  using folder = temporaryFolder();
  const [began, aborted] = [join(folder.path, 'began'), join(folder.path, 'aborted')];
  const running = client.submit(tasks.untilAborted, began, aborted);
  const dependent = client.submit(tasks.square, running);
  await until('the task to begin', () => existsSync(began));
  running.cancel();
  await rejects(running.result({ timeout }), 'ERR_CANCELLED');
  await rejects(dependent.result({ timeout }), 'ERR_CANCELLED');
  await until('the body to see its signal', () => existsSync(aborted));
  const abort = new AbortController();
  const many = client
    .with({ signal: abort.signal })
    .map(tasks.later, [60_000, 60_000, 60_000, 60_000]);
  abort.abort();
  for (const future of many) await rejects(future.result({ timeout }), 'ERR_CANCELLED');
  assert.equal(await client.submit(tasks.square, 6).result({ timeout }), 36);
});

test('release: the value goes, what needed it does not', async () => {
  const first = client.submit(tasks.holder, 4);
  const next = client.submit(tasks.consume, first, true);
  first.release();
  await rejects(first.result(), 'ERR_RELEASED');
  assert.equal((await next.result({ timeout })).total, 4_000);
  {
    using scoped = client.submit(tasks.square, 1);
    assert.equal(await scoped.result({ timeout }), 1);
  }
});

test('scatter: small and large values, used by tasks and read back', async () => {
  const small = client.scatter({ k: [1, 2] });
  const large = client.scatter(new Float64Array(300_000).fill(2));
  const each = client.scatterEach([new Uint8Array(2_000_000).fill(1), new Uint8Array(3)]);
  assert.deepEqual(await small.result({ timeout }), { k: [1, 2] });
  assert.equal(await client.submit(tasks.lengthOf, large).result({ timeout }), 300_000);
  assert.deepEqual(await client.map(tasks.lengthOf, each).results({ timeout }), [2_000_000, 3]);
  const back = await large.result({ timeout });
  assert.deepEqual([back.length, back[299_999]], [300_000, 2]);
  assert.equal((await each.results({ timeout }))[0]?.length, 2_000_000);
  assert.throws(() => client.submit(tasks.lengthOf, new Uint8Array(2_000_000)), {
    code: 'ERR_ARGUMENT_TOO_LARGE',
    message: /scatter/,
  });
  assert.throws(() => client.submit(tasks.echo, { a: [() => 1] }), {
    code: 'ERR_ARGUMENT_SERIALIZATION',
    message: /\.a\[0\]/,
  });
});

test('results of several parts: consumers take one part', async () => {
  const made = client.submit(tasks.slices, 3);
  assert.equal(await client.submit(tasks.second, made.part(2)).result({ timeout }), 2);
  const all = client.map(tasks.slices, [2, 3]);
  assert.deepEqual(await client.submit(tasks.echo, all.part(1)).result({ timeout }), [
    new Uint8Array([1, 2]),
    new Uint8Array([1, 3]),
  ]);
});

test('lazy graphs run what is needed, shared nodes once', async () => {
  const one = lazy(tasks.square)(2);
  const two = lazy(tasks.add)(one, one);
  const top = lazy(tasks.sum)([one, two, 1]);
  const [a, b] = client.compute([top, two]);
  assert.deepEqual(await client.gather([a, b], { timeout }), [13, 8]);
  assert.equal(await client.compute(one).result({ timeout }), 4);
  let deep = lazy(tasks.add)(0, 1);
  for (let i = 0; i < 500; i++) deep = lazy(tasks.add)(deep, 1);
  assert.equal(await client.compute(deep).result({ timeout }), 501);
});

test('a line of lazy calls runs as one task, unless fuse is false', async () => {
  const line = () => lazy(tasks.add)(lazy(tasks.square)(lazy(tasks.add)(1, 2)), 1);
  const completed = async () => (await client.stats()).tasksCompleted as number;
  let before = await completed();
  assert.equal(await client.compute(line()).result({ timeout }), 10);
  assert.equal((await completed()) - before, 1);
  before = await completed();
  assert.equal(await client.with({ fuse: false }).compute(line()).result({ timeout }), 10);
  assert.equal((await completed()) - before, 3);
  // Across an await, with arguments that hold the previous result deep inside.
  const waited = lazy((x: number) => Promise.resolve(x * 2))(lazy(tasks.square)(3));
  const deep = lazy((o: { list: number[] }) => o.list)({ list: [1, waited] });
  assert.deepEqual(await client.compute(deep).result({ timeout }), [1, 18]);
});

test('an error in a fused task says which call it came from', async () => {
  const broken = lazy(function broken(x: number): number {
    if (x > 0) throw new RangeError(`no ${x}`);
    return x;
  });
  const node = lazy(tasks.square)(broken(lazy(tasks.square)(2)));
  await assert.rejects(client.compute(node).result({ timeout }), (error: RemoteError) => {
    assert.match(String(error.message), /no 4/);
    assert.match(String(error.stack), /'broken', call 2 of 3/);
    return true;
  });
});

test('calls of a fused task have run keys of their own', async () => {
  const key = lazy((last: string[]) => [...last, ctx.runKey]);
  const keys = await client.compute(key(key(key([])))).result({ timeout });
  assert.equal(new Set(keys).size, 3);
});

test('wait and asCompleted', async () => {
  const slow = client.submit(tasks.later, 200);
  const fast = client.submit(tasks.later, 0);
  const first = await client.wait([slow, fast], { returnWhen: 'first', timeout });
  assert.ok(first.done.length >= 1);
  const order: Future<number>[] = [];
  for await (const future of client.asCompleted([slow, fast])) order.push(future);
  assert.equal(order.length, 2);
  assert.deepEqual((await client.wait([slow, fast], { timeout })).pending, []);
  await rejects(client.wait([client.submit(tasks.later, 60_000)], { timeout: 20 }), 'ERR_TIMEOUT');
});

test('the same key is run once; the same key for other work is refused', async () => {
  const keyed = client.with({ key: 'answer' });
  const before = (await client.stats()).tasksCompleted as number;
  const [a, b] = [keyed.submit(tasks.holder, 1), keyed.submit(tasks.holder, 1)];
  assert.equal(a, b);
  const [left, right] = await client.gather([a, b], { timeout });
  assert.deepEqual(left, right);
  assert.equal(keyed.submit(tasks.holder, 1), a);
  assert.equal(((await client.stats()).tasksCompleted as number) - before, 1);
  await rejects(keyed.submit(tasks.holder, 2).result({ timeout }), 'ERR_KEY_CONFLICT');
  assert.equal(keyed.submit(tasks.holder, 1), a);
  a.release();
  const again = keyed.submit(tasks.holder, 1);
  assert.notEqual(again, a);
  assert.equal((await again.result({ timeout })).seed, 1);
  assert.equal(await client.submit(tasks.square, 2).result({ timeout }), 4);
});

test('a missing export is an error of the task and nothing else', async () => {
  const url = new URL('./tasks.js', import.meta.url).href;
  const lost = task(url, 'noSuchExport', (x: number) => x);
  const error = await rejects(client.submit(lost, 1).result({ timeout }), 'ERR_TASK_MODULE');
  assert.match(error.message, /noSuchExport/);
});

test('stats and info answer', async () => {
  const info = await client.info();
  assert.equal(info.procs.length, 2);
  const stats = await client.stats();
  assert.ok(stats.tasksCompleted > 5_000);
});
