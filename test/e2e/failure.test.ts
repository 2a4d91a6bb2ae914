// What must survive the death of workers and clients, and what must go with them.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client, type ClientNotice, LocalCluster } from 'heddle';
import { alive, rejects, Script, temporaryFolder, until, WAIT_MS } from './support.js';
import * as tasks from './tasks.js';

const timeout = WAIT_MS;

test('SIGKILL of the sole holder of needed results: exact answers, and only its attempts rise', async () => {
  using folder = temporaryFolder();
  const open = join(folder.path, 'open');
  await using cluster = await LocalCluster.start({ workers: 2, check: 'full' });
  await using client = await cluster.connect();
  const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
  const { held, before } = await until('both workers to hold results', async () => {
    const made = client.map(tasks.holder, seeds);
    const values = await client.gather(made, { timeout });
    const pids = new Set(values.map(({ pid }) => pid));
    return pids.size === 2 ? { held: made, before: values } : undefined;
  });
  const victim = before[0]?.pid as number;

  // Mid-graph: the consumers wait for a gate while the holder dies.
  const gate = client.submit(tasks.gate, open);
  const consumers = seeds.map((_, i) => client.submit(tasks.consume, held.at(i), gate));
  process.kill(victim, 'SIGKILL');
  await until('the victim to be gone', () => !alive(victim));
  writeFileSync(open, 'x');
  const after = await client.gather(consumers, { timeout });
  assert.deepEqual(
    after.map(({ total }) => total),
    seeds.map((seed) => 1_000 * seed),
  );
  for (const [i, held] of before.entries()) {
    const { attempt } = after[i] as (typeof after)[0];
    if (held.pid === victim) assert.ok(attempt > held.attempt, `row ${i} was recomputed`);
    else assert.equal(attempt, held.attempt, `row ${i} was a bystander`);
  }
  // The results themselves can be had again, too.
  const again = await client.gather(held, { timeout });
  assert.deepEqual(
    again.map(({ seed, values }) => [seed, values.length]),
    seeds.map((seed) => [seed, 1_000]),
  );
});

test('a task that kills every worker it runs on fails; bystanders do not', async () => {
  await using cluster = await LocalCluster.start({ workers: 2 });
  await using client = await cluster.connect();
  const poison = client.submit(tasks.killOwnProcess, 'SIGKILL');
  const bystanders = client.map(tasks.later, new Array<number>(20).fill(20));
  await rejects(poison.result({ timeout }), 'ERR_TASK_KILLED_WORKERS');
  assert.equal((await client.gather(bystanders, { timeout })).length, 20);
});

test('without workers work waits visibly, fails after the timeout, and a late worker gets it', async () => {
  await using cluster = await LocalCluster.start({ workers: 0, noWorkersNotice: 50 });
  await using client = await cluster.connect();
  const notices: ClientNotice[] = [];
  client.on('notice', (notice) => notices.push(notice));
  const squares = client.map(tasks.square, [1, 2, 3]);
  const error = await rejects(squares.results({ timeout: 1_000 }), 'ERR_NO_WORKERS');
  assert.match(error.message, /heddle worker --connect/);
  assert.equal(notices[0]?.code, 'ERR_NO_WORKERS');
  const why = await client.why(squares.at(0));
  assert.match(why.reason, /worker/);
  await cluster.addWorker();
  assert.deepEqual(await squares.results({ timeout }), [1, 4, 9]);
  await until('the notice to be taken back', () => notices.some(({ cleared }) => cleared));
});

test('a worker that joins late gets work while others are busy', async () => {
  using folder = temporaryFolder();
  await using cluster = await LocalCluster.start({ workers: 1 });
  await using client = await cluster.connect();
  const gate = client.submit(tasks.gate, join(folder.path, 'open'));
  const pids = client.map(tasks.pidOf, [1, 2, 3, 4, 5, 6, 7, 8]);
  const late = await cluster.addWorker();
  await until('the late worker to have run something', async () => {
    const done = await client.wait(pids, { returnWhen: 'first', timeout });
    const results = await client.gather(done.done, { timeout });
    return results.includes(late);
  });
  writeFileSync(join(folder.path, 'open'), 'x');
  assert.equal(await gate.result({ timeout }), true);
});

/** Tasks the scheduler still has. */
async function present(client: Client): Promise<number> {
  const { states } = await client.stats();
  return Object.entries(states)
    .filter(([state]) => state !== 'forgotten')
    .reduce((sum, [, count]) => sum + count, 0);
}

test("a killed client's tasks go after its grace", async () => {
  await using cluster = await LocalCluster.start({ workers: 1 });
  await using watcher = await Client.connect(cluster.address);
  using script = new Script(new URL('./scripts/submitter.js', import.meta.url), [
    cluster.address,
    '500',
  ]);
  const { tasks: submitted } = await script.json<{ tasks: number }>();
  assert.ok((await present(watcher)) >= submitted - 1);
  script.child.kill('SIGKILL');
  await until('its tasks to be gone', async () => (await present(watcher)) === 0);
});

test('an explicit close gives everything up at once, whatever the grace', async () => {
  await using cluster = await LocalCluster.start({ workers: 1 });
  await using watcher = await Client.connect(cluster.address);
  const client = await Client.connect(cluster.address, { grace: 30_000 });
  client.map(tasks.later, new Array<number>(1_000).fill(100));
  await until('the tasks to be there', async () => (await present(watcher)) > 900);
  const closing = performance.now();
  await client.close();
  await until('the tasks to be gone', async () => (await present(watcher)) === 0);
  assert.ok(performance.now() - closing < 15_000, 'sooner than the grace');
});

test('when the scheduler stops, pending futures reject with a code', async () => {
  const cluster = await LocalCluster.start({ workers: 1 });
  const client = await Client.connect(cluster.address);
  const pending = rejects(
    client.submit(tasks.later, 60_000).result({ timeout }),
    'ERR_SCHEDULER_LOST',
  );
  const pids = cluster.workers;
  await cluster.close();
  await pending;
  for (const pid of pids) assert.ok(!alive(pid));
  await client.close();
});

test('a client whose event loop was blocked for long carries on', async () => {
  await using cluster = await LocalCluster.start({ workers: 1 });
  await using client = await cluster.connect();
  const before = client.submit(tasks.later, 1_000);
  // Longer than the scheduler waits for a sign of life.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const end = performance.now() + 5_500;
  while (performance.now() < end);
  const after = client.submit(tasks.square, 3);
  assert.deepEqual(await client.gather([before, after], { timeout }), [1_000, 9]);
});
