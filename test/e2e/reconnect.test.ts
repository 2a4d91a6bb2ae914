// A client's transport that drops and returns: nothing said is lost or heard twice, in either direction.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, HeddleError } from 'heddle';
import {
  decodeHeartbeat,
  decodeReply,
  encodeCredit,
  encodeHeartbeat,
  encodeQuery,
  encodeSubmit,
  Kind,
  LayerKind,
} from '#heddle/wire/index.js';
import {
  BarePeer,
  Command,
  type SchedulerLine,
  startScheduler,
  until,
  within,
} from './daemon_support.js';
import { Wire } from './reconnect_support.js';

const LIMIT = { timeout: 15_000 };

let scheduler: Command;
let line: SchedulerLine;
let worker: Command;
let witness: Client;

before(async () => {
  ({ command: scheduler, line } = await startScheduler());
  worker = new Command(['worker', '--connect', line.address, '--lanes', '1', '--json']);
  await worker.firstLine();
  witness = await Client.connect(line.address);
});

after(async () => {
  await witness.close();
  await worker[Symbol.asyncDispose]();
  await scheduler[Symbol.asyncDispose]();
});

const counting = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** No task is left; a connected client may keep the layer it appends to. */
async function nothingIsLeft(clients = 1): Promise<void> {
  let seen: unknown;
  await until(
    async () => {
      const stats = await witness.stats();
      seen = [stats.clients, stats.layers, stats.states];
      const live = Object.entries(stats.states).filter(([name]) => name !== 'forgotten');
      return stats.clients === clients && stats.layers < clients && live.every(([, n]) => n === 0);
    },
    () => `left: ${JSON.stringify(seen)}`,
  );
}

test('a wire cut while the client is idle', async () => {
  await using wire = await Wire.open(line.address);
  const client = await Client.connect(wire.address);
  const early = client.map((x: number) => x + 1, counting(1_000));
  await within(early.at(0).result(LIMIT), 'a result');
  for (let cut = 1; cut <= 3; cut++) {
    wire.cut();
    // At once, before the client can know, and across the cut.
    const late = client.map((x: number) => x * 2, counting(500));
    const single = client.submit((a: number, b: number) => a + b, early.at(5), late.at(5));
    assert.deepEqual(
      await within(client.gather(late, LIMIT), 'later results'),
      counting(500).map((x) => x * 2),
    );
    assert.equal(await within(single.result(LIMIT), 'a sum'), 16);
    late.release();
    single.release();
  }
  assert.deepEqual(
    await within(client.gather(early, LIMIT), 'results'),
    counting(1_000).map((x) => x + 1),
  );
  assert.ok(wire.carried >= 4, `${wire.carried} connections`);
  await client.close();
  await nothingIsLeft();
});

test('a wire cut again and again while updates, submissions and releases pass', async () => {
  await using wire = await Wire.open(line.address);
  const client = await Client.connect(wire.address);
  const CUTS = 10;
  for (let round = 0; round < 6 * CUTS; round++) {
    // Some way into the updates of this round: they take more than 3,200 bytes.
    if (round % 6 === 3) wire.cutAfter(50 * (round + 1));
    const mapped = client.map((x: number, y: number) => x * 1_000 + y, counting(400), round);
    const singles = counting(20).map((i) => client.submit((x: number) => -x, mapped.at(i)));
    assert.deepEqual(
      await within(client.gather(mapped, LIMIT), `results of round ${round}`),
      counting(400).map((x) => x * 1_000 + round),
    );
    for (const [i, single] of singles.entries()) {
      assert.equal(await within(single.result(LIMIT), 'a single'), -(i * 1_000 + round));
      single.release();
    }
    mapped.release();
  }
  assert.equal(wire.carried, 1 + CUTS);
  // All was released, and the releases arrived, although the client is still there.
  await nothingIsLeft(2);
  assert.equal((await client.stats()).clients, 2);
  await client.close();
  await nothingIsLeft();
});

test('a wire that is down for longer than a client waits', async () => {
  await using wire = await Wire.open(line.address);
  const client = await Client.connect(wire.address, { grace: 1_000 });
  const slow = client.map(
    (x: number) => new Promise<number>((done) => setTimeout(done, 10, x)),
    counting(500),
  );
  await within(slow.at(0).result(LIMIT), 'a result');
  const pending = client.gather(slow, LIMIT);
  const lost = assert.rejects(
    within(pending, 'the rejection'),
    (error) => error instanceof HeddleError && error.code === 'ERR_SCHEDULER_LOST',
  );
  wire.down();
  await lost;
  assert.throws(() => client.submit((x: number) => x, 1), { code: 'ERR_SCHEDULER_LOST' });
  const others = witness.map((x: number) => x + 7, counting(10));
  assert.deepEqual(
    await within(witness.gather(others, LIMIT), 'results'),
    counting(10).map((x) => x + 7),
  );
  others.release();
  wire.up();
  await client.close();
  await nothingIsLeft();
});

test('a stranger that speaks as a client without a hello', async () => {
  const digest = async (): Promise<unknown> => (await witness.stats()).layers;
  const before = await digest();
  const { scheduler: counted } = await witness.stats();
  using stranger = new BarePeer(line.address);
  const { epoch } = line;
  const layer = { layer: 1, kind: LayerKind.Map, tasks: 5, function: 1 };
  await stranger.send(encodeCredit(epoch, { seq: 9 }));
  await stranger.send(encodeQuery(epoch, { request: 1, what: 'info', body: '' }));
  await stranger.send(encodeSubmit(epoch, { graph: 1, layers: [layer] }));
  await stranger.send(encodeHeartbeat(epoch, { peer: 1 }));
  // The only answer: nobody is known here.
  const answer = await stranger.receive();
  assert.ok(answer !== undefined);
  assert.equal(answer.kind, Kind.Heartbeat);
  assert.deepEqual([decodeHeartbeat(answer).peer, decodeHeartbeat(answer).received], [0, 0]);
  const after = await witness.stats();
  assert.equal(after.scheduler.stale, counted.stale + 4);
  assert.equal(after.scheduler.rejected, counted.rejected);
  assert.equal(await digest(), before);
  // It may still introduce itself, and starts from nothing.
  await stranger.hello();
  await stranger.send(encodeQuery(epoch, { request: 2, what: 'info', body: '' }));
  assert.equal(decodeReply(await stranger.receiveKind(Kind.Reply)).request, 2);
});
