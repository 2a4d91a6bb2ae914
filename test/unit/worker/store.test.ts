// The store: one value per row, fenced by attempt.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WHOLE_VALUE } from '#heddle/wire/columns.js';
import { Codec } from '#heddle/wire/index.js';
import { Store } from '#heddle/worker/store.js';

const value = (bytes: number) => ({
  codec: Codec.Bytes,
  memory: new ArrayBuffer(bytes),
  parts: null,
});

test('a value is had by the attempt that made it, and freed by it alone', () => {
  const store = new Store();
  store.put(1, 5, 2, value(100));
  assert.equal(store.get(1, 5, 1, WHOLE_VALUE), undefined);
  assert.equal(store.get(1, 5, 2, WHOLE_VALUE)?.bytes.length, 100);
  assert.equal(store.get(1, 5, 2, WHOLE_VALUE), store.get(1, 5, 2, WHOLE_VALUE), 'the same object');
  assert.equal(store.get(1, 5, 2, 0), undefined, 'no parts');
  store.free(1, 5, 1, 1);
  assert.equal(store.values, 1);
  store.put(1, 5, 3, value(40));
  assert.deepEqual([store.values, store.bytes], [1, 40]);
  store.free(1, 0, 0xffff_ffff, 3);
  assert.deepEqual([store.values, store.bytes], [0, 0]);
  store.free(9, 0, 1, 1);
});

test('ranges free what lies in them', () => {
  const store = new Store();
  for (let i = 0; i < 10; i++) store.put(1, i, 1, value(8));
  store.free(1, 2, 3, 1);
  assert.equal(store.values, 7);
  assert.ok(store.get(1, 1, 1, WHOLE_VALUE));
  assert.equal(store.get(1, 4, 1, WHOLE_VALUE), undefined);
  assert.ok(store.get(1, 5, 1, WHOLE_VALUE));
});

test('parts have their own codec and place', () => {
  const store = new Store();
  const parts = Uint32Array.of(Codec.Bytes, 24, 3, Codec.Msgpack, 32, 5);
  store.put(1, 0, 1, { codec: Codec.Parts, memory: new ArrayBuffer(40), parts });
  const part = store.get(1, 0, 1, 1);
  assert.deepEqual(
    [part?.codec, part?.bytes.byteOffset, part?.bytes.length],
    [Codec.Msgpack, 32, 5],
  );
  assert.equal(store.get(1, 0, 1, 2), undefined);
});
