// Bytes nobody should send: the scheduler drops their sender, counts it, and changes nothing else.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { Scheduler } from '#heddle/native/index.js';
import {
  decodeReject,
  decodeReply,
  decodeWelcome,
  encodeDefineFunction,
  encodeDone,
  encodeHeartbeat,
  encodeLanes,
  encodeQuery,
  encodeSubmit,
  Kind,
  LayerKind,
  limits,
  Role,
  stampCrc,
} from '#heddle/wire/index.js';
import { BarePeer, helloOf, until, within } from './daemon_support.js';
import { bytes } from './hostile_support.js';

let scheduler: Scheduler;
let witness: Witness;

/** A client with manners: it asks for the digest and the counters. */
class Witness {
  readonly #peer: BarePeer;
  #request = 0;

  constructor(address: string) {
    this.#peer = new BarePeer(address);
  }

  async connect(): Promise<void> {
    await this.#peer.hello();
  }

  async ask(what: string): Promise<Record<string, unknown>> {
    const request = ++this.#request;
    await this.#peer.send(encodeQuery(scheduler.epoch, { request, what, body: '{}' }));
    for (;;) {
      const reply = decodeReply(await this.#peer.receiveKind(Kind.Reply));
      if (reply.request === request) return JSON.parse(reply.body ?? '') as Record<string, unknown>;
    }
  }

  async rejected(): Promise<number> {
    const stats = (await this.ask('stats')) as { scheduler: { rejected: number } };
    return stats.scheduler.rejected;
  }

  close(): void {
    this.#peer.close();
  }
}

before(async () => {
  scheduler = Scheduler.start({ bind: ['tcp://127.0.0.1:0'], check: 'full' });
  witness = new Witness(scheduler.addresses[0] ?? '');
  await within(witness.connect(), 'welcome');
  // One graph in the engine, so that its digest says something.
  const peer = new BarePeer(scheduler.addresses[0] ?? '');
  await peer.hello();
  const hash = new Uint8Array(32);
  const body = new Uint8Array(1);
  await peer.send(encodeDefineFunction(scheduler.epoch, { function: 1, hash, name: 'f', body }));
  const layer = { layer: 1, kind: LayerKind.Map, tasks: 10, function: 1, name: 'f', flags: 1 };
  await peer.send(encodeSubmit(scheduler.epoch, { graph: 1, layers: [layer] }));
  await peer.receiveKind(Kind.Accepted);
  resident = peer;
});
let resident: BarePeer;

after(() => {
  witness.close();
  resident.close();
  scheduler.stop();
});

/** Sends frames from a stranger and asserts that nothing but the counter moved. */
async function withstands(messages: Uint8Array[][], strangers = 1, hello?: Role): Promise<void> {
  // Strangers of the test before are clients until their connection is noticed to be gone.
  await until(
    async () => (await witness.ask('stats')).clients === 2,
    () => 'strangers do not leave',
  );
  const digest = await witness.ask('digest');
  const rejected = await witness.rejected();
  for (let i = 0; i < strangers; i++) {
    using stranger = new BarePeer(scheduler.addresses[0] ?? '');
    if (hello !== undefined) await stranger.hello(hello);
    for (const message of messages) await stranger.send(message);
    await until(
      async () => (await witness.rejected()) >= rejected + i + 1,
      () => 'the counter of rejected peers does not rise',
    );
  }
  if (hello === undefined) assert.deepEqual(await witness.ask('digest'), digest);
  assert.equal(scheduler.state, 'running');
}

const first = (frame: Uint8Array[]): Uint8Array => frame[0] ?? assert.fail('no part');

test('random bytes', async () => {
  for (const [seed, length] of [0, 1, 15, 16, 17, 24, 100, 1000, 100_000].entries()) {
    await withstands([[bytes(length, seed + 1)].concat(length === 0 ? [new Uint8Array(3)] : [])]);
  }
  await withstands([[bytes(8, 1), bytes(8, 2), bytes(8, 3)]]);
});

test('random bodies behind a right header, every kind', async () => {
  for (let kind = 0; kind < 60; kind++) {
    const frame = new Uint8Array(16 + 200);
    frame.set(first(helloOf(Role.Client)).subarray(0, 16));
    frame[4] = kind;
    frame.set(bytes(200, kind + 7), 16);
    await withstands([[frame]]);
  }
});

test('every truncation of a hello', async () => {
  const hello = first(helloOf(Role.Worker));
  for (let length = 1; length < hello.length; length += 3) {
    await withstands([[hello.slice(0, length)]]);
  }
});

test('another major version is told so', async () => {
  using stranger = new BarePeer(scheduler.addresses[0] ?? '');
  const hello = helloOf(Role.Client);
  first(hello)[2] = 2;
  await stranger.send(hello);
  const reject = decodeReject(await stranger.receiveKind(Kind.Reject));
  assert.equal(reject.code, 'ERR_PROTOCOL_VERSION');
  assert.match(reject.message ?? '', /version 2.*version 1/);
});

test('a wrong CRC, a wrong part count', async () => {
  const stamped = stampCrc(helloOf(Role.Client));
  first(stamped)[12] = (first(stamped)[12] ?? 0) ^ 1;
  await withstands([stamped]);
  await withstands([[...helloOf(Role.Client), bytes(8, 1)]]);
});

test('frames of another epoch are stale: counted and ignored', async () => {
  const stale = async () =>
    ((await witness.ask('stats')) as { scheduler: { stale: number } }).scheduler.stale;
  const before = await stale();
  using stranger = new BarePeer(scheduler.addresses[0] ?? '');
  const query = { request: 1, what: 'info', body: '' };
  await stranger.send(encodeQuery(scheduler.epoch ^ 1, query)); // Before hello, too: left over.
  await stranger.hello();
  await stranger.send(encodeQuery(scheduler.epoch ^ 1, query));
  await stranger.send(encodeQuery(scheduler.epoch, { ...query, request: 2 }));
  assert.equal(decodeReply(await stranger.receiveKind(Kind.Reply)).request, 2);
  assert.equal(await stale(), before + 2);
});

test('anything before hello, and a second hello', async () => {
  // What a peer may say in this epoch is left over from a connection that was lost, and ignored: see reconnect.test.ts.
  const query = { request: 1, what: 'info', body: '' };
  const done = { proc: 1, incarnation: 1, sections: [{ serial: 1, count: 1 }] };
  await withstands([encodeQuery(scheduler.epoch, query), encodeDone(0, done)]);
  await withstands([encodeHeartbeat(scheduler.epoch, { peer: 1, incarnation: 1 })]);
  await withstands([helloOf(Role.Client)], 1, Role.Client);
});

test('a worker cannot submit, a client cannot report results', async () => {
  const layer = { layer: 1, kind: LayerKind.Map, tasks: 1, function: 1 };
  await withstands([encodeSubmit(scheduler.epoch, { graph: 1, layers: [layer] })], 1, Role.Worker);
  const done = { proc: 1, incarnation: 1, sections: [{ serial: 1, count: 1 }] };
  await withstands([encodeDone(scheduler.epoch, done)], 1, Role.Client);
  const lanes = { proc: 1, incarnation: 1, lanes: Uint32Array.of(0) };
  await withstands([encodeLanes(scheduler.epoch, lanes)], 1, Role.Client);
});

test('mutations of a submit from a welcomed client', async () => {
  const layer = {
    layer: 1,
    kind: LayerKind.Explicit,
    tasks: 3,
    function: 1,
    depOffsets: Uint32Array.of(0, 0, 1, 2),
    depIndices: Uint32Array.of(0, 1),
    depLayer: 1,
  };
  const submit = first(encodeSubmit(scheduler.epoch, { graph: 1, layers: [layer] }));
  for (let seed = 1; seed <= 200; seed++) {
    using stranger = new BarePeer(scheduler.addresses[0] ?? '');
    await stranger.hello();
    const mutated = submit.slice();
    for (const [i, value] of bytes(2, seed).entries()) {
      const at = 16 + ((Math.imul(seed, 7919 + i) >>> 0) % (mutated.length - 16));
      mutated[at] = value;
    }
    await stranger.send([mutated]);
  }
  assert.equal((await witness.ask('info')).epoch, scheduler.epoch);
});

test('a part over the limit ends that connection only', async () => {
  const stranger = new BarePeer(scheduler.addresses[0] ?? '');
  try {
    const welcome = decodeWelcome(await stranger.hello());
    assert.notEqual(welcome.peer, 0);
    const clients = async () => (await witness.ask('stats')).clients;
    const connected = await clients();
    await stranger.send([new Uint8Array(limits.CONTROL_FRAME_BYTES_MAX + 1)]);
    await until(
      async () => (await clients()) !== connected,
      () => 'the sender of an oversized part is still there',
    );
  } finally {
    stranger.close();
  }
});

test('not ZeroMQ at all', async () => {
  const port = Number(scheduler.addresses[0]?.split(':').at(-1));
  for (const text of ['GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', '\u0016\u0003\u0001']) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    await within(once(socket, 'connect'), 'a connection');
    socket.write(text);
    socket.end(bytes(10_000, 3));
    socket.resume();
    // However it ends, by a reset too: `once` of node:events would reject then.
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await within(closed, 'the connection to close');
  }
  await witness.ask('info');
});
