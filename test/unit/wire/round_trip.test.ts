// Every message comes back as it was sent; what was left out comes back as absent.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as wire from '#heddle/wire/index.js';
import { ALL, type Fixture } from './fixtures.js';

for (const fixture of ALL) {
  test(`${fixture.name} survives`, () => {
    const frame = wire.splitFrame(fixture.parts);
    assertHolds(fixture.decode(frame), fixture.message, fixture.name);
    assert.equal(frame.body.byteOffset % 8, 0);
  });

  test(`${fixture.name} is read from a misaligned buffer`, () => {
    const parts = fixture.parts.map(misaligned);
    assertHolds(fixture.decode(wire.splitFrame(parts)), fixture.message, fixture.name);
  });

  test(`${fixture.name} is bound by its CRC`, () => {
    const parts = wire.stampCrc(fixture.parts.map((part) => new Uint8Array(part)));
    assertHolds(fixture.decode(wire.splitFrame(parts)), fixture.message, fixture.name);
    const last = parts.at(-1) as Uint8Array;
    last[last.length - 1] = (last.at(-1) as number) ^ 1;
    assert.throws(() => wire.splitFrame(parts), { code: 'ERR_PROTOCOL', message: /CRC/ });
  });
}

test('a frame is decoded as its own kind only', () => {
  const decoders = new Map(ALL.map((fixture) => [fixture.decode, fixture] as const));
  for (const fixture of ALL) {
    for (const [decode] of decoders) {
      if (decode === fixture.decode) continue;
      assert.throws(() => decode(wire.splitFrame(fixture.parts)), { code: 'ERR_PROTOCOL' });
    }
  }
});

test('another major version is told apart from garbage', () => {
  const [first, ...rest] = (ALL[0] as Fixture).parts as [Uint8Array, ...Uint8Array[]];
  const other = new Uint8Array(first);
  other[2] = 9;
  assert.throws(() => wire.splitFrame([other, ...rest]), { code: 'ERR_PROTOCOL_VERSION' });
  other[0] = 0;
  assert.throws(() => wire.splitFrame([other, ...rest]), { code: 'ERR_PROTOCOL' });
});

test('absent columns are undefined, absent scalars their defaults', () => {
  const parts = wire.encodeAssign(1, { sections: [{ count: 2 }] });
  const [section] = wire.decodeAssign(wire.splitFrame(parts)).sections;
  assert.equal(section?.indices, undefined);
  assert.equal(section?.part, wire.NO_PART);
  assert.equal(section?.depCodec, wire.Codec.Undefined);
});

test('a frame that grew the builder many times is whole', () => {
  const indices = Uint32Array.from({ length: 60_000 }, (_, i) => i * 7);
  const parts = wire.encodeDone(1, { sections: [{ count: indices.length, indices }] });
  const [section] = wire.decodeDone(wire.splitFrame(parts)).sections;
  assert.deepEqual(section?.indices, indices);
});

function misaligned(part: Uint8Array): Uint8Array {
  const pool = new Uint8Array(part.byteLength + 3);
  pool.set(part, 3);
  return pool.subarray(3);
}

/** `actual` has every member of `expected`, recursively. */
function assertHolds(actual: unknown, expected: unknown, path: string): void {
  if (typeof expected !== 'object' || expected === null || ArrayBuffer.isView(expected)) {
    assert.deepEqual(actual, expected, path);
    return;
  }
  for (const [key, value] of Object.entries(expected)) {
    assertHolds((actual as Record<string, unknown>)[key], value, `${path}.${key}`);
  }
}
