// The kernels through the addon, called as the tasks call them, on real rows; and their errors.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Table, tableFromIPC } from 'apache-arrow';
import type { HeddleError } from 'heddle';
import * as tasks from '#heddle/dataframe/tasks.js';
import { flightsFile } from '#heddle/examples/flights/dataset.js';
import { kernels, type Piece } from '#heddle/native/kernels.js';

const folder = mkdtempSync(join(tmpdir(), 'heddle-kernels-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const file = flightsFile();
const ROWS = 20_000;
const pieces: Piece[] = [0, 1, 2].map((i) => ({
  file,
  rowGroups: [i],
  offset: 1000 * i,
  rows: ROWS,
  columns: null,
}));
const { schema } = tasks.inspectFiles([file], null);

function rowsOf(table: Table): string[] {
  const columns = table.schema.fields.map((_, c) => table.getChildAt(c));
  return Array.from({ length: table.numRows }, (_, r) =>
    columns.map((c) => String(c?.get(r))).join('|'),
  );
}

const before = pieces.flatMap((piece) => rowsOf(tableFromIPC(kernels().read(piece))));

for (const column of ['date', 'delay', 'distance', 'origin', 'destination']) {
  test(`split and merge by ${column} give the stable sort`, () => {
    const partitions = 16;
    const samples = pieces.map((piece) => tasks.samplePartition(piece, column, 1000));
    const divisions = tasks.divideSamples(samples, partitions);
    const splits = pieces.map((piece) => tasks.splitPartition(piece, column, divisions).values);
    const merged = Array.from({ length: partitions }, (_, j) =>
      tasks.mergePartition(
        splits.map((slices) => slices[j] as Uint8Array),
        schema,
        column,
      ),
    );
    const tables = merged.map(({ values: [bytes] }) => tableFromIPC(bytes as Uint8Array));
    for (const [j, { values }] of merged.entries()) assert.equal(values[1], tables[j]?.numRows);
    const position = ['date', 'delay', 'distance', 'origin', 'destination'].indexOf(column);
    const numeric = position < 3;
    const expected = before
      .map((row, i) => ({ row, i, key: row.split('|')[position] as string }))
      .sort((a, b) => {
        const order = numeric
          ? Number(a.key) - Number(b.key)
          : a.key < b.key
            ? -1
            : a.key > b.key
              ? 1
              : 0;
        return order || a.i - b.i;
      })
      .map(({ row }) => row);
    assert.deepEqual(tables.flatMap(rowsOf), expected);
    const keys = tableFromIPC(divisions).getChildAt(0);
    assert.equal(keys?.length, partitions + 1);
  });
}

test('slices carry no schema and fewer bytes than their rows', () => {
  const [piece] = pieces as [Piece];
  const divisions = tasks.divideSamples([tasks.samplePartition(piece, 'delay', 100)], 8);
  const sliced = kernels().split(piece, 'delay', divisions);
  assert.equal(sliced.ends.length, 8);
  assert.ok(sliced.ends.every((end) => end % 8 === 0));
  // Three 8-byte numbers and two strings of 3 letters with their offsets: 38 bytes in memory.
  assert.ok(sliced.bytes.length / ROWS < 20, `${sliced.bytes.length / ROWS} bytes per row`);
});

test('head, write and read back', () => {
  const [piece] = pieces as [Piece];
  for (const compression of ['zstd', 'snappy', 'none'] as const) {
    const written = tasks.writePartition(
      { source: piece, name: `${compression}.parquet` },
      folder,
      compression,
    );
    assert.equal(written.rows, ROWS);
    const whole = { ...piece, file: written.path, rowGroups: [0], offset: 0 };
    assert.deepEqual(rowsOf(tableFromIPC(kernels().read(whole))), before.slice(0, ROWS));
  }
  assert.deepEqual(rowsOf(tableFromIPC(tasks.takeHead(piece, 3))), before.slice(0, 3));
  assert.ok(readdirSync(folder).every((name) => !name.endsWith('.tmp')));
});

test('views that start at any byte are accepted', () => {
  const bytes = kernels().read(pieces[0] as Piece);
  const shifted = new Uint8Array(bytes.length + 3).subarray(3);
  shifted.set(bytes);
  assert.equal(kernels().rowCount(shifted), ROWS);
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  assert.deepEqual(tasks.takeHead(shared, 10), tasks.takeHead(shifted, 10));
});

const fails = (run: () => unknown, code: string, ...words: string[]): void => {
  assert.throws(run, (error: HeddleError) => {
    assert.equal(error.code, code, error.message);
    for (const word of words) assert.ok(error.message.includes(word), error.message);
    return true;
  });
};

test('errors are typed and name what and how', () => {
  const [piece] = pieces as [Piece];
  const divisions = tasks.divideSamples([tasks.samplePartition(piece, 'delay', 10)], 2);
  fails(() => tasks.inspectFiles([join(folder, 'none')], null), 'ERR_FILE_MISSING', 'none');
  fails(() => kernels().inspect(['/none'], null), 'ERR_FILE_MISSING', '/none');
  fails(() => tasks.inspectFiles([file], ['delai']), 'ERR_COLUMN_UNKNOWN', "'delay'");
  fails(() => tasks.samplePartition(piece, 'orgin', 1), 'ERR_COLUMN_UNKNOWN', "'origin'");
  fails(() => tasks.splitPartition(piece, 'origin', divisions), 'ERR_INTERNAL', 'another column');
  fails(() => kernels().rowCount(new Uint8Array(100)), 'ERR_INTERNAL', 'damaged');
  fails(() => tasks.mergePartition([new Uint8Array(64)], schema, 'delay'), 'ERR_INTERNAL', 'slice');
  fails(() => tasks.divideSamples([], 4), 'ERR_ARGUMENT');
  fails(
    () => kernels().writeParquet(piece, join(folder, 'no', 'x.parquet'), 'zstd'),
    'ERR_FILE_MISSING',
  );
  fails(
    () => kernels().writeParquet(piece, join(folder, 'x'), 'gzip' as 'zstd'),
    'ERR_ARGUMENT',
    'gzip',
  );
  const damaged = join(folder, 'damaged.parquet');
  writeFileSync(damaged, 'PAR1, they said. PAR1');
  fails(() => tasks.inspectFiles([damaged], null), 'ERR_PARQUET_CORRUPT', damaged);
});

test('a folder with Parquet files is not written into unless told to', () => {
  const used = join(folder, 'used');
  assert.equal(tasks.prepareFolder(used, false), used);
  writeFileSync(join(used, 'part-9.parquet'), '');
  writeFileSync(join(used, 'note.txt'), '');
  fails(() => tasks.prepareFolder(used, false), 'ERR_ARGUMENT', 'overwrite');
  tasks.prepareFolder(used, true);
  assert.deepEqual(readdirSync(used), ['note.txt']);
  fails(() => tasks.prepareFolder(join(used, 'note.txt'), true), 'ERR_IO', 'note.txt');
});
