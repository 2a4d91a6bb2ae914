// Workers on a real cluster: user code that misbehaves harms only its task, and values move between
// workers.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Client, LocalCluster, type RemoteError, type TaskOptions } from 'heddle';
import { rejects, temporaryFolder, until, WAIT_MS } from './support.js';
import { describeArgs, echo } from './tasks.js';
import * as tasks from './worker_tasks.js';

const timeout = WAIT_MS;
let cluster: LocalCluster;
let client: Client;

before(async () => {
  cluster = await LocalCluster.start({ workers: 2, lanesPerWorker: 2, check: 'full' });
  client = await cluster.connect();
});

after(async () => {
  await client.close();
  await cluster.close();
});

/** Runs a hazard among bystanders; gives its promise once the bystanders are right. */
async function among(
  what: string,
  options: TaskOptions = {},
  once?: string,
): Promise<{ result: Promise<string> }> {
  const around = Array.from({ length: 400 }, (_, i) => i);
  const first = client.map(tasks.identity, around);
  const result = client.with(options).submit(tasks.hazard, what, once).result({ timeout });
  result.catch(() => {});
  const second = client.map(tasks.next, around);
  assert.deepEqual(await client.gather(first, { timeout }), around);
  assert.deepEqual(
    await client.gather(second, { timeout }),
    around.map((i) => i + 1),
  );
  return { result };
}

test('an exchange of 12 x 9 slices between workers is exact', async () => {
  const [inputs, outputs] = [12, 9];
  const fetched = async (): Promise<number> =>
    (await client.stats()).procs.reduce((sum, proc) => sum + proc.fetchedBytes, 0);
  const rows = client.map(
    tasks.scatterRow,
    Array.from({ length: inputs }, (_, i) => i),
    outputs,
  );
  const collected = Array.from({ length: outputs }, (_, output) =>
    client.submit(
      tasks.collectRow,
      ...Array.from({ length: inputs }, (_, input) => rows.at(input).part<Uint8Array>(output)),
    ),
  );
  const results = await client.gather(collected, { timeout });
  for (const [output, result] of results.entries()) {
    const sum = Array.from({ length: inputs }, (_, input) => 2 * ((input + output) & 255));
    assert.deepEqual(result, [inputs * (1_000 + 37 * output), sum.reduce((a, b) => a + b, 0)]);
  }
  await until('bytes fetched from the other worker', async () => (await fetched()) > 0);
});

test('process.exit, an uncaught error and a forgotten rejection fail their task alone', async () => {
  const pids = (await client.stats()).procs.map((proc) => proc.pid).sort();
  const exit = await rejects((await among('exit')).result, 'ERR_TASK_EXITED');
  assert.match(exit.message, /exit code 7/);
  await assert.rejects((await among('uncaught')).result, {
    name: 'RangeError',
    message: 'thrown by a timer',
  });
  await assert.rejects((await among('rejection')).result, { message: 'nobody listens' });
  const now = (await client.stats()).procs.map((proc) => proc.pid).sort();
  assert.deepEqual(now, pids, 'no process was lost');
});

test('each of them may be retried', async () => {
  using folder = temporaryFolder();
  for (const what of ['exit', 'uncaught', 'rejection']) {
    const { result } = await among(what, { retries: 1 }, join(folder.path, what));
    assert.equal(await result, `${what}, then not`);
  }
});

test('whatever is thrown arrives as an error', async () => {
  const nothing = (await (await among('nothing')).result.catch((e: unknown) => e)) as RemoteError;
  assert.match(nothing.message, /undefined/);
  const getter = (await (await among('getter')).result.catch((e: unknown) => e)) as RemoteError;
  assert.ok(getter instanceof Error);
  const deep = (await (await among('deep')).result.catch((e: unknown) => e)) as Error;
  assert.equal(deep.message, 'level 99');
});

test('a body that blocks its lane for good costs only its lane, and the proc keeps its values', async () => {
  const held = client.map(tasks.bytesOf, [1, 2, 3, 4, 5, 6]);
  await client.wait(held, { timeout });
  const attempts = (await client.stats()).attempts;
  const blocked = client.with({ timeout: 200 }).map(tasks.spin, [0, 0]);
  const bystanders = client.map(
    tasks.next,
    Array.from({ length: 1_000 }, (_, i) => i),
  );
  assert.equal((await client.gather(bystanders, { timeout })).length, 1_000);
  for (let i = 0; i < 2; i++) await rejects(blocked.at(i).result({ timeout }), 'ERR_TASK_TIMEOUT');
  const values = await client.gather(held, { timeout });
  for (const [i, value] of values.entries()) assert.equal(value[3], (3 * (i + 1)) & 255);
  // Nothing was computed again: the values outlived the lanes.
  await until('the lanes to be back', async () => {
    const more = client.map(tasks.next, [1, 2, 3, 4, 5, 6, 7, 8]);
    return (await client.gather(more, { timeout })).length === 8;
  });
  const { attempts: afterwards } = await client.stats();
  assert.ok(afterwards - attempts < 2_000, `${afterwards - attempts} attempts`);
});

test('a task that writes to its input changes nobody else’s', async () => {
  const value = client.submit(tasks.bytesOf, 3);
  const vandals = [1, 2, 3, 4].map(() => client.submit(tasks.vandal, value));
  assert.deepEqual(await client.gather(vandals, { timeout }), [3, 3, 3, 3]);
  assert.equal((await value.result({ timeout }))[2], 6);
});

test('a chain of 300 hops, and the run key that stays over attempts', async () => {
  let hop = client.submit(tasks.next, 0);
  for (let i = 0; i < 300; i++) hop = client.submit(tasks.next, hop);
  assert.equal(await hop.result({ timeout }), 301);
  const failing = await client
    .submit(tasks.runKeyOf, 2)
    .result({ timeout })
    .catch((e: Error) => e);
  assert.match((failing as Error).message, /^[0-9a-f]+-\d+-\d+$/);
  const key = client.with({ retries: 3 }).submit(tasks.runKeyOf, 3);
  assert.notEqual(await key.result({ timeout }), (failing as Error).message);
});

test('values of every size come back as they went', async () => {
  for (const size of [0, 1, 1_023, 1_024, 1_025, 100_000, 3_000_000]) {
    const value = await client.submit(tasks.bytesOf, size).result({ timeout });
    assert.equal(value.length, 20_000);
    const text = 'é'.repeat(Math.min(size, 400_000));
    assert.equal(await client.submit(echo, text).result({ timeout }), text);
  }
  const many = await client
    .submit(describeArgs, ...Array.from({ length: 200 }, (_, i) => client.submit(tasks.next, i)))
    .result({ timeout });
  assert.deepEqual(
    many,
    Array.from({ length: 200 }, (_, i) => i + 1),
  );
});
