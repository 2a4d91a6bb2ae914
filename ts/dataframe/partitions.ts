/** How a set of files becomes partitions. */
import { HeddleError } from '../errors/index.js';
import type { Piece } from '../native/kernels.js';
import type { Inspected } from './tasks.js';

/** A partition per row group, per file, or per so many rows. */
export type PartitionRule =
  | { readonly by: 'rowGroup' | 'file' }
  | { readonly by: 'rows'; readonly rows: number };

/**
 * Pieces of the files under a rule. Row groups without rows make no partition of their own; a frame
 * without any rows has one empty partition. With `limit`, only the first so many rows.
 */
export function planPieces(
  { paths, files }: Pick<Inspected, 'paths' | 'files'>,
  rule: PartitionRule,
  columns: readonly string[] | null,
  limit = Number.POSITIVE_INFINITY,
): Piece[] {
  const pieces: Piece[] = [];
  let left = limit;
  for (const [at, { rowGroupRows }] of files.entries()) {
    const file = paths[at] as string;
    for (const run of runs(rowGroupRows, rule)) {
      const rows = Math.min(run.rows, left);
      left -= rows;
      if (rows > 0) pieces.push({ file, ...run, rows, columns });
    }
  }
  if (pieces.length === 0) {
    const file = paths[0] as string;
    const rowGroups = files[0]?.rowGroupRows.length === 0 ? [] : [0];
    pieces.push({ file, rowGroups, offset: 0, rows: 0, columns });
  }
  return pieces;
}

type Run = Pick<Piece, 'rowGroups' | 'offset' | 'rows'>;

function runs(groups: readonly number[], rule: PartitionRule): Run[] {
  const total = groups.reduce((sum, rows) => sum + rows, 0);
  switch (rule.by) {
    case 'rowGroup':
      return groups.map((rows, group) => ({ rowGroups: [group], offset: 0, rows }));
    case 'file':
      return [{ rowGroups: groups.map((_, group) => group), offset: 0, rows: total }];
    case 'rows': {
      const cut: Run[] = [];
      for (let start = 0; start < total; start += rule.rows) {
        cut.push(groupsOf(groups, start, Math.min(rule.rows, total - start)));
      }
      return cut;
    }
  }
}

/** The row groups that rows `start` to `start + rows` of a file lie in. */
function groupsOf(groups: readonly number[], start: number, rows: number): Run {
  const rowGroups: number[] = [];
  let before = 0;
  let offset = 0;
  for (const [group, size] of groups.entries()) {
    const after = before + size;
    if (size > 0 && before < start + rows && after > start) {
      if (rowGroups.length === 0) offset = start - before;
      rowGroups.push(group);
    }
    before = after;
  }
  return { rowGroups, offset, rows };
}

/** @throws HeddleError `ERR_ARGUMENT` unless `value` is an integer from 1 to `most`. */
export function checkCount(name: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new HeddleError(
    'ERR_ARGUMENT',
    `${name} must be a whole number from 1 to ${most}, not ${String(value)}`,
  );
}
