// How files become partitions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planPieces } from '#heddle/dataframe/partitions.js';

const inspected = (...groups: number[][]) => ({
  paths: groups.map((_, i) => `/data/${i}.parquet`),
  files: groups.map((rowGroupRows) => ({ bytes: 1, rowGroupRows, rowGroupBytes: rowGroupRows })),
});
const shape = (pieces: ReturnType<typeof planPieces>): unknown[] =>
  pieces.map(({ file, rowGroups, offset, rows }) => [file.at(6), rowGroups, offset, rows]);

test('a partition per row group leaves empty groups out', () => {
  const pieces = planPieces(inspected([10, 0, 5], [7]), { by: 'rowGroup' }, null);
  assert.deepEqual(shape(pieces), [
    ['0', [0], 0, 10],
    ['0', [2], 0, 5],
    ['1', [0], 0, 7],
  ]);
});

test('a partition per file', () => {
  const pieces = planPieces(inspected([10, 0, 5], [7]), { by: 'file' }, ['a']);
  assert.deepEqual(shape(pieces), [
    ['0', [0, 1, 2], 0, 15],
    ['1', [0], 0, 7],
  ]);
  assert.deepEqual(pieces[0]?.columns, ['a']);
});

test('partitions of so many rows span row groups and cover every row once', () => {
  const groups = [10, 0, 5, 1, 30];
  const starts = [0, 10, 10, 15, 16];
  for (const rows of [1, 3, 7, 10, 46, 100]) {
    const covered: number[] = [];
    for (const piece of planPieces(inspected(groups), { by: 'rows', rows }, null)) {
      const first = (starts[piece.rowGroups[0] as number] as number) + piece.offset;
      const available = piece.rowGroups.reduce((sum, group) => sum + (groups[group] as number), 0);
      assert.ok(piece.offset + piece.rows <= available, `${rows}: the groups hold the rows`);
      assert.ok(piece.rows <= rows);
      for (let i = 0; i < piece.rows; i++) covered.push(first + i);
    }
    assert.deepEqual(
      covered,
      Array.from({ length: 46 }, (_, i) => i),
      `${rows} rows each`,
    );
  }
});

test('a limit keeps the first rows', () => {
  const pieces = planPieces(inspected([10, 10], [10]), { by: 'rowGroup' }, null, 13);
  assert.deepEqual(shape(pieces), [
    ['0', [0], 0, 10],
    ['0', [1], 0, 3],
  ]);
});

test('a frame without rows has one empty partition', () => {
  for (const groups of [[], [0], [0, 0]]) {
    for (const rule of [{ by: 'rowGroup' }, { by: 'file' }, { by: 'rows', rows: 5 }] as const) {
      const pieces = planPieces(inspected(groups), rule, null);
      assert.equal(pieces.length, 1);
      assert.equal(pieces[0]?.rows, 0);
      assert.ok((pieces[0]?.rowGroups.length ?? 9) <= groups.length);
    }
  }
});
