// task(), function bodies and options.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { task } from 'heddle';
import { decodeFunctionBody, encodeFunctionBody, hashBody } from '#heddle/graph/function_body.js';
import { checkTaskOptions } from '#heddle/graph/options.js';
import { taskReference } from '#heddle/graph/task.js';

test('a task stays an ordinary function and knows where it is exported', () => {
  const fn = (x: number): number => x * x;
  const square = task(import.meta.url, 'square', fn, { retries: 2 });
  assert.equal(square, fn);
  assert.equal(square(3), 9);
  const reference = taskReference(square);
  assert.equal(reference?.body.name, 'square');
  assert.equal(reference.body.url, import.meta.url);
  assert.equal(reference.defaults.retries, 2);
  assert.equal(
    taskReference((x: number) => x),
    undefined,
  );
  assert.throws(() => task(import.meta.url, 'other', fn), { code: 'ERR_ARGUMENT' });
});

test('a changed source is another function', () => {
  const body = (fn: (x: number) => number): string => {
    const reference = taskReference(task('file:///t.js', 'f', fn));
    assert.ok(reference);
    return Buffer.from(hashBody(encodeFunctionBody(reference.body))).toString('hex');
  };
  assert.equal(
    body((x) => x + 1),
    body((x) => x + 1),
  );
  assert.notEqual(
    body((x) => x + 1),
    body((x) => x + 2),
  );
});

test('bodies survive the wire; anything else is refused', () => {
  const body = { kind: 'source', name: 'f', source: '(x) => x' } as const;
  assert.deepEqual(decodeFunctionBody(encodeFunctionBody(body)), body);
  for (const text of ['', 'null', '[]', '{"kind":"module"}', '{"kind":"source","name":1}', '{']) {
    assert.throws(() => decodeFunctionBody(new TextEncoder().encode(text)), {
      code: 'ERR_PROTOCOL',
    });
  }
  const huge = { kind: 'source', name: 'huge', source: 'x'.repeat(2 << 20) } as const;
  assert.throws(() => encodeFunctionBody(huge), { code: 'ERR_LIMIT_EXCEEDED' });
});

test('options are checked by name', () => {
  checkTaskOptions({ retries: 0, priority: -5, timeout: 1, key: 'k', name: 'n' });
  const unfit = [
    { retries: -1 },
    { retries: 1.5 },
    { priority: Number.NaN },
    { timeout: 0 },
    { key: '' },
    { signal: {} as AbortSignal },
  ];
  for (const options of unfit) {
    assert.throws(() => checkTaskOptions(options), {
      code: 'ERR_ARGUMENT',
      message: new RegExp(`option ${Object.keys(options)[0]}`),
    });
  }
  assert.throws(() => checkTaskOptions({ key: 'k'.repeat(513) }), { code: 'ERR_LIMIT_EXCEEDED' });
});
