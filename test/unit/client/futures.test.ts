// Futures against a scripted scheduler: states, errors, release, timeouts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, type HeddleError, RemoteError } from 'heddle';
import { decodeArgs } from '#heddle/wire/args.js';
import {
  Codec,
  decodeDemand,
  encodeError,
  encodeNotice,
  encodeRefused,
  Kind,
  RowState,
} from '#heddle/wire/index.js';
import { FakeScheduler } from './fake_scheduler.js';

const inc = (x: number): number => x + 1;
const total = (xs: number[]): number => xs.length;
const rejects = (promise: Promise<unknown>, code: string): Promise<void> =>
  assert.rejects(promise, (error: HeddleError) => error.code === code);

async function pair(): Promise<{ scheduler: FakeScheduler; client: Client } & AsyncDisposable> {
  const scheduler = await FakeScheduler.start();
  const client = await Client.connect(scheduler.address, { timeout: 5_000 });
  return {
    scheduler,
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      await scheduler[Symbol.asyncDispose]();
    },
  };
}

test('submissions of one turn leave in one frame, in order', async () => {
  await using both = await pair();
  const { scheduler, client } = both;
  const futures = [1, 2, 3].map((x) => client.submit(inc, x));
  const { layers } = await scheduler.submit();
  assert.equal(layers.length, 1);
  const layer = layers[0];
  assert.equal(layer?.tasks, 3);
  assert.equal(layer.dataCodec, Codec.Args);
  await scheduler.numbers(layer.layer, 0, [2, 3, 4]);
  assert.deepEqual(await client.gather(futures), [2, 3, 4]);
  assert.deepEqual(
    await client.gather([futures[2], futures[0], futures[2]] as typeof futures),
    [4, 2, 4],
  );
  assert.equal(await (futures[1] as (typeof futures)[0]).result(), 3);
});

test('arguments: futures become inputs wherever they stand', async () => {
  await using both = await pair();
  const { scheduler, client } = both;
  const one = client.submit(inc, 1);
  const many = client.map(inc, [1, 2, 3]);
  client.submit((a: number, b: { list: number[]; deep: number[] }) => a + b.deep.length, one, {
    list: many,
    deep: [7, one],
  });
  await scheduler.next(Kind.Submit);
  await scheduler.next(Kind.Submit);
  const frame = await scheduler.next(Kind.Submit);
  scheduler.frames.push(frame);
  const layer = (await scheduler.submit()).layers[0];
  assert.equal(layer?.first, 1);
  assert.deepEqual([...(layer.depOffsets ?? [])], [0, 5]);
  assert.deepEqual([...(layer.depIndices ?? [])], [0, 0, 1, 2, 0]);
  assert.deepEqual(decodeArgs(frame.payload[0] as Uint8Array, [10, 20, 21, 22, 11]), [
    10,
    { list: [20, 21, 22], deep: [7, 11] },
  ]);
});

test('a failure comes back as the class it was, with code, cause and remote stack', async () => {
  await using both = await pair();
  const { scheduler, client } = both;
  const future = client.submit(inc, 1);
  const layer = (await scheduler.submit()).layers[0]?.layer as number;
  const thrown = Object.assign(new TypeError('no luck', { cause: new Error('why') }), {
    code: 'E_X',
  });
  const { bytes } = encodeError(thrown);
  const runs = { starts: Uint32Array.of(0), counts: Uint32Array.of(1) };
  await scheduler.update(
    {
      sections: [
        {
          layer,
          state: RowState.Failed,
          ...runs,
          codec: Codec.Error,
          sizes: Uint32Array.of(bytes.length),
          part: 0,
        },
      ],
    },
    [bytes],
  );
  await assert.rejects(future.result(), (error: TypeError & { code: string }) => {
    assert.ok(error instanceof TypeError);
    assert.equal(error.message, 'no luck');
    assert.equal(error.code, 'E_X');
    assert.match(error.stack ?? '', /futures\.test/);
    assert.ok(error.cause instanceof RemoteError);
    return true;
  });
  assert.equal(future.status, 'failed');
});

test('gather raises at the first failure in time, or skips failures', async () => {
  await using both = await pair();
  const { scheduler, client } = both;
  const futures = client.map(inc, [1, 2, 3]);
  const raised = rejects(client.gather(futures, { timeout: 5_000 }), 'ERR_CANCELLED');
  const skipped = client.gather(futures, { errors: 'skip', timeout: 5_000 });
  const layer = (await scheduler.submit()).layers[0]?.layer as number;
  await scheduler.update({
    sections: [
      { layer, state: RowState.Cancelled, starts: Uint32Array.of(2), counts: Uint32Array.of(1) },
    ],
  });
  await raised;
  await scheduler.numbers(layer, 0, [2, 3]);
  assert.deepEqual(await skipped, [2, 3]);
});

test('a value that is lost again is waited for again', async () => {
  await using both = await pair();
  const { scheduler, client } = both;
  const futures = client.map(inc, [1, 2]);
  const layer = (await scheduler.submit()).layers[0]?.layer as number;
  const gathered = client.gather(futures);
  await scheduler.numbers(layer, 0, [1]);
  const lost = {
    layer,
    state: RowState.Pending,
    starts: Uint32Array.of(0),
    counts: Uint32Array.of(1),
  };
  await scheduler.update({ sections: [lost] });
  await scheduler.numbers(layer, 1, [3]);
  await scheduler.numbers(layer, 0, [2]);
  assert.deepEqual(await gathered, [2, 3]);
});

test('release: told once, later results are refused, waiting ones reject', async () => {
  await using both = await pair();
  const { scheduler, client } = both;
  const futures = client.map(inc, [1, 2, 3, 4]);
  const waiting = rejects(futures.at(1).result(), 'ERR_RELEASED');
  futures.slice(1, 3).release();
  futures.at(2).release();
  const { starts, counts, layers } = decodeDemand(await scheduler.next(Kind.Release));
  assert.deepEqual([[...(starts ?? [])], [...(counts ?? [])], layers?.length], [[1], [2], 1]);
  await waiting;
  await rejects(futures.at(1).result(), 'ERR_RELEASED');
  assert.equal(futures.at(1).status, 'released');
  assert.throws(() => client.submit(total, futures), { code: 'ERR_RELEASED' });
  assert.equal(futures.at(0).status, 'pending');
});

test('a refused graph fails its futures and no others', async () => {
  await using both = await pair();
  const { scheduler, client } = both;
  scheduler.accept = false;
  const future = client.submit(inc, 1);
  const { graph } = await scheduler.submit();
  const message = { graph, code: 'ERR_LIMIT_EXCEEDED', message: 'too much', layer: 1, index: 0 };
  await scheduler.send(encodeRefused(scheduler.epoch, message));
  await rejects(future.result({ timeout: 5_000 }), 'ERR_LIMIT_EXCEEDED');
  const again = client.submit(inc, 1);
  const { layers } = await scheduler.submit();
  assert.equal(layers[0]?.first, 0);
  await scheduler.numbers(layers[0]?.layer as number, 0, [2]);
  assert.equal(await again.result({ timeout: 5_000 }), 2);
});

test('timeouts say what they waited for; without workers they say so', async () => {
  await using both = await pair();
  const { scheduler, client } = both;
  const notices: string[] = [];
  client.on('notice', ({ code }) => notices.push(code));
  const future = client.submit(inc, 1);
  await rejects(future.result({ timeout: 20 }), 'ERR_TIMEOUT');
  const notice = { code: 'ERR_NO_WORKERS', message: '1 task waits: no workers are connected' };
  await scheduler.send(encodeNotice(scheduler.epoch, notice));
  await rejects(client.gather([future], { timeout: 200 }), 'ERR_NO_WORKERS');
  assert.deepEqual(notices, ['ERR_NO_WORKERS']);
  const aborted = new AbortController();
  const waiting = future.result({ signal: aborted.signal });
  aborted.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
  await rejects(future.result({ timeout: -1 }), 'ERR_ARGUMENT');
});

test('empty arrays need no scheduler', async () => {
  await using both = await pair();
  const { client } = both;
  const none = client.map(inc, []);
  assert.equal(none.length, 0);
  assert.deepEqual(await client.gather(none), []);
  assert.deepEqual(await client.gather([]), []);
  assert.deepEqual(await none.results(), []);
  assert.deepEqual(await client.wait([]), { done: [], pending: [] });
  assert.throws(() => none.at(0), { code: 'ERR_ARGUMENT' });
  assert.equal(client.map(inc, none).length, 0);
});

test('wait and asCompleted report futures as they end', async () => {
  await using both = await pair();
  const { scheduler, client } = both;
  const futures = client.map(inc, [1, 2, 3]);
  const layer = (await scheduler.submit()).layers[0]?.layer as number;
  const first = client.wait(futures, { returnWhen: 'first', timeout: 5_000 });
  await scheduler.numbers(layer, 1, [3]);
  assert.equal((await first).done.length, 1);
  const order: number[] = [];
  const seen = (async () => {
    for await (const future of client.asCompleted(futures)) order.push(await future.result());
  })();
  await scheduler.numbers(layer, 2, [4]);
  await scheduler.numbers(layer, 0, [2]);
  await seen;
  assert.deepEqual(order, [3, 4, 2]);
  const all = await client.wait(futures, { timeout: 5_000 });
  assert.equal(all.done.length, 3);
});

test('closing rejects what is pending and keeps what has come', async () => {
  const scheduler = await FakeScheduler.start();
  const client = await Client.connect(scheduler.address);
  const futures = client.map(inc, [1, 2]);
  const layer = (await scheduler.submit()).layers[0]?.layer as number;
  await scheduler.numbers(layer, 0, [2]);
  assert.equal(await futures.at(0).result(), 2);
  const pending = rejects(futures.at(1).result(), 'ERR_CLOSED');
  await client.close();
  await pending;
  await scheduler.next(Kind.Bye);
  assert.equal(await futures.at(0).result(), 2);
  assert.equal(futures.at(1).status, 'lost');
  assert.throws(() => client.submit(inc, 1), { code: 'ERR_CLOSED' });
  await scheduler[Symbol.asyncDispose]();
});

test('two clients do not share futures', async () => {
  await using scheduler = await FakeScheduler.start();
  await using left = await Client.connect(scheduler.address);
  await using right = await Client.connect(scheduler.address);
  const future = left.submit(inc, 1);
  assert.throws(() => right.submit(inc, future), { code: 'ERR_ARGUMENT' });
  await rejects(right.gather([future]), 'ERR_ARGUMENT');
});
