// Frames written by either language long ago are still read, with the same meaning. HEDDLE_WRITE_GOLDEN=1 writes
// the ones this side sends; `cargo test -p heddle-wire` with it writes the scheduler's.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as wire from '#heddle/wire/index.js';
import { DATA, INBOUND, OUTBOUND } from './fixtures.js';

const folder = fileURLToPath(new URL('../../../../test/compat/golden', import.meta.url));
const writing = process.env.HEDDLE_WRITE_GOLDEN === '1';

/** u32 number of parts, then u32 length and bytes of each. */
function pack(parts: wire.FrameParts): Uint8Array {
  const u32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  return Buffer.concat([u32(parts.length), ...parts.flatMap((part) => [u32(part.length), part])]);
}

function unpack(bytes: Buffer): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let at = 4;
  for (let left = bytes.readUInt32LE(0); left > 0; left--) {
    const length = bytes.readUInt32LE(at);
    parts.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  assert.equal(at, bytes.length);
  return parts;
}

for (const fixture of [...INBOUND, ...DATA]) {
  test(`golden ${fixture.name}`, () => {
    const path = join(folder, `${fixture.name}.bin`);
    if (writing) writeFileSync(path, pack(fixture.parts));
    const golden = fixture.decode(wire.splitFrame(unpack(readFileSync(path))));
    assert.deepEqual(golden, fixture.decode(wire.splitFrame(fixture.parts)));
  });
}

for (const fixture of OUTBOUND) {
  test(`golden ${fixture.name}, by the scheduler`, () => {
    const golden = wire.splitFrame(unpack(readFileSync(join(folder, `${fixture.name}.bin`))));
    const ours = wire.splitFrame(fixture.parts);
    assert.equal(golden.epoch, ours.epoch);
    assert.deepEqual(fixture.decode(golden), fixture.decode(ours));
    assert.deepEqual(golden.payload.map(plain), ours.payload.map(plain));
  });
}

const plain = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes);
