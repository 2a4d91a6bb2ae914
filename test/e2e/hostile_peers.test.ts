// Hostile frames on a worker's and a client's control socket, and on a worker's data socket, while
// they work: every result is still exact, and the scheduler's state is what it would have been.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from 'heddle';
import { Scheduler } from '#heddle/native/index.js';
import { limits } from '#heddle/wire/index.js';
import { BarePeer, Command, within } from './daemon_support.js';
import { bytes, HostileProxy, hostileFrames } from './hostile_support.js';

const LIMIT = { timeout: 15_000 };

async function startWorker(address: string, name: string): Promise<Command> {
  const worker = new Command([
    ...['worker', '--connect', address, '--lanes', '1', '--name', name, '--json'],
  ]);
  await worker.firstLine();
  return worker;
}

/** Values over the inline limit, made on whichever worker and read on the other, too. */
async function exchangesExactly(client: Client): Promise<void> {
  const made = client.map(
    (seed: number) => new Uint8Array(5_000).fill(seed % 251),
    Array.from({ length: 40 }, (_, i) => i),
  );
  const sum = client.submit(
    (values: Uint8Array[]) => values.reduce((total, v) => total + v.length * (v[0] ?? 0), 0),
    made,
  );
  const expected = Array.from({ length: 40 }, (_, i) => 5_000 * i).reduce((a, b) => a + b, 0);
  assert.equal(await within(sum.result(LIMIT), 'the sum'), expected);
  const values = await within(client.gather(made, LIMIT), 'the values');
  for (const [i, value] of values.entries()) {
    assert.equal(value.length, 5_000);
    assert.ok(value.every((byte) => byte === i % 251));
  }
}

test('hostile frames on control sockets of a worker and of a client', async () => {
  using scheduler = Scheduler.start({ bind: ['tcp://127.0.0.1:0'], check: 'full' });
  const address = scheduler.addresses[0] ?? '';
  using toWorker = await HostileProxy.open(address);
  using toClient = await HostileProxy.open(address);
  await using worker = await startWorker(toWorker.address, 'beset');
  await using client = await Client.connect(toClient.address);
  for (const frame of hostileFrames(scheduler.epoch)) {
    toWorker.inject(frame);
    toClient.inject(frame);
  }
  await exchangesExactly(client);
  for (const frame of hostileFrames(scheduler.epoch)) {
    toWorker.inject(frame);
    toClient.inject(frame);
  }
  await exchangesExactly(client);
  assert.equal(worker.child.exitCode, null, worker.stderr);
  assert.equal(scheduler.state, 'running');
});

test('hostile frames on data sockets of workers', async () => {
  using scheduler = Scheduler.start({ bind: ['tcp://127.0.0.1:0'], check: 'full' });
  const address = scheduler.addresses[0] ?? '';
  await using one = await startWorker(address, 'one');
  await using two = await startWorker(address, 'two');
  await using client = await Client.connect(address);
  const info = (await client.info()) as { procs: { dataAddress: string }[] };
  assert.equal(info.procs.length, 2);
  for (const { dataAddress } of info.procs) {
    using stranger = new BarePeer(dataAddress);
    for (const frame of hostileFrames(scheduler.epoch)) await stranger.send(frame);
    using oversized = new BarePeer(dataAddress);
    await oversized.send(bytes(limits.CHUNK_BYTES_MAX + 100_000, 1));
    // Both are still connected while the values below cross the same sockets.
    await exchangesExactly(client);
  }
  assert.equal(one.child.exitCode, null, one.stderr);
  assert.equal(two.child.exitCode, null, two.stderr);
});
