// Values over the inline limit: kept, served in chunks, fetched from other workers, put by clients,
// freed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Context, Dealer } from 'zeromq';
import {
  Codec,
  type DataMessage,
  decodeData,
  decodePutReply,
  encodeFetch,
  encodePut,
  type Frame,
  limits,
  Outcome,
  splitFrame,
} from '#heddle/wire/index.js';
import { EPOCH, FakeScheduler, PROC, whole } from './fake_scheduler.js';

const PATTERN = '(n) => Uint8Array.from({ length: n }, (_, i) => (i * 7 + n) & 255)';
const pattern = (n: number): Uint8Array =>
  Uint8Array.from({ length: n }, (_, i) => (i * 7 + n) & 255);

/** A peer of a data socket. */
class Peer implements Disposable {
  readonly socket = new Dealer({
    context: new Context({ blocky: false }),
    linger: 0,
    receiveTimeout: 10_000,
  });

  constructor(address: string) {
    this.socket.connect(address);
  }

  async ask(parts: Uint8Array[]): Promise<Frame> {
    await this.socket.send(parts);
    return splitFrame(await this.socket.receive());
  }

  async fetch(
    serial: number,
    index: number,
    part = whole,
    offset = 0,
    bytesMax: number = limits.CHUNK_BYTES_MAX,
  ): Promise<{ data: DataMessage; bytes: Uint8Array }> {
    const of = (n: number): Uint32Array => Uint32Array.of(n);
    const request = {
      request: 1,
      serials: of(serial),
      indices: of(index),
      parts: of(part),
      offsets: of(offset),
      bytesMax,
    };
    const frame = await this.ask(encodeFetch(EPOCH, request));
    return { data: decodeData(frame), bytes: frame.payload[0] ?? new Uint8Array(0) };
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

test('a large result is stored before it is announced, served in chunks, and freed', async () => {
  await using s = await FakeScheduler.start();
  await s.define(1, PATTERN);
  const size = limits.CHUNK_BYTES_MAX + 12_345;
  await s.assignNumbers(1, [size]);
  const told = await s.outcome(1, 0);
  assert.deepEqual([told.outcome, told.stored, told.size], [Outcome.Ok, true, size]);
  using peer = new Peer(s.hello.dataAddress as string);
  const first = await peer.fetch(1, 0);
  assert.equal(first.bytes.length, limits.CHUNK_BYTES_MAX);
  const second = await peer.fetch(1, 0, whole, first.bytes.length);
  assert.equal(second.data.totals?.[0], size);
  assert.equal(second.data.codecs?.[0], Codec.Bytes);
  assert.deepEqual(Buffer.concat([first.bytes, second.bytes]), Buffer.from(pattern(size)));
  await s.free(1, 0, 1);
  await s.assignNumbers(1, [2000], { first: 1 }); // Frames are taken in order: afterwards it is freed.
  await s.outcome(1, 1);
  assert.deepEqual([...((await peer.fetch(1, 0)).data.missing ?? [])], [0]);
});

test('parts are fetched alone and become inputs of tasks in the same process', async () => {
  await using s = await FakeScheduler.start(2);
  const url = import.meta.resolve('#heddle/wire/index.js');
  await s.define(
    1,
    `async (n) => { const { PartsValue } = await import(${JSON.stringify(url)}); return new PartsValue([Uint8Array.of(n), 'two', new Uint8Array(3000).fill(n)]); }`,
  );
  await s.assignNumbers(1, [5, 6]);
  assert.equal((await s.outcome(1, 0)).stored, true);
  await s.outcome(1, 1);
  using peer = new Peer(s.hello.dataAddress as string);
  const one = await peer.fetch(1, 1, 0);
  assert.deepEqual([...one.bytes], [6]);
  assert.deepEqual([...((await peer.fetch(1, 1, 3)).data.missing ?? [])], [0]);
  await s.define(2, '(a, b, c) => [a[0], b, c.length, c[0]]', { dataCodec: Codec.Args });
  await s.assign({
    lane: 1,
    serial: 2,
    count: 2,
    depCounts: Uint32Array.of(3, 3),
    depSerial: 1,
    depIndices: Uint32Array.of(0, 0, 0, 1, 1, 1),
    depParts: Uint32Array.of(0, 1, 2, 0, 1, 2),
    depProcs: new Uint32Array(6).fill(PROC),
    dataSizes: undefined,
  });
  // No row data and no template: the arguments are the inputs.
  assert.equal((await s.outcome(2, 0)).outcome, Outcome.Failed);
  await s.define(3, '(a, b, c) => [a[0], b, c.length, c[0]]');
  await s.assign({
    lane: 1,
    serial: 3,
    count: 2,
    depCounts: Uint32Array.of(3, 3),
    depSerial: 1,
    depIndices: Uint32Array.of(0, 0, 0, 1, 1, 1),
    depParts: Uint32Array.of(0, 1, 2, 0, 1, 2),
    depProcs: new Uint32Array(6).fill(PROC),
  });
  assert.deepEqual((await s.outcome(3, 0)).value, [5, 'two', 3000, 5]);
  assert.deepEqual((await s.outcome(3, 1)).value, [6, 'two', 3000, 6]);
});

test('inputs come from another worker over tcp; a peer that is gone makes them missing', async () => {
  await using a = await FakeScheduler.start(1, ['--data-bind', 'tcp://127.0.0.1:*']);
  await using b = await FakeScheduler.start();
  await a.define(1, PATTERN);
  const sizes = [3_000_000, 2000, 5000];
  await a.assignNumbers(1, sizes);
  await a.outcome(1, 2);
  await b.peers([{ proc: 2, address: a.hello.dataAddress as string }]);
  await b.define(2, '(x, ...inputs) => [x, ...inputs.map((i) => i.reduce((s, v) => s + v, 0))]');
  const sum = (n: number): number => pattern(n).reduce((s, v) => s + v, 0);
  const items = new Uint8Array(Float64Array.of(10, 11, 12, 13).buffer);
  await b.assign(
    {
      serial: 2,
      count: 4,
      part: 0,
      dataStride: 8,
      depCounts: Uint32Array.of(1, 0, 2, 1),
      depSerial: 1,
      depIndices: Uint32Array.of(0, 1, 2, 1),
      depProcs: new Uint32Array(4).fill(2),
      depSizes: Uint32Array.of(3_000_000, 2000, 5000, 2000),
    },
    [items],
  );
  assert.deepEqual((await b.outcome(2, 0)).value, [10, sum(3_000_000)]);
  assert.deepEqual((await b.outcome(2, 1)).value, [11]);
  assert.deepEqual((await b.outcome(2, 2)).value, [12, sum(2000), sum(5000)]);
  assert.deepEqual((await b.outcome(2, 3)).value, [13, sum(2000)]);
  // A value the peer does not hold, then a peer that dies, then one nobody knows.
  const ask = (first: number, index: number, proc: number): Promise<void> =>
    b.assign(
      {
        serial: 2,
        first,
        count: 1,
        part: 0,
        dataStride: 8,
        depCounts: Uint32Array.of(1),
        depSerial: 1,
        depIndices: Uint32Array.of(index),
        depProcs: Uint32Array.of(proc),
      },
      [items.subarray(0, 8)],
    );
  await ask(10, 99, 2);
  const missing = await b.outcome(2, 10);
  assert.equal(missing.outcome, Outcome.MissingInput);
  assert.deepEqual(
    [
      missing.section.missingSerials?.[0],
      missing.section.missingIndices?.[0],
      missing.section.missingProcs?.[0],
    ],
    [1, 99, 2],
  );
  a.child.kill('SIGKILL');
  await a.exitCode;
  await ask(11, 0, 2);
  assert.deepEqual(
    (await b.outcome(2, 11)).value,
    [10, sum(3_000_000)],
    'a copy of a whole value is kept',
  );
  await ask(12, 98, 2);
  assert.equal((await b.outcome(2, 12)).outcome, Outcome.MissingInput);
  await ask(13, 0, 7);
  assert.equal((await b.outcome(2, 13)).outcome, Outcome.MissingInput);
  await ask(14, 0, PROC);
  assert.equal((await b.outcome(2, 14)).outcome, Outcome.MissingInput);
});

test('a record sent ahead starts when its producer in the same process is done', async () => {
  await using s = await FakeScheduler.start(2);
  await s.define(
    1,
    'async (x) => { await new Promise((r) => setTimeout(r, 50)); return x === 0 ? 41 : new Uint8Array(5000).fill(x); }',
  );
  await s.define(2, '(input) => typeof input === "number" ? input + 1 : input.length + input[0]');
  await s.assignNumbers(1, [0, 3]);
  await s.assign({
    lane: 1,
    serial: 2,
    count: 2,
    depCounts: Uint32Array.of(1, 1),
    depSerial: 1,
    depIndices: Uint32Array.of(0, 1),
    depProcs: Uint32Array.of(PROC, PROC),
  });
  assert.equal((await s.outcome(2, 0)).value, 42);
  assert.equal((await s.outcome(2, 1)).value, 5003);
  const order = s.told.map((t) => `${t.serial}:${t.index}`);
  assert.ok(order.indexOf('1:0') < order.indexOf('2:0'));
});

test('a client puts a value in chunks and the scheduler is told', async () => {
  await using s = await FakeScheduler.start(1, ['--memory', '50000']);
  using peer = new Peer(s.hello.dataAddress as string);
  const value = pattern(30_000);
  const put = { request: 9, serial: 4, index: 2, codec: Codec.Bytes, total: value.length };
  for (const offset of [0, 20_000]) {
    const reply = decodePutReply(
      await peer.ask(encodePut(EPOCH, { ...put, offset }, value.subarray(offset, offset + 20_000))),
    );
    assert.equal(reply.code ?? '', '');
  }
  const told = await s.outcome(4, 2);
  assert.deepEqual([told.stored, told.size, told.section.lane], [true, 30_000, 0xffff_ffff]);
  assert.deepEqual(Buffer.from((await peer.fetch(4, 2)).bytes), Buffer.from(value));
  const refused = decodePutReply(
    await peer.ask(encodePut(EPOCH, { ...put, index: 3, offset: 0 }, value)),
  );
  assert.equal(refused.code, 'ERR_LIMIT_EXCEEDED');
  const late = decodePutReply(
    await peer.ask(encodePut(EPOCH, { ...put, index: 5, offset: 100 }, value.subarray(100))),
  );
  assert.equal(late.code, 'ERR_PROTOCOL');
});

test('hostile frames on the data and control sockets leave both serving', async () => {
  await using s = await FakeScheduler.start();
  await s.define(1, PATTERN);
  await s.assignNumbers(1, [4000]);
  await s.outcome(1, 0);
  using peer = new Peer(s.hello.dataAddress as string);
  const good = encodeFetch(EPOCH, {
    request: 1,
    serials: Uint32Array.of(1),
    indices: Uint32Array.of(0),
    bytesMax: 1 << 20,
  })[0] as Uint8Array;
  let seed = 1;
  const random = (n: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % n;
  };
  const hostile: Uint8Array[][] = [[], [new Uint8Array(0)], [Buffer.from('GET / HTTP/1.1')]];
  for (let i = 0; i < 400; i++) {
    const frame = good.slice(0, i % 3 === 0 ? random(good.length) : good.length);
    for (let k = 0; k < 1 + (i % 4) && frame.length > 0; k++)
      frame[random(frame.length)] = random(256);
    hostile.push([frame]);
  }
  const version = good.slice();
  version[2] = 99;
  hostile.push(
    [version],
    [good, new Uint8Array(10)],
    encodeFetch(EPOCH + 1, { request: 1, serials: Uint32Array.of(1), indices: Uint32Array.of(0) }),
  );
  for (const parts of hostile) if (parts.length > 0) await peer.socket.send(parts);
  using fresh = new Peer(s.hello.dataAddress as string);
  assert.equal((await fresh.fetch(1, 0)).bytes.length, 4000);
  // The same to the control socket, except what would end the connection by the protocol's rules.
  for (const parts of hostile) {
    const kind = parts[0]?.[4];
    if (parts.length > 0 && parts[0] !== version && kind !== 3 && kind !== 4) await s.raw(parts);
  }
  await s.assignNumbers(1, [5000], { first: 1 });
  assert.equal((await s.outcome(1, 1)).size, 5000);
  assert.equal(s.child.exitCode, null);
});
