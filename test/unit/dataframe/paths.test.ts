// Which files a path stands for.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import type { HeddleError } from 'heddle';
import { expandPaths } from '#heddle/dataframe/paths.js';

const folder = mkdtempSync(join(tmpdir(), 'heddle-paths-'));
after(() => rmSync(folder, { recursive: true, force: true }));
for (const name of [
  'p10.parquet',
  'p9.parquet',
  'p1.parquet',
  '.hidden.parquet',
  'note.txt',
  'odd[1]*.parquet',
])
  writeFileSync(join(folder, name), '');
mkdirSync(join(folder, 'sub.parquet'));

const names = (...specs: string[]): string[] =>
  expandPaths(specs.map((spec) => join(folder, spec))).map((path) => basename(path));

test('a file stands for itself, also with wildcards in its name', () => {
  assert.deepEqual(names('note.txt', 'odd[1]*.parquet'), ['note.txt', 'odd[1]*.parquet']);
});

test('a folder stands for its Parquet files, numbers by value', () => {
  assert.deepEqual(names(''), ['odd[1]*.parquet', 'p1.parquet', 'p9.parquet', 'p10.parquet']);
});

test('wildcards match within the last segment', () => {
  assert.deepEqual(names('p?.parquet', 'p1*'), [
    'p1.parquet',
    'p9.parquet',
    'p1.parquet',
    'p10.parquet',
  ]);
  assert.deepEqual(names('odd[*'), ['odd[1]*.parquet']);
});

test('what stands for nothing is an error that names it', () => {
  for (const spec of ['none.parquet', 'none*.parquet', 'no-folder/*.parquet']) {
    assert.throws(
      () => names(spec),
      (error: HeddleError) => error.code === 'ERR_FILE_MISSING' && error.message.includes(spec),
    );
  }
});
