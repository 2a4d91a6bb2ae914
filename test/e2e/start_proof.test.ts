// The proof of the flights example must notice whatever is planted.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { type Claim, disprove } from '#heddle/examples/flights/proof.js';

const folder = mkdtempSync(join(tmpdir(), 'heddle-proof-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const ROWS = 3000;
const FILES = 4;
const input = join(folder, 'input.parquet');
let connection: DuckDBConnection;

/** Rows of file `f` of the right answer: keys 0 to 299, ten rows each, none in two files; file 2 is empty. */
const right = (f: number): string =>
  `SELECT * FROM read_parquet('${input}') WHERE least(key // 100 + key // 200, 3) = ${f} ORDER BY key, id`;

async function write(name: string, query: string): Promise<string> {
  const path = join(folder, name);
  await connection.run(`COPY (${query}) TO '${path}' (FORMAT parquet)`);
  return path;
}

/** The claim about files of which `planted` replaces some queries. */
async function claim(plant: string, planted: Record<number, string> = {}): Promise<Claim> {
  const files: string[] = [];
  for (let f = 0; f < FILES; f++)
    files.push(await write(`${plant}-${f}.parquet`, planted[f] ?? right(f)));
  return { input, rows: ROWS, columns: ['key', 'id', 'name', 'real'], by: 'key', files };
}

before(async () => {
  connection = await (await DuckDBInstance.create(':memory:')).connect();
  await write(
    'input.parquet',
    `SELECT (i * 7919) % 300 AS key, i AS id, 'n' || (i % 11) AS name, i / 7 AS real FROM range(${ROWS}) t(i)`,
  );
});
after(() => connection.closeSync());

async function disproved(wrong: Claim, words: RegExp): Promise<void> {
  assert.match((await disprove(wrong)).join('; '), words);
}

test('the right answer holds, with an empty partition', async () => {
  assert.deepEqual(await disprove(await claim('right')), []);
});

test('two rows in the wrong order', async () => {
  const swapped = `SELECT key, id, name, real FROM (SELECT *, row_number() OVER () AS n FROM (${right(0)}))
    ORDER BY CASE n WHEN 500 THEN 501 WHEN 501 THEN 500 ELSE n END`;
  await disproved(await claim('order', { 0: swapped }), /1 rows have a smaller 'key'/);
});

test('a value that two rows have swapped', async () => {
  const swapped = `SELECT key, id, CASE name WHEN 'n1' THEN 'n2' WHEN 'n2' THEN 'n1' ELSE name END AS name, real
    FROM (${right(1)}) WHERE name IN ('n1', 'n2') QUALIFY row_number() OVER (PARTITION BY name) <= 1`;
  const planted = `SELECT * FROM (SELECT * FROM (${right(1)}) WHERE id NOT IN (SELECT id FROM (${swapped}))
    UNION ALL SELECT * FROM (${swapped})) ORDER BY key, id`;
  // Each column still has its values, and the order holds: only whole rows tell.
  assert.deepEqual(await disprove(await claim('values', { 1: planted })), [
    'rows are not the rows of the input',
  ]);
});

test('two files that have changed places', async () => {
  const { files, ...rest } = await claim('places');
  const [first, second, third, fourth] = files as [string, string, string, string];
  await disproved(
    { ...rest, files: [second, first, third, fourth] },
    /not read in the order.*smaller 'key'/,
  );
  await disproved(await claim('contents', { 0: right(1), 1: right(0) }), /smaller 'key'/);
});

test('a dropped row', async () => {
  await disproved(await claim('drop', { 3: `${right(3)} LIMIT 999` }), /2999 rows instead of 3000/);
});

test('a duplicated row', async () => {
  const twice = `SELECT * FROM ((SELECT * FROM (${right(0)})) UNION ALL (SELECT * FROM (${right(0)}) LIMIT 1))
    ORDER BY key, id`;
  await disproved(await claim('twice', { 0: twice }), /3001 rows instead of 3000/);
});

test('a duplicate in place of a dropped row', async () => {
  const replaced = `SELECT key, CASE id WHEN (SELECT min(id) FROM (${right(0)})) THEN (SELECT max(id) FROM (${right(0)}))
    ELSE id END AS id, name, real FROM (${right(0)})`;
  await disproved(await claim('replaced', { 0: replaced }), /column 'id' has other values/);
});

test('a changed value', async () => {
  const changed = `SELECT key, id, name, CASE WHEN id = (SELECT min(id) FROM (${right(3)})) THEN real + 1e-9 ELSE real END
    AS real FROM (${right(3)})`;
  await disproved(await claim('changed', { 3: changed }), /column 'real' has other values/);
});

test('equal keys in two files', async () => {
  const less = `SELECT * FROM (${right(0)}) WHERE NOT (key = 99 AND id < 1500) ORDER BY key, id`;
  const more = `SELECT * FROM ((SELECT * FROM (${right(1)})) UNION ALL
    (SELECT * FROM (${right(0)}) WHERE key = 99 AND id < 1500)) ORDER BY key, id`;
  const straddling = await claim('straddle', { 0: less, 1: more });
  await disproved(straddling, /1 values of 'key' are in two partitions/);
});
