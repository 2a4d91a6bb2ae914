// Values that stay with workers: fetched in chunks, found again when a worker is gone, scattered.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client } from 'heddle';
import { Router } from 'zeromq';
import {
  Codec,
  decodeDemand,
  decodeFetch,
  decodePut,
  encodeData,
  encodePutReply,
  Home,
  Kind,
  RowState,
  splitFrame,
} from '#heddle/wire/index.js';
import { FakeScheduler } from './fake_scheduler.js';

const make = (n: number): Uint8Array => new Uint8Array(n);
const CHUNK = 1000;

/** Serves values by row index, CHUNK bytes an answer, and takes puts. */
class FakeWorker implements AsyncDisposable {
  readonly address: string;
  readonly values = new Map<number, Uint8Array>();
  fetches = 0;
  /** Answers to give instead of the value, one a request. */
  readonly garbage: Uint8Array[][] = [];
  readonly #socket: Router;
  readonly #folder: string;

  private constructor(socket: Router, folder: string, address: string) {
    this.#socket = socket;
    this.#folder = folder;
    this.address = address;
    void this.#serve();
  }

  static async start(): Promise<FakeWorker> {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-fake-'));
    const socket = new Router({ linger: 0 });
    await socket.bind(`ipc://${folder}/d`);
    return new FakeWorker(socket, folder, `ipc://${folder}/d`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #serve(): Promise<void> {
    for await (const [peer, ...parts] of this.#socket) {
      const frame = splitFrame(parts);
      const { epoch } = frame;
      if (frame.kind === Kind.Put) {
        const { request, index, offset, total } = decodePut(frame);
        const bytes = offset === 0 ? new Uint8Array(total) : (this.values.get(index) as Uint8Array);
        bytes.set(frame.payload[0] as Uint8Array, offset);
        this.values.set(index, bytes);
        await this.#socket.send([peer as Buffer, ...encodePutReply(epoch, { request })]);
        continue;
      }
      this.fetches++;
      const wrong = this.garbage.shift();
      if (wrong !== undefined) {
        await this.#socket.send([peer as Buffer, ...wrong]);
        continue;
      }
      const { request, indices, offsets } = decodeFetch(frame);
      // One chunk of one value per answer: the most the client has to ask again for.
      const wanted = indices?.findIndex((index) => this.values.has(index)) ?? -1;
      const missing = [...(indices ?? [])].flatMap((index, i) =>
        this.values.has(index) ? [] : [i],
      );
      const value = this.values.get(indices?.[wanted] ?? -1);
      const offset = offsets?.[wanted] ?? 0;
      const chunk = value?.subarray(offset, offset + CHUNK);
      const data = {
        request,
        missing: Uint32Array.from(missing),
        ...(value === undefined || chunk === undefined
          ? {}
          : {
              items: Uint32Array.of(wanted),
              codecs: Uint8Array.of(Codec.Bytes),
              offsets: Uint32Array.of(offset),
              sizes: Uint32Array.of(chunk.length),
              totals: Uint32Array.of(value.length),
            }),
      };
      const answer = encodeData(epoch, data, chunk === undefined ? [] : [chunk]);
      await this.#socket.send([peer as Buffer, ...answer]);
    }
  }
}

function stored(layer: number, proc: number, sizes: readonly number[], attempt = 1) {
  return {
    layer,
    serial: 100 + layer,
    state: RowState.Done,
    starts: Uint32Array.of(0),
    counts: Uint32Array.of(sizes.length),
    codec: Codec.Bytes,
    sizes: Uint32Array.from(sizes),
    homes: new Uint8Array(sizes.length).fill(Home.Stored),
    procs: new Uint32Array(sizes.length).fill(proc),
    attempts: new Uint32Array(sizes.length).fill(attempt),
  };
}

const filled = (size: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => (i * 31 + seed) & 0xff);

test('large values are pulled in chunks; a gather mixes them with inline ones', async () => {
  await using scheduler = await FakeScheduler.start();
  await using worker = await FakeWorker.start();
  await using client = await Client.connect(scheduler.address);
  const futures = client.map(make, [1, 2, 3]);
  const layer = (await scheduler.submit()).layers[0]?.layer as number;
  const values = [filled(2_500, 1), filled(10, 2), filled(1_000, 3)];
  for (const [i, value] of values.entries()) worker.values.set(i, value);
  await scheduler.update({
    sections: [
      stored(
        layer,
        5,
        values.map(({ length }) => length),
      ),
    ],
    peers: [{ proc: 5, incarnation: 1, address: worker.address }],
  });
  assert.deepEqual(await client.gather(futures, { timeout: 5_000 }), values);
  assert.deepEqual(await futures.at(1).result({ timeout: 5_000 }), values[1]);
});

test('a worker that lost the value is not the end: the scheduler is asked again', async () => {
  await using scheduler = await FakeScheduler.start();
  await using dead = await FakeWorker.start();
  await using alive = await FakeWorker.start();
  await using client = await Client.connect(scheduler.address);
  const future = client.submit(make, 1);
  const layer = (await scheduler.submit()).layers[0]?.layer as number;
  await scheduler.update({
    sections: [stored(layer, 5, [100])],
    peers: [
      { proc: 5, address: dead.address },
      { proc: 6, address: alive.address },
    ],
  });
  const result = future.result({ timeout: 10_000 });
  const { layers, starts } = decodeDemand(await scheduler.next(Kind.Gather));
  assert.deepEqual([layers?.[0], starts?.[0]], [layer, 0]);
  const lost = {
    layer,
    state: RowState.Pending,
    starts: Uint32Array.of(0),
    counts: Uint32Array.of(1),
  };
  await scheduler.update({ sections: [lost] });
  alive.values.set(0, filled(100, 9));
  await scheduler.update({ sections: [stored(layer, 6, [100], 2)] });
  assert.deepEqual(await result, filled(100, 9));
  assert.ok(dead.fetches > 0);
});

test('garbage from a data socket costs a new connection, never a wrong value', async () => {
  await using scheduler = await FakeScheduler.start();
  await using worker = await FakeWorker.start();
  await using client = await Client.connect(scheduler.address);
  const value = filled(100, 4);
  worker.values.set(0, value);
  const good = encodeData(scheduler.epoch, {
    request: 1,
    missing: Uint32Array.of(0),
  })[0] as Uint8Array;
  worker.garbage.push(
    [Buffer.alloc(0)],
    [Buffer.alloc(200, 0xff)],
    [good.subarray(0, 20)],
    [good, Buffer.alloc(9)],
  );
  const future = client.submit(make, 1);
  const layer = (await scheduler.submit()).layers[0]?.layer as number;
  const tell = (): Promise<void> =>
    scheduler.update({
      sections: [stored(layer, 5, [100])],
      peers: [{ proc: 5, address: worker.address }],
    });
  await tell();
  const result = future.result({ timeout: 20_000 });
  for (let i = 0; i < 4; i++) {
    await scheduler.next(Kind.Gather);
    await tell();
  }
  assert.deepEqual(await result, value);
  assert.equal(worker.fetches, 5);
});

test('scatter: small values travel with the layer, large ones are put to a worker', async () => {
  await using scheduler = await FakeScheduler.start();
  await using worker = await FakeWorker.start();
  await using client = await Client.connect(scheduler.address);
  client.scatter(7);
  const small = (await scheduler.submit()).layers[0];
  assert.deepEqual([small?.dataCodec, small?.dataSizes?.[0]], [Codec.F64, 8]);
  const many = client.scatterEach([filled(3_000_000, 1), filled(5, 2)]);
  const large = (await scheduler.submit()).layers[0];
  assert.deepEqual([many.length, large?.tasks, large?.dataSizes], [2, 2, undefined]);
  // The first answer has no worker yet: it is asked for again.
  scheduler.replies.set('info', '{"procs":[]}');
  await scheduler.next(Kind.Query);
  scheduler.replies.set(
    'info',
    JSON.stringify({ procs: [{ proc: 1, dataAddress: worker.address }] }),
  );
  const deadline = performance.now() + 10_000;
  while (worker.values.size < 2 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await scheduler.update({
    sections: [stored(large?.layer as number, 1, [3_000_000, 5])],
    peers: [{ proc: 1, address: worker.address }],
  });
  const fetched = (await many.at(0).result({ timeout: 60_000 })) as Uint8Array;
  assert.equal(Buffer.compare(fetched, filled(3_000_000, 1)), 0);
});
