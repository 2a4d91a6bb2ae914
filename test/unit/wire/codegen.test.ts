// Generated code is committed: the check notices one altered byte and says what to do.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const GENERATED = [
  'ts/wire/generated/enums.ts',
  'ts/wire/generated/tables.ts',
  'ts/wire/generated/limits.ts',
  'crates/heddle-wire/src/generated/protocol.rs',
  'crates/heddle-core/src/limits.rs',
];

function check(tree: string): { readonly status: number | null; readonly stderr: string } {
  const script = join(root, 'ts/build/codegen.mjs');
  return spawnSync(process.execPath, [script, '--check', '--root', tree], {
    encoding: 'utf8',
    timeout: 60_000,
  });
}

test('committed code is fresh, and an altered byte is noticed', (t) => {
  const copy = mkdtempSync(join(tmpdir(), 'heddle-codegen-'));
  t.after(() => rmSync(copy, { recursive: true, force: true }));
  for (const path of ['schemas', ...GENERATED]) {
    cpSync(join(root, path), join(copy, path), { recursive: true });
  }
  assert.deepEqual(
    { status: check(copy).status, stderr: check(copy).stderr },
    { status: 0, stderr: '' },
  );

  for (const path of GENERATED) {
    const file = join(copy, path);
    const bytes = readFileSync(file);
    const altered = Buffer.from(bytes);
    altered[altered.length >> 1] = (altered[altered.length >> 1] as number) ^ 1;
    writeFileSync(file, altered);
    const { status, stderr } = check(copy);
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`${path} is stale: run .npm run codegen`));
    writeFileSync(file, bytes);
  }
});

test('a schema that changed makes all of its code stale', (t) => {
  const copy = mkdtempSync(join(tmpdir(), 'heddle-codegen-'));
  t.after(() => rmSync(copy, { recursive: true, force: true }));
  for (const path of ['schemas', ...GENERATED]) {
    cpSync(join(root, path), join(copy, path), { recursive: true });
  }
  const schema = join(copy, 'schemas/session.fbs');
  writeFileSync(
    schema,
    readFileSync(schema, 'utf8').replace('reason:string;', 'reason:string; more:uint;'),
  );
  const { status, stderr } = check(copy);
  assert.equal(status, 1);
  assert.match(stderr, /tables\.ts is stale/);
  assert.match(stderr, /protocol\.rs is stale/);
});
