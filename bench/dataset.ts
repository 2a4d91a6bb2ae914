/** Three million flights in an order that no index has: written once, by a program that is not Heddle's. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** Files the rows are spread over. */
export const FILES = 64;
const SEED = 20_210_519;

/** The package hides its data from `import`; the file lies beside its package.json's folder. */
function source(): string {
  const entry = createRequire(import.meta.url).resolve('vega-datasets');
  let folder = dirname(entry);
  while (!existsSync(join(folder, 'data/flights-3m.parquet'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('vega-datasets has no data/flights-3m.parquet');
    folder = parent;
  }
  return join(folder, 'data/flights-3m.parquet');
}

/**
 * The folder of the permuted files; written when it is not there yet.
 *
 * @param rows how many of the rows to use.
 */
export async function permutedFlights(rows: number): Promise<string> {
  const cache = fileURLToPath(new URL('../../.heddle/bench', import.meta.url));
  const folder = join(cache, `flights-${rows}-seed-${SEED}`);
  if (existsSync(folder) && readdirSync(folder).length === FILES) return folder;
  const partial = `${folder}.${process.pid}`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  try {
    await write(partial, rows);
    rmSync(folder, { recursive: true, force: true });
    renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return folder;
}

async function write(folder: string, rows: number): Promise<void> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  // A row's place is decided by a hash of its number and the seed: the same on every machine.
  await connection.run(`CREATE TABLE flights AS
    SELECT *, hash(file_row_number, ${SEED}) AS place
    FROM read_parquet(${quoted(source())}, file_row_number = true)
    WHERE file_row_number < ${rows}`);
  for (let file = 0; file < FILES; file++) {
    const name = join(folder, `${String(file).padStart(2, '0')}.parquet`);
    await connection.run(`COPY (
      SELECT * EXCLUDE (place, file_row_number) FROM flights
      WHERE place % ${FILES} = ${file} ORDER BY place
    ) TO ${quoted(name)} (FORMAT parquet, COMPRESSION zstd)`);
  }
  connection.closeSync();
  instance.closeSync();
}
