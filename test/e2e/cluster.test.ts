// LocalCluster: what it starts, and that nothing of it stays.
import assert from 'node:assert/strict';
import { existsSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { LocalCluster } from 'heddle';
import { wrong } from './scripts/starts_cluster.js';
import { alive, rejects, Script, until, WAIT_MS } from './support.js';
import * as tasks from './tasks.js';

const timeout = WAIT_MS;
const folderOf = (cluster: LocalCluster): string => dirname(cluster.address.slice('ipc://'.length));

test('close ends processes, sockets and the folder, which nobody else may enter', async () => {
  const cluster = await LocalCluster.start({ workers: 2 });
  const folder = folderOf(cluster);
  const pids = cluster.workers;
  assert.equal(pids.length, 2);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  const client = await cluster.connect();
  assert.deepEqual(await client.map(tasks.square, [1, 2]).results({ timeout }), [1, 4]);
  await Promise.all([cluster.close(), cluster.close()]);
  for (const pid of pids) assert.ok(!alive(pid), `worker ${pid}`);
  assert.ok(!existsSync(folder));
  await rejects(cluster.connect(), 'ERR_CLOSED');
  assert.throws(() => client.scatter(1), { code: 'ERR_CLOSED' });
});

test('several clusters live in one process', async () => {
  await using left = await LocalCluster.start({ workers: 1 });
  await using right = await LocalCluster.start({ workers: 1 });
  await using a = await left.connect();
  await using b = await right.connect();
  const [x, y] = [a.submit(tasks.pidOf, 0), b.submit(tasks.pidOf, 0)];
  assert.notEqual(await x.result({ timeout }), await y.result({ timeout }));
  await left.close();
  assert.equal(await b.submit(tasks.square, 3).result({ timeout }), 9);
});

test('several lanes of one worker share a process', async () => {
  await using cluster = await LocalCluster.start({ workers: 1, lanesPerWorker: 3 });
  await using client = await cluster.connect();
  const pids = await client.map(tasks.pidOf, [1, 2, 3, 4, 5, 6]).results({ timeout });
  assert.deepEqual(new Set(pids), new Set(cluster.workers));
});

test('a worker that dies is replaced', async () => {
  await using cluster = await LocalCluster.start({ workers: 1 });
  await using client = await cluster.connect();
  const [pid] = cluster.workers as [number];
  process.kill(pid, 'SIGKILL');
  const next = await client.submit(tasks.pidOf, 0).result({ timeout });
  assert.notEqual(next, pid);
});

test('options are checked; workers that cannot start are an error that says why', async () => {
  await rejects(LocalCluster.start({ workers: -1 }), 'ERR_ARGUMENT');
  await rejects(LocalCluster.start({ workers: 1, lanesPerWorker: 0 }), 'ERR_ARGUMENT');
  const env = { ...process.env, NODE_OPTIONS: '--require /nowhere/to/be/found.cjs' };
  const error = await rejects(
    LocalCluster.start({ workers: 1, restart: false, env }),
    'ERR_WORKER_START',
  );
  assert.match(error.message, /found\.cjs/);
});

test('a task module that starts a cluster says to move its tasks', async () => {
  await using cluster = await LocalCluster.start({ workers: 1 });
  await using client = await cluster.connect();
  const error = await rejects(client.submit(wrong, 1).result({ timeout }), 'ERR_CLUSTER_IN_WORKER');
  assert.match(error.message, /module of their own/);
  assert.equal(await client.submit(tasks.square, 4).result({ timeout }), 16);
});

interface Held {
  readonly pids: number[];
  readonly folder: string;
}

/** Runs a program that holds a cluster, ends it, and asserts that nothing is left. */
async function leavesNothing(way: string, end: (script: Script) => void): Promise<Script> {
  using script = new Script(new URL('./scripts/cluster_holder.js', import.meta.url), [way]);
  const { pids, folder } = await script.json<Held>();
  assert.equal(pids.length, 2);
  end(script);
  await script.ended;
  await until('the workers to be gone', () => pids.every((pid) => !alive(pid)));
  // Nobody is left to remove the folder of a program that was killed.
  if (way === 'kill') rmSync(folder, { recursive: true, force: true });
  assert.ok(!existsSync(folder));
  return script;
}

test('a program that exits, throws or is told to stop leaves nothing behind', async () => {
  const exited = await leavesNothing('exit', () => {});
  assert.equal(await exited.ended, 3);
  const thrown = await leavesNothing('throw', () => {});
  assert.match(thrown.errors, /nobody catches this/);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const stopped = await leavesNothing('wait', ({ child }) => child.kill(signal));
    assert.equal(await stopped.ended, signal);
  }
});

test('workers end when their parent is killed', async () => {
  await leavesNothing('kill', ({ child }) => child.kill('SIGKILL'));
});
