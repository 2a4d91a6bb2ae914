// An engine that fails: everybody who waits for it is told so, nothing hangs, nothing is left behind.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client, type HeddleError, LocalCluster } from 'heddle';
import { Command, LIMIT_MS, until, within } from './daemon_support.js';
import * as tasks from './tasks.js';

const poisoned = (error: HeddleError): boolean => {
  assert.equal(error.code, 'ERR_ENGINE_POISONED');
  assert.match(
    error.message,
    /failed: .*a fault was injected.*Start it again, submit the work again/,
  );
  return true;
};

function runs(pid: number): boolean {
  return existsSync(`/proc/${pid}/stat`);
}

test('an embedded engine that fails rejects what waits, and the cluster closes', async () => {
  const cluster = await LocalCluster.start({ workers: 2 });
  const pids = cluster.workers;
  const clients = [await cluster.connect(), await cluster.connect()];
  const done = clients[0]?.submit(tasks.square, 3);
  assert.equal(await done?.result({ timeout: LIMIT_MS }), 9);
  const waiting = clients.map((client) =>
    client.submit(tasks.later, 60_000).result({ timeout: LIMIT_MS }),
  );
  const outcomes = Promise.allSettled(waiting);
  cluster._scheduler.injectFault();
  for (const outcome of await outcomes) {
    assert.equal(outcome.status, 'rejected');
    poisoned((outcome as PromiseRejectedResult).reason as HeddleError);
  }
  await until(
    () => cluster._scheduler.state === 'failed',
    () => `the scheduler is ${cluster._scheduler.state}`,
  );
  assert.match(cluster._scheduler.failure, /a fault was injected/);
  // What came before is still there; new work is refused with the same reason.
  assert.equal(await done?.result(), 9);
  assert.throws(() => clients[0]?.submit(tasks.square, 1), poisoned);
  await until(
    () => !pids.some(runs),
    () => 'workers outlived the scheduler',
  );
  // None is started in their place.
  assert.deepEqual(cluster.workers, []);
  await within(cluster.close(), 'close');
});

test('a daemon whose engine fails says so and ends with 70', async () => {
  const script = fileURLToPath(new URL('scripts/failing_scheduler.js', import.meta.url));
  const daemon = spawn(process.execPath, [script, 'scheduler', '--port', '0', '--json'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, RUST_BACKTRACE: undefined },
  });
  let stderr = '';
  daemon.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(daemon, 'exit');
  try {
    const [line] = (await within(
      once(createInterface({ input: daemon.stdout }), 'line'),
      'an address',
    )) as [string];
    const { address } = JSON.parse(line) as { address: string };
    await using worker = new Command(['worker', '--connect', address]);
    await using client = await Client.connect(address);
    assert.equal(await client.submit(tasks.square, 4).result({ timeout: LIMIT_MS }), 16);
    const waiting = client.submit(tasks.later, 60_000).result({ timeout: LIMIT_MS });
    const rejected = assert.rejects(waiting, poisoned);
    daemon.stdin.write('now\n');
    await rejected;
    assert.deepEqual(await within(ended, 'exit'), [70, null]);
    // One line, with the place in the source and what to do.
    assert.match(
      stderr,
      /^heddle: the engine stopped: .*\.rs:\d+:\d+\)\. Start .*\[ERR_ENGINE_POISONED\]\n$/,
    );
    // The worker is told, too; it does not wait for a scheduler that will not return.
    assert.equal((await worker.finished()).code, 70);
  } finally {
    daemon.kill('SIGKILL');
    await ended;
  }
});
