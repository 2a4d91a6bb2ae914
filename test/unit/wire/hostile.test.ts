// Frames with flipped bits, cut short or made of noise give a WireError or some message, never another error,
// a hang or a view outside the frame.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as wire from '#heddle/wire/index.js';
import { ALL, type Fixture } from './fixtures.js';

const ROUNDS = 2000;

/** xorshift32: the same mutations on every machine. */
function random(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function attempt(fixture: Fixture, parts: readonly Uint8Array[]): 'refused' | 'read' {
  let message: unknown;
  try {
    message = fixture.decode(wire.splitFrame(parts));
  } catch (error) {
    assert.ok(error instanceof wire.WireError, `${fixture.name}: ${String(error)}`);
    return 'refused';
  }
  assertViewsInside(message, parts, fixture.name);
  return 'read';
}

/** Views may lie in the frame only (or in a copy of part 0, made when it was misaligned). */
function assertViewsInside(value: unknown, parts: readonly Uint8Array[], path: string): void {
  if (ArrayBuffer.isView(value)) {
    const part = parts.find((candidate) => candidate.buffer === value.buffer) ?? parts[0];
    assert.ok(part !== undefined);
    const [start, end] = [value.byteOffset, value.byteOffset + value.byteLength];
    assert.ok(end - start <= part.byteLength, path);
    if (part.buffer !== value.buffer) return;
    assert.ok(start >= part.byteOffset && end <= part.byteOffset + part.byteLength, path);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value))
    assertViewsInside(inner, parts, `${path}.${key}`);
}

for (const [at, fixture] of ALL.entries()) {
  test(`${fixture.name}: mutations are harmless`, () => {
    const below = random(0x9e3779b9 + at);
    let refused = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const parts = fixture.parts.map((part) => new Uint8Array(part));
      for (let flips = 1 + below(4); flips > 0; flips--) {
        const part = parts[below(parts.length)] as Uint8Array;
        if (part.length > 0) part[below(part.length)] = below(256);
      }
      if (attempt(fixture, parts) === 'refused') refused++;
    }
    assert.ok(refused > 0, 'some mutations break a frame');
  });

  test(`${fixture.name}: every truncation is harmless`, () => {
    const [first, ...rest] = fixture.parts as [Uint8Array, ...Uint8Array[]];
    for (let length = 0; length < first.length; length++) {
      attempt(fixture, [new Uint8Array(first.subarray(0, length)), ...rest]);
    }
    if (rest.length > 0)
      assert.equal(attempt(fixture, [first]), 'refused', 'the payload is missing');
  });

  test(`${fixture.name}: a valid header before noise is harmless`, () => {
    const below = random(77 + at);
    for (let round = 0; round < 500; round++) {
      const part = Uint8Array.from({ length: 16 + below(200) }, () => below(256));
      part.set((fixture.parts[0] as Uint8Array).subarray(0, 16));
      attempt(fixture, [part, ...fixture.parts.slice(1)]);
    }
  });
}

const refusals: readonly [string, RegExp, () => unknown][] = [
  [
    'columns of unequal length',
    /attempts has 1 elements, not 2/,
    () =>
      wire.decodeAssign(
        split(wire.encodeAssign(1, { sections: [{ count: 2, attempts: Uint32Array.of(1) }] })),
      ),
  ],
  [
    'a payload part that is not there',
    /payload part 0 does not exist/,
    () =>
      wire.decodeAssign(
        split(wire.encodeAssign(1, { sections: [{ count: 1, part: 0, dataStride: 8 }] })),
      ),
  ],
  [
    'row data longer than its payload part',
    /bytes 0 to 16 of a part of 8/,
    () =>
      wire.decodeAssign(
        split(
          wire.encodeAssign(1, { sections: [{ count: 2, part: 0, dataStride: 8 }] }, [
            new Uint8Array(8),
          ]),
        ),
      ),
  ],
  [
    'inputs without indices',
    /depIndices is absent/,
    () =>
      wire.decodeAssign(
        split(wire.encodeAssign(1, { sections: [{ count: 1, depCounts: Uint32Array.of(2) }] })),
      ),
  ],
  [
    'a section with too many records',
    /count is 65537/,
    () => wire.decodeDone(split(wire.encodeDone(1, { sections: [{ count: 65_537 }] }))),
  ],
  [
    'a chunk beyond its value',
    /ends beyond its value/,
    () =>
      wire.decodeData(
        split(
          wire.encodeData(
            1,
            {
              items: Uint32Array.of(0),
              codecs: Uint8Array.of(3),
              sizes: Uint32Array.of(9),
              totals: Uint32Array.of(8),
            },
            [new Uint8Array(9)],
          ),
        ),
      ),
  ],
  ['no parts at all', /an empty message/, () => wire.splitFrame([])],
];

for (const [what, message, attempt] of refusals) {
  test(`${what} is refused`, () => {
    assert.throws(attempt, { code: 'ERR_PROTOCOL', message });
  });
}

function split(parts: wire.FrameParts): wire.Frame {
  return wire.splitFrame(parts);
}
