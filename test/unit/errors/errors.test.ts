// Errors: the table, records, suggestions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERROR_CODES, HeddleError, isErrorCode, RemoteError } from 'heddle';
import { didYouMean, fromErrorRecord, nearestNames, toErrorRecord } from '#heddle/errors/index.js';

test('every code says what it means and what to do', () => {
  for (const [code, { meaning, remedy }] of Object.entries(ERROR_CODES)) {
    assert.match(code, /^ERR_[A-Z_]+$/);
    assert.ok(meaning.length > 10 && remedy.length > 10, code);
  }
  assert.ok(isErrorCode('ERR_TIMEOUT'));
  assert.ok(!isErrorCode('toString'));
});

test('instanceof holds between two copies of the package', () => {
  const foreign = Object.create({ [Symbol.for('heddle.error')]: true }) as unknown;
  assert.ok(foreign instanceof HeddleError);
  assert.ok(!(new Error('x') instanceof HeddleError));
  assert.ok(new RemoteError('Error', 'x') instanceof HeddleError);
  assert.ok(!(new HeddleError('ERR_TIMEOUT', 'x') instanceof RemoteError));
});

test('errors survive a record with class, code, cause, stack and own properties', () => {
  class Special extends Error {
    override name = 'Special';
    detail = { rows: [1, 2] };
  }
  const special = Object.assign(new Special('deep'), { code: 'E_DEEP', fn: () => 1 });
  const record = toErrorRecord(new RangeError('top', { cause: special }));
  const error = fromErrorRecord(JSON.parse(JSON.stringify(record))) as Error & { code: string };
  assert.ok(error instanceof RangeError);
  assert.equal(error.code, 'ERR_TASK_FAILED');
  assert.match(error.stack ?? '', /errors\.test/);
  const cause = error.cause as RemoteError & { detail: unknown; fn: unknown };
  assert.ok(cause instanceof RemoteError);
  assert.deepEqual([cause.name, cause.message, cause.code], ['Special', 'deep', 'E_DEEP']);
  assert.deepEqual(cause.detail, { rows: [1, 2] });
  assert.equal(cause.fn, undefined);
});

test("Heddle's own errors come back as what they were", () => {
  const error = fromErrorRecord(toErrorRecord(new HeddleError('ERR_TASK_TIMEOUT', 'late')));
  assert.ok(error instanceof HeddleError && !(error instanceof RemoteError));
  assert.equal(error.code, 'ERR_TASK_TIMEOUT');
});

test('whatever is thrown makes a record', () => {
  const hostile = new Proxy(new Error('x'), {
    get() {
      throw new Error('trap');
    },
  });
  assert.match(toErrorRecord('text').message, /threw "text"/);
  for (const thrown of [undefined, null, 1, 'text', Symbol('s'), { a: 1 }, () => 1, hostile, 1n]) {
    const record = toErrorRecord(thrown);
    assert.equal(typeof record.message, 'string');
    assert.ok(fromErrorRecord(record) instanceof Error);
  }
  const endless = new Error('loop');
  endless.cause = endless;
  assert.ok(fromErrorRecord(toErrorRecord(endless)));
  assert.ok(toErrorRecord(new Error('x'.repeat(50_000))).message.length < 11_000);
  const polluting = JSON.parse('{"name":"E","message":"","props":{"__proto__":{"evil":1}}}');
  assert.equal((fromErrorRecord(polluting) as { evil?: number }).evil, undefined);
});

test('near names are suggested, nearest first', () => {
  assert.deepEqual(nearestNames('dely', ['date', 'relay', 'delay', 'distance']), [
    'delay',
    'relay',
  ]);
  assert.equal(didYouMean('Delay', ['delay', 'origin']), " Did you mean 'delay'?");
  assert.equal(didYouMean('zzzzz', ['delay']), '');
});
