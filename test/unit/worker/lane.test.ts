// A worker process with one lane, driven by frames: bodies, errors, claims, and what kills a lane.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Codec, encodeArgs, Item, LaneState, Outcome } from '#heddle/wire/index.js';
import { FakeScheduler } from './fake_scheduler.js';

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

test('numbers in, numbers out, every record once', async () => {
  await using s = await FakeScheduler.start();
  await s.define(1, '(x) => x * x');
  const n = 3000;
  for (let first = 0; first < n; first += 500) {
    await s.assignNumbers(
      1,
      range(500).map((i) => first + i),
      { first },
    );
  }
  await s.until(() => s.told.length >= n);
  assert.equal(s.told.length, n);
  for (const told of s.told) {
    assert.equal(told.outcome, Outcome.Ok);
    assert.equal(told.value, told.index ** 2);
  }
});

test('async bodies, values of any kind, a template', async () => {
  await using s = await FakeScheduler.start();
  await s.define(
    1,
    'async (x) => { await new Promise((r) => setTimeout(r, 1)); return { x, list: [x] }; }',
  );
  await s.assignNumbers(1, [7, 8]);
  assert.deepEqual((await s.outcome(1, 1)).value, { x: 8, list: [8] });
  await s.define(2, '(a, b, c) => [a, b, c]', {
    template: encodeArgs(['k', new Item(), { deep: new Item() }]),
  });
  await s.assignNumbers(2, [1, 2]);
  assert.deepEqual((await s.outcome(2, 1)).value, ['k', 2, { deep: 2 }]);
  await s.define(3, '() => undefined');
  await s.assign({ serial: 3, count: 2 });
  const told = await s.outcome(3, 1);
  assert.equal(told.outcome, Outcome.Ok);
  assert.equal(told.value, undefined);
});

test('what a body throws arrives with class, stack and code, and harms nobody else', async () => {
  await using s = await FakeScheduler.start();
  await s.define(
    1,
    `(x) => {
    if (x === 1) throw Object.assign(new RangeError('too far'), { code: 'E_FAR', cause: new Error('root') });
    if (x === 2) throw 'just text';
    return x;
  }`,
  );
  await s.assignNumbers(1, [0, 1, 2, 3]);
  const thrown = await s.outcome(1, 1);
  assert.equal(thrown.outcome, Outcome.Failed);
  assert.ok(thrown.section.retryable);
  const error = thrown.value as RangeError & { code: string };
  assert.ok(error instanceof RangeError);
  assert.equal(error.message, 'too far');
  assert.equal(error.code, 'E_FAR');
  assert.match(error.stack ?? '', /RangeError: too far/);
  assert.match(((await s.outcome(1, 2)).value as Error).message, /just text/);
  assert.equal((await s.outcome(1, 3)).value, 3);
});

test('hostile results harm their task alone', async () => {
  await using s = await FakeScheduler.start();
  await s.define(
    1,
    `(x) => {
      if (x === 0) return { get then() { throw new Error('then'); } };
      if (x === 1) return { then(resolve, reject) { reject(new Error('rejected')); resolve(1); } };
      if (x === 2) return { then() { throw new Error('thrown'); } };
      if (x === 3) return new Proxy({}, { ownKeys() { throw new Error('trap'); } });
      if (x === 4) return { then: 7 };
      return x;
    }`,
  );
  await s.assignNumbers(1, range(6));
  assert.equal((await s.outcome(1, 5)).value, 5);
  for (const index of [0, 1, 2, 3]) {
    assert.equal((await s.outcome(1, index)).outcome, Outcome.Failed, `${index}`);
  }
  assert.equal((await s.outcome(1, 4)).outcome, Outcome.Ok, 'not a function, so no thenable');
  assert.equal(s.lanes.length, 0);
});

test('a result that cannot be sent fails its task for good', async () => {
  await using s = await FakeScheduler.start();
  await s.define(1, '(x) => ({ deep: [() => x] })');
  await s.assignNumbers(1, [1]);
  const told = await s.outcome(1, 0);
  assert.equal(told.outcome, Outcome.Failed);
  assert.equal(told.section.retryable, false);
  assert.equal((told.value as { code: string }).code, 'ERR_RESULT_SERIALIZATION');
});

test('process.exit fails its task alone; the lane comes back under the next epoch', async () => {
  await using s = await FakeScheduler.start();
  await s.define(1, '(x) => { if (x === 1) process.exit(3); return x; }');
  await s.assignNumbers(1, [0, 1, 2]);
  const told = await s.outcome(1, 1);
  assert.equal(told.outcome, Outcome.Failed);
  assert.equal((told.value as { code: string }).code, 'ERR_TASK_EXITED');
  assert.equal((await s.outcome(1, 0)).value, 0);
  await s.until(() => s.lanes.length === 2);
  assert.deepEqual([...(s.lanes[0]?.states ?? [])], [LaneState.Lost]);
  assert.deepEqual([...(s.lanes[1]?.laneEpochs ?? [])], [2]);
  assert.equal(s.told.length, 2, 'the third record is the scheduler’s to send again');
  await s.assignNumbers(1, [5], { laneEpoch: 2, first: 2, attempts: Uint32Array.of(2) });
  assert.equal((await s.outcome(1, 2, 2)).value, 5);
});

test('an uncaught error ends the lane and is the running task’s error', async () => {
  await using s = await FakeScheduler.start();
  await s.define(
    1,
    '(x) => new Promise(() => setTimeout(() => { throw new TypeError("late"); }, 5))',
  );
  await s.assignNumbers(1, [0]);
  const told = await s.outcome(1, 0);
  assert.equal(told.outcome, Outcome.Failed);
  assert.match((told.value as Error).message, /late/);
});

test('a rejection nobody handles fails the async task that left it', async () => {
  await using s = await FakeScheduler.start();
  await s.define(1, 'async (x) => { if (x === 0) Promise.reject(new Error("lost")); return x; }');
  await s.assignNumbers(1, [0, 1]);
  const told = await s.outcome(1, 0);
  assert.equal(told.outcome, Outcome.Failed);
  assert.match((told.value as Error).message, /lost/);
  assert.equal((await s.outcome(1, 1)).value, 1);
  assert.equal(s.lanes.length, 0);
});

test('records behind a blocked body are taken back at once, and results before it are not held up', async () => {
  await using s = await FakeScheduler.start();
  await s.define(
    1,
    `(x) => {
      if (x !== 2) return x;
      require('node:fs').writeSync(2, 'blocked');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    }`,
  );
  await s.assignNumbers(1, range(10));
  assert.equal((await s.outcome(1, 1)).value, 1);
  await s.until(() => s.stderr.includes('blocked'));
  await s.retract({ serial: 1, indices: Uint32Array.of(4, 5, 2) });
  assert.equal((await s.outcome(1, 4)).outcome, Outcome.Retracted);
  assert.equal((await s.outcome(1, 5)).outcome, Outcome.Retracted);
  assert.equal(
    s.told.some((t) => t.index === 2),
    false,
  );
});

test('a record past its time limit fails; a body that will not stop costs its lane', async () => {
  await using s = await FakeScheduler.start();
  await s.define(
    1,
    `(x) => x === 0
    ? new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(new Error('stopped'))))
    : x === 1 ? new Promise(() => setInterval(() => {}, 1000)) : x`,
  );
  const timeoutsMs = Uint32Array.of(50, 50, 60_000);
  await s.assignNumbers(1, [0, 1, 2], { timeoutsMs });
  for (const index of [0, 1]) {
    const told = await s.outcome(1, index);
    assert.equal(told.outcome, Outcome.Failed);
    assert.equal((told.value as { code: string }).code, 'ERR_TASK_TIMEOUT');
  }
  await s.until(() => s.lanes.length === 2);
});

test('cancel aborts the signal of a running body', async () => {
  await using s = await FakeScheduler.start();
  await s.define(
    1,
    `async (x) => {
    if (x > 0) return x;
    const { signal } = ctx;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return -1;
  }`,
  );
  await s.assignNumbers(1, [0, 1]);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await s.retract({ serial: 1, indices: Uint32Array.of(0), cancel: true });
  assert.equal((await s.outcome(1, 1)).value, 1);
  assert.equal((await s.outcome(1, 0)).outcome, Outcome.Retracted);
  assert.equal(s.lanes.length, 0);
});

test('ctx says which run it is', async () => {
  await using s = await FakeScheduler.start();
  await s.define(1, '() => [ctx.attempt, ctx.runKey, ctx.signal.aborted]');
  await s.assign({ serial: 1, first: 4, count: 2, attempts: Uint32Array.of(3, 1) });
  const [first, second] = [(await s.outcome(1, 4, 3)).value, (await s.outcome(1, 5)).value] as [
    number,
    string,
    boolean,
  ][];
  assert.equal(first?.[0], 3);
  assert.equal(first?.[2], false);
  assert.notEqual(first?.[1], second?.[1]);
  assert.equal(second?.[0], 1);
});

test('a function that does not load fails its tasks with what to do', async () => {
  await using s = await FakeScheduler.start();
  await s.define(1, '(x => ');
  await s.assignNumbers(1, [1, 2]);
  assert.equal(((await s.outcome(1, 1)).value as { code: string }).code, 'ERR_TASK_SERIALIZATION');
  assert.equal((await s.outcome(1, 0)).section.retryable, false);
});

test('a section larger than the ring, and text results over the result ring', async () => {
  await using s = await FakeScheduler.start();
  await s.define(1, '(text) => text.slice(0, 900)', { dataCodec: Codec.Msgpack });
  const { encodeColumn } = await import('#heddle/wire/index.js');
  const column = encodeColumn(range(4000).map((i) => `${i}`.padEnd(1000, 'x')));
  await s.assign(
    { serial: 1, count: 4000, part: 0, dataStride: column.stride, dataSizes: column.sizes },
    [column.bytes],
  );
  await s.until(() => s.told.length === 4000);
  for (const told of s.told) assert.equal(told.value, `${told.index}`.padEnd(900, 'x'));
});

test('a body that runs out of memory fails its task alone', async () => {
  await using s = await FakeScheduler.start(1, ['--memory', '1000000']);
  await s.define(
    1,
    '(x) => { if (x > 0) return x; const keep = []; for (;;) keep.push(new Array(1000).fill({ x })); }',
  );
  await s.assignNumbers(1, [0]);
  const told = await s.outcome(1, 0);
  assert.equal(told.outcome, Outcome.Failed);
  assert.equal((told.value as { code: string }).code, 'ERR_WORKER_OUT_OF_MEMORY');
  await s.until(() => s.lanes.length === 2);
  await s.assignNumbers(1, [5], { first: 1, laneEpoch: 2 });
  assert.equal((await s.outcome(1, 1)).value, 5);
});

test('a cancelled body that never ends costs its lane after the grace', async () => {
  await using s = await FakeScheduler.start();
  await s.define(
    1,
    '(x) => { if (x === 0) { require("node:fs").writeSync(2, "started"); for (;;); } return x; }',
  );
  await s.assignNumbers(1, [0, 1]);
  await s.until(() => s.stderr.includes('started'));
  await s.retract({ serial: 1, indices: Uint32Array.of(0, 1), cancel: true });
  assert.equal((await s.outcome(1, 1)).outcome, Outcome.Retracted);
  await s.until(() => s.lanes.length === 2);
  assert.notEqual(s.told.find((t) => t.index === 0)?.outcome, Outcome.Ok);
});

test('timers a finished body left behind still run, and throw without harm to others', async () => {
  await using s = await FakeScheduler.start();
  await s.define(
    1,
    `(x) => {
      if (x === 0) setTimeout(() => { globalThis.later = 'ran'; }, 20);
      return globalThis.later ?? 'not yet';
    }`,
  );
  await s.assignNumbers(1, [0]);
  assert.equal((await s.outcome(1, 0)).value, 'not yet');
  let first = 1;
  await s.until(() => {
    void s.assignNumbers(1, [1], { first: first++ });
    return s.told.some((t) => t.value === 'ran');
  });
});
