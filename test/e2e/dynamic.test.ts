// Tasks that submit tasks: over their worker's sockets, without holding a lane while they wait.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Client, LocalCluster, RemoteError } from 'heddle';
import * as tasks from './dynamic_tasks.js';
import { rejects, temporaryFolder, until, WAIT_MS } from './support.js';

const timeout = WAIT_MS;

/** Waits until the scheduler knows of no task any more. */
async function empty(client: Client): Promise<void> {
  await until('the scheduler to have no tasks', async () => {
    const { states } = await client.stats();
    const {
      waiting = 0,
      queued = 0,
      processing = 0,
      memory = 0,
    } = states as Record<string, number>;
    return waiting + queued + processing + memory === 0;
  });
}

test('fib on one lane: a body that waits leaves the lane to the tasks it waits for', async () => {
  await using cluster = await LocalCluster.start({ workers: 1, check: 'full' });
  await using client = await cluster.connect();
  using result = client.submit(tasks.fib, 12);
  assert.equal(await result.result({ timeout }), 144);
  result.release();
  await empty(client);
});

test('fib on two workers, and deeper', async () => {
  await using cluster = await LocalCluster.start({ workers: 2, check: 'touched' });
  await using client = await cluster.connect();
  assert.equal(await client.submit(tasks.fib, 12).result({ timeout }), 144);
  assert.equal(await client.submit(tasks.fib, 17).result({ timeout }), 1597);
});

test('SIGKILL of a worker in the middle: the exact answer, and nothing is left', async () => {
  using folder = temporaryFolder();
  const mark = join(folder.path, 'mark');
  await using cluster = await LocalCluster.start({ workers: 2, check: 'full' });
  await using client = await cluster.connect();
  const result = client.submit(tasks.markedFib, 11, mark);
  await until('a call to have waited', () => existsSync(mark));
  const victim = (await client.info()).procs[0]?.pid as number;
  process.kill(victim, 'SIGKILL');
  assert.equal(await result.result({ timeout }), 89);
  result.release();
  await empty(client);
});

test('every way to submit works in a task', async () => {
  await using cluster = await LocalCluster.start({ workers: 2, check: 'full' });
  await using client = await cluster.connect();
  const { runKey, ...values } = await client.submit(tasks.ways, 100).result({ timeout });
  assert.deepEqual(values, {
    total: 328_350,
    length: 50_000,
    fetched: 50_000,
    put: 20_000,
    completed: 100,
  });
  assert.match(runKey, /^[0-9a-f]+-\d+-\d+$/);
  const sound = client.map(
    tasks.remembers,
    Array.from({ length: 300 }, (_, i) => i),
  );
  assert.ok((await client.gather(sound, { timeout })).every(Boolean), 'ctx is the run’s own');
});

test('a child’s error reaches its parent, to be caught or passed on', async () => {
  await using cluster = await LocalCluster.start({ workers: 1, check: 'full' });
  await using client = await cluster.connect();
  assert.deepEqual(await client.submit(tasks.catches).result({ timeout }), {
    name: 'RangeError',
    message: 'out of range',
    code: 'E_CHILD',
    cause: 'E_ROOT',
  });
  const error = await rejects(client.submit(tasks.passesOn).result({ timeout }), 'E_CHILD');
  assert.ok(error instanceof RangeError || error instanceof RemoteError);
});

test('children end with their parent: cancelled, timed out, or returned', async () => {
  using folder = temporaryFolder();
  await using cluster = await LocalCluster.start({ workers: 1, lanesPerWorker: 2, check: 'full' });
  await using client = await cluster.connect();
  const began = (mark: string) => until(`${mark} to begin`, () => existsSync(`${mark}.began`));
  const ended = (mark: string) => until(`${mark} to end`, () => existsSync(`${mark}.ended`));

  const first = join(folder.path, 'first');
  const cancelled = client.submit(tasks.parent, first);
  await began(first);
  cancelled.cancel();
  await rejects(cancelled.result({ timeout }), 'ERR_CANCELLED');
  await ended(first);

  const second = join(folder.path, 'second');
  const late = client.with({ timeout: 1_000 }).submit(tasks.parent, second);
  await rejects(late.result({ timeout }), 'ERR_TASK_TIMEOUT');
  await ended(second);

  const third = join(folder.path, 'third');
  const left = client.submit(tasks.deserter, third);
  assert.equal(await left.result({ timeout }), 'left');
  await ended(third);
  for (const future of [cancelled, late, left]) future.release();
  await empty(client);
});

test('a body that ends its lane after it has waited fails alone, and may be retried', async () => {
  using folder = temporaryFolder();
  await using cluster = await LocalCluster.start({ workers: 1, check: 'full' });
  await using client = await cluster.connect();
  const once = client.submit(tasks.leaves, join(folder.path, 'a'));
  await rejects(once.result({ timeout }), 'ERR_TASK_EXITED');
  const again = client.with({ retries: 1 }).submit(tasks.leaves, join(folder.path, 'b'));
  assert.equal(await again.result({ timeout }), 9);
});

test('children inherit the priority of their parent', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'order');
  await using cluster = await LocalCluster.start({ workers: 1, check: 'full' });
  await using client = await cluster.connect();
  await client.with({ priority: 5 }).submit(tasks.heir, file).result({ timeout });
  const ran = readFileSync(file, 'utf8').trim().split(' ');
  assert.equal(ran.length, 21);
  assert.equal(ran[0], 'child', 'it went before those of priority 3');
});

test('what a task cannot do is refused with a code', async () => {
  await using cluster = await LocalCluster.start({ workers: 1 });
  await using client = await cluster.connect();
  const error = await rejects(
    client.submit(tasks.gives).result({ timeout }),
    'ERR_RESULT_SERIALIZATION',
  );
  assert.match(error.message, /future/i);
  await rejects(client.submit(tasks.impatient, 3).result({ timeout }), 'ERR_TASK_WAIT');
  await rejects(client.submit(tasks.keyed).result({ timeout }), 'ERR_ARGUMENT');
});
