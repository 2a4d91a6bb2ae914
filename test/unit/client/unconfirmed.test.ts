// What is kept of what was said: by number, until it is confirmed, within bounds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Unconfirmed } from '#heddle/client/unconfirmed.js';

const frame = (id: number, bytes = 1): Uint8Array[] => [new Uint8Array(bytes).fill(id)];
const ids = (frames: Uint8Array[][] | undefined): (number | undefined)[] | undefined =>
  frames?.map(([first]) => first?.[0]);

test('frames are kept in order until they are confirmed', () => {
  const said = new Unconfirmed();
  for (let id = 1; id <= 5; id++) assert.equal(said.add(frame(id)), id);
  assert.deepEqual(ids(said.after(0)), [1, 2, 3, 4, 5]);
  said.confirm(3);
  said.confirm(2);
  assert.deepEqual(ids(said.after(3)), [4, 5]);
  assert.deepEqual(ids(said.after(4)), [5]);
  assert.deepEqual(ids(said.after(5)), []);
  for (const never of [2, 6, -1, Number.NaN]) assert.equal(said.after(never), undefined);
  said.confirm(99);
  assert.equal(said.last, 5);
  assert.equal(said.add(frame(6)), 6);
  assert.deepEqual(ids(said.after(5)), [6]);
});

test('a long session keeps what is unconfirmed and nothing else', () => {
  const said = new Unconfirmed();
  for (let n = 1; n <= 10_000; n++) {
    said.add(frame(n % 251));
    said.confirm(n - 3);
  }
  assert.deepEqual(ids(said.after(9_997)), [9_998 % 251, 9_999 % 251, 10_000 % 251]);
  assert.equal(said.after(9_996), undefined);
});

test('beyond its bounds the oldest are let go, and known to be missing', () => {
  const said = new Unconfirmed();
  const big = frame(1, 30 << 20);
  for (let n = 1; n <= 3; n++) said.add(big);
  assert.equal(said.after(0), undefined);
  assert.equal(said.after(1)?.length, 2);
  const many = new Unconfirmed();
  for (let n = 1; n <= (1 << 16) + 1; n++) many.add([]);
  assert.equal(many.after(0), undefined);
  assert.equal(many.after(1)?.length, 1 << 16);
});
