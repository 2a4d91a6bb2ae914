// The connection against a scripted scheduler: refusal, silence, garbage, loss and return.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, type HeddleError } from 'heddle';
import {
  encodeBye,
  encodeHeartbeat,
  encodeReject,
  encodeUpdate,
  encodeWelcome,
  Kind,
} from '#heddle/wire/index.js';
import { FakeScheduler } from './fake_scheduler.js';

const inc = (x: number): number => x + 1;
const rejects = (promise: Promise<unknown>, code: string): Promise<void> =>
  assert.rejects(promise, (error: HeddleError) => error.code === code);

test('addresses and options are checked', async () => {
  for (const address of ['localhost:8786', 'udp://127.0.0.1:1', 'tcp://127.0.0.1', 'ipc://', '']) {
    await rejects(Client.connect(address), 'ERR_ADDRESS_INVALID');
  }
  await rejects(Client.connect('tcp://127.0.0.1:1', { timeout: 0 }), 'ERR_ARGUMENT');
});

test('nobody answers: an error that says where and what to do', async () => {
  await assert.rejects(Client.connect('tcp://127.0.0.1:1', { timeout: 100 }), {
    code: 'ERR_CONNECT_TIMEOUT',
    message: /tcp:\/\/127\.0\.0\.1:1 within 100 ms.*heddle scheduler/,
  });
  await using mute = await FakeScheduler.start();
  mute.welcome = false;
  await rejects(Client.connect(mute.address, { timeout: 100 }), 'ERR_CONNECT_TIMEOUT');
});

test('a refusal is the code the scheduler gave', async () => {
  await using scheduler = await FakeScheduler.start();
  scheduler.welcome = false;
  const connecting = rejects(Client.connect(scheduler.address), 'ERR_PROTOCOL_VERSION');
  while (scheduler.hellos === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const message = { code: 'ERR_PROTOCOL_VERSION', message: 'version 2 is spoken here' };
  await scheduler.send(encodeReject(0, message));
  await connecting;
});

test('frames that are not valid, or of another epoch, change nothing', async () => {
  await using scheduler = await FakeScheduler.start();
  await using client = await Client.connect(scheduler.address);
  const future = client.submit(inc, 1);
  const layer = (await scheduler.submit()).layers[0]?.layer as number;
  const good = encodeUpdate(scheduler.epoch, { seq: 1 })[0] as Uint8Array;
  for (let length = 0; length < good.length; length++) {
    await scheduler.send([good.subarray(0, length)]);
    const twisted = new Uint8Array(good);
    twisted[length] = (twisted[length] as number) ^ 0xff;
    if (length < 2 || length > 4) await scheduler.send([twisted]);
  }
  await scheduler.send([Buffer.alloc(0)]);
  await scheduler.send([Buffer.alloc(1000, 0xff)]);
  await scheduler.send([good, good]);
  await scheduler.send(encodeBye(scheduler.epoch + 1, {}));
  assert.equal(future.status, 'pending');
  await scheduler.numbers(layer, 0, [2]);
  assert.equal(await future.result({ timeout: 5_000 }), 2);
});

test('when the scheduler goes, what is pending rejects and listeners are told once', async () => {
  const scheduler = await FakeScheduler.start();
  const client = await Client.connect(scheduler.address);
  const lost: string[] = [];
  client.on('lost', ({ code }) => lost.push(code));
  const futures = client.map(inc, [1, 2]);
  await scheduler.next(Kind.Submit);
  const waits = [
    rejects(futures.at(0).result(), 'ERR_SCHEDULER_LOST'),
    rejects(client.gather(futures), 'ERR_SCHEDULER_LOST'),
    rejects(client.wait(futures), 'ERR_SCHEDULER_LOST'),
    rejects(client.info(), 'ERR_SCHEDULER_LOST'),
  ];
  await scheduler.send(encodeBye(scheduler.epoch, { reason: 'stop' }));
  await Promise.all(waits);
  assert.deepEqual(lost, ['ERR_SCHEDULER_LOST']);
  assert.ok(client.closed);
  assert.throws(() => client.map(inc, [1]), { code: 'ERR_SCHEDULER_LOST' });
  await client.close();
  await scheduler[Symbol.asyncDispose]();
});

test('a scheduler that vanishes without a word is noticed by its socket', async () => {
  const scheduler = await FakeScheduler.start();
  await using client = await Client.connect(scheduler.address);
  scheduler.accept = false;
  const future = client.submit(inc, 1);
  await scheduler.next(Kind.Submit);
  const lost = rejects(future.result({ timeout: 10_000 }), 'ERR_SCHEDULER_LOST');
  await scheduler[Symbol.asyncDispose]();
  await lost;
});

test('a Welcome of another epoch means another scheduler', async () => {
  await using scheduler = await FakeScheduler.start();
  await using client = await Client.connect(scheduler.address);
  const future = client.submit(inc, 1);
  await scheduler.next(Kind.Submit);
  const lost = rejects(future.result({ timeout: 5_000 }), 'ERR_SCHEDULER_LOST');
  scheduler.welcome = false;
  await scheduler.send(encodeHeartbeat(scheduler.epoch, { peer: 0 }));
  while (scheduler.hellos < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  await scheduler.send(encodeWelcome(99, { peer: 1, epoch: 99 }));
  await lost;
});

test('a client that was given up greets again, and says again what was not taken in', async () => {
  await using scheduler = await FakeScheduler.start();
  await using client = await Client.connect(scheduler.address);
  const future = client.submit(inc, 1);
  const graphs = [(await scheduler.submit()).graph];
  scheduler.deaf = true;
  for (let i = 0; i < 3; i++) {
    client.submit(inc, i);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await scheduler.send(encodeHeartbeat(scheduler.epoch, { peer: 0 }));
  client.submit(inc, 9);
  for (let i = 0; i < 4; i++) graphs.push((await scheduler.submit()).graph);
  assert.deepEqual(graphs, [1, 2, 3, 4, 5]);
  assert.equal(future.status, 'pending');
  assert.equal(client.closed, false);
});

test('a Welcome that shows that something is missing ends the session', async () => {
  await using scheduler = await FakeScheduler.start();
  await using client = await Client.connect(scheduler.address);
  const future = client.submit(inc, 1);
  await scheduler.next(Kind.Submit);
  // It was confirmed, and is not kept any more.
  while (scheduler.received === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await scheduler.numbers(1, 0, [2]);
  assert.equal(await future.result({ timeout: 5_000 }), 2);
  scheduler.received = 0;
  const lost = rejects(client.submit(inc, 2).result({ timeout: 5_000 }), 'ERR_SCHEDULER_LOST');
  await scheduler.send(encodeHeartbeat(scheduler.epoch, { peer: 0 }));
  await lost;
});
