/**
 * Proof of an ordered set of Parquet files by a reader that shares no code with Heddle: DuckDB.
 *
 * Rows are compared as a multiset, by sums of 64-bit hashes: one sum over whole rows (a value moved to
 * another row changes it) and one per column (to say where). Order is read off the files as they lie:
 * a window over the scan sees each row beside the one before it, and file names and row numbers prove
 * that the scan itself was in order.
 */
import type { DuckDBConnection } from '@duckdb/node-api';

/** What to prove of which files. */
export interface Claim {
  /** The file the rows come from. */
  readonly input: string;
  /** Rows of the input that count: the first so many. */
  readonly rows: number;
  /** Names of the columns. */
  readonly columns: readonly string[];
  /** Column the output is ordered by. */
  readonly by: string;
  /** Output files, in order. */
  readonly files: readonly string[];
}

const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
const name = (value: string): string => `"${value.replaceAll('"', '""')}"`;

type Row = Record<string, unknown>;

/**
 * Checks a claim.
 *
 * @returns what is wrong, in sentences; empty when everything holds.
 * @throws when DuckDB is not installed or cannot read a file.
 */
export async function disprove(claim: Claim): Promise<string[]> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const database = await DuckDBInstance.create(':memory:');
  try {
    const connection = await database.connect();
    try {
      const output = `read_parquet([${claim.files.map(text).join(', ')}])`;
      const input = `(SELECT * FROM read_parquet(${text(claim.input)}) LIMIT ${claim.rows})`;
      const before = await first(connection, sums(claim, input));
      const after = await first(connection, sums(claim, output));
      const order = await first(connection, steps(claim));
      return [...compare(claim, before, after), ...judge(claim, order)];
    } finally {
      connection.closeSync();
    }
  } finally {
    database.closeSync();
  }
}

async function first(connection: DuckDBConnection, sql: string): Promise<Row> {
  const rows = (await connection.runAndReadAll(sql)).getRowObjects() as Row[];
  return rows[0] ?? {};
}

function sums({ columns }: Claim, source: string): string {
  const perColumn = columns.map((column, i) => `sum(hash(${name(column)})) AS column${i}`);
  const wholeRow = `sum(hash(${columns.map(name).join(', ')})) AS wholeRow`;
  return `SELECT count(*) AS rows, ${[...perColumn, wholeRow].join(', ')} FROM ${source}`;
}

function steps({ by, files }: Claim): string {
  const options = 'filename = true, file_row_number = true';
  return `
    SELECT count(*) AS rows,
      count(*) FILTER (WHERE file = last_file AND number <> last_number + 1
        OR file <> last_file AND (file < last_file OR number <> 0)) AS unread,
      count(*) FILTER (WHERE last_file IS NOT NULL
        AND (last > key OR last IS NULL AND key IS NOT NULL)) AS unordered,
      count(*) FILTER (WHERE file <> last_file AND last IS NOT DISTINCT FROM key) AS straddling
    FROM (
      SELECT ${name(by)} AS key, filename AS file, file_row_number AS number, lag(key) OVER () AS last,
        lag(file) OVER () AS last_file, lag(number) OVER () AS last_number
      FROM read_parquet([${files.map(text).join(', ')}], ${options})
    )`;
}

function compare({ columns, rows }: Claim, before: Row, after: Row): string[] {
  const wrong: string[] = [];
  if (before.rows !== BigInt(rows)) wrong.push(`the input has ${before.rows} rows, not ${rows}`);
  if (after.rows !== before.rows) wrong.push(`${after.rows} rows instead of ${before.rows}`);
  for (const [i, column] of columns.entries()) {
    if (after[`column${i}`] !== before[`column${i}`])
      wrong.push(`column '${column}' has other values`);
  }
  if (after.wholeRow !== before.wholeRow) wrong.push('rows are not the rows of the input');
  return wrong;
}

function judge({ by }: Claim, { rows, unread, unordered, straddling }: Row): string[] {
  const wrong: string[] = [];
  if (unread !== 0n)
    wrong.push(`${unread} of ${rows} rows were not read in the order of the files`);
  if (unordered !== 0n) wrong.push(`${unordered} rows have a smaller '${by}' than the row before`);
  if (straddling !== 0n) wrong.push(`${straddling} values of '${by}' are in two partitions`);
  return wrong;
}
