// Data frames on a real cluster: every kind of index, degenerate sizes, files, errors, release.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { type Client, HeddleError, LocalCluster } from 'heddle';
import { type DataFrame, readParquet } from 'heddle/dataframe';
import { flightsFile } from '#heddle/examples/flights/dataset.js';
import { disprove } from '#heddle/examples/flights/proof.js';

const folder = mkdtempSync(join(tmpdir(), 'heddle-frame-'));
const wait = { timeout: 60_000 };
const flights = flightsFile();
let cluster: LocalCluster;
let client: Client;
let outputs = 0;

async function duckdb(sql: string): Promise<void> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run(sql);
  connection.closeSync();
}

async function table(name: string, query: string): Promise<string> {
  const path = join(folder, name);
  await duckdb(`COPY (${query}) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)`);
  return path;
}

before(async () => {
  cluster = await LocalCluster.start({ workers: 2 });
  client = await cluster.connect();
});
after(async () => {
  await cluster?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Orders, writes, proves by another reader, and gives back what a user sees. */
async function ordered(
  frame: DataFrame,
  input: string,
  by: string,
  partitions: number,
): Promise<{ lengths: number[]; divisions: unknown[] }> {
  using sorted = frame.setIndex(by, { partitions });
  assert.equal(sorted.partitions, partitions);
  assert.equal(sorted.index, by);
  const rows = await frame.length();
  const lengths = await sorted.lengths(wait);
  assert.equal(lengths.length, partitions);
  const files = await sorted.toParquet(join(folder, `out-${outputs++}`), wait);
  assert.deepEqual(
    files.map((file) => file.rows),
    lengths,
  );
  const claim = { input, rows, columns: frame.columns, by, files: files.map(({ path }) => path) };
  assert.deepEqual(await disprove(claim), []);
  const divisions = (await sorted.divisions(wait)) ?? [];
  assert.equal(divisions.length, partitions + 1);
  return { lengths, divisions };
}

for (const by of ['date', 'delay', 'distance', 'origin', 'destination']) {
  test(`flights ordered by ${by}, skew included`, async () => {
    const frame = await readParquet(client, flights, {
      ...wait,
      rows: 60_000,
      rowsPerPartition: 10_000,
    });
    assert.equal(frame.partitions, 6);
    const { lengths, divisions } = await ordered(frame, flights, by, 16);
    assert.equal(
      lengths.reduce((sum, rows) => sum + rows, 0),
      60_000,
    );
    for (let i = 1; i < divisions.length; i++) {
      const [last, next] = [divisions[i - 1], divisions[i]] as [number, number];
      assert.ok(last <= next, `${by}: division ${i}: ${last} <= ${next}`);
    }
  });
}

test('what a frame says of itself, and its first rows', async () => {
  const frame = await readParquet(client, [flights], {
    ...wait,
    columns: ['delay', 'origin'],
    rows: 30_000,
  });
  assert.deepEqual(frame.columns, ['delay', 'origin']);
  assert.deepEqual(
    frame.schema.map((column) => column.type),
    ['Int64', 'Utf8'],
  );
  assert.equal(frame.index, null);
  assert.equal(await frame.divisions(), null);
  assert.equal(await frame.length(), 30_000);
  const head = await frame.head(3, wait);
  assert.equal(head.numRows, 3);
  assert.deepEqual(
    head.schema.fields.map((field) => field.name),
    ['delay', 'origin'],
  );
  using sorted = frame.setIndex('delay', { partitions: 50 });
  const delays = (await sorted.head(20_000, wait)).getChild('delay')?.toArray() as BigInt64Array;
  assert.equal(delays.length, 20_000);
  assert.ok(delays.every((delay, i) => i === 0 || (delays[i - 1] as bigint) <= delay));
  assert.equal((await sorted.head(99_999, wait)).numRows, 30_000);
});

test('more partitions than rows', async () => {
  const input = await table('few.parquet', `SELECT i AS k, 'x' || i AS name FROM range(5) t(i)`);
  const frame = await readParquet(client, input, wait);
  const { lengths, divisions } = await ordered(frame, input, 'k', 40);
  assert.equal(
    lengths.reduce((sum, rows) => sum + rows, 0),
    5,
  );
  assert.deepEqual([divisions[0], divisions[40]], [0n, 4n]);
  await ordered(frame, input, 'name', 7);
});

test('zero rows', async () => {
  const input = await table('none.parquet', `SELECT 1 AS k, 'x' AS name LIMIT 0`);
  const frame = await readParquet(client, input, wait);
  assert.equal(frame.partitions, 1);
  const { lengths, divisions } = await ordered(frame, input, 'k', 3);
  assert.deepEqual(lengths, [0, 0, 0]);
  assert.deepEqual(divisions, [null, null, null, null]);
  using sorted = frame.setIndex('name');
  assert.equal((await sorted.head(5, wait)).numRows, 0);
  assert.deepEqual(
    (await sorted.head(5, wait)).schema.fields.map((f) => f.name),
    ['k', 'name'],
  );
});

test('all keys equal, all null, floats with NaN', async () => {
  const input = await table(
    'odd.parquet',
    `SELECT 7 AS same, NULL::INTEGER AS nothing, i AS id, i % 3 = 0 AS flag, (i % 97)::UTINYINT AS small,
       CASE WHEN i % 10 = 0 THEN 'NaN'::DOUBLE WHEN i % 11 = 0 THEN NULL ELSE -i / 3.0 END AS real,
       DATE '2020-01-01' + (i % 50)::INTEGER AS day FROM range(9000) t(i)`,
  );
  const frame = await readParquet(client, input, wait);
  assert.ok(frame.partitions > 1);
  const same = await ordered(frame, input, 'same', 5);
  assert.deepEqual(
    same.lengths.filter((rows) => rows > 0),
    [9000],
  );
  const nothing = await ordered(frame, input, 'nothing', 5);
  assert.deepEqual(nothing.lengths, [0, 0, 0, 0, 9000]);
  assert.deepEqual(nothing.divisions, Array(6).fill(null));
  for (const by of ['real', 'flag', 'small', 'day']) await ordered(frame, input, by, 8);
});

test('a frame in memory is read once and released', async () => {
  const frame = await readParquet(client, flights, { ...wait, rows: 5000, rowsPerPartition: 1000 });
  const held = frame.persist();
  assert.deepEqual(await held.lengths(wait), [1000, 1000, 1000, 1000, 1000]);
  await ordered(held, flights, 'origin', 4);
  const again = held.setIndex('delay', { partitions: 3 });
  using twice = again.setIndex('date', { partitions: 2 });
  held.release();
  again.release();
  assert.equal(await twice.length(wait), 5000);
  assert.throws(
    () => held.setIndex('delay'),
    (error: HeddleError) => error.code === 'ERR_RELEASED',
  );
  await rejects(held.length(), 'ERR_RELEASED');
  held.release();
});

async function rejects(promise: Promise<unknown>, code: string, ...words: string[]): Promise<void> {
  await assert.rejects(promise, (error: HeddleError) => {
    assert.ok(error instanceof HeddleError, String(error));
    assert.equal(error.code, code, error.message);
    for (const word of words) assert.ok(error.message.includes(word), error.message);
    return true;
  });
}

test('bad input is a typed error, and the cluster goes on', async () => {
  const damaged = join(folder, 'damaged.parquet');
  writeFileSync(damaged, 'PAR1 it is not PAR1');
  const few = await table('few2.parquet', 'SELECT 1 AS delay');
  await rejects(
    readParquet(client, '/no/such.parquet', wait),
    'ERR_FILE_MISSING',
    '/no/such.parquet',
  );
  await rejects(readParquet(client, damaged, wait), 'ERR_PARQUET_CORRUPT', damaged);
  await rejects(readParquet(client, [flights, few], wait), 'ERR_SCHEMA_MISMATCH', 'few2.parquet');
  await rejects(
    readParquet(client, flights, { ...wait, columns: ['delai'] }),
    'ERR_COLUMN_UNKNOWN',
    "'delay'",
  );
  await rejects(readParquet(client, [], wait), 'ERR_ARGUMENT');
  const frame = await readParquet(client, flights, { ...wait, rows: 100 });
  assert.throws(
    () => frame.setIndex('orgin'),
    (error: HeddleError) =>
      error.code === 'ERR_COLUMN_UNKNOWN' && error.message.includes("'origin'"),
  );
  for (const partitions of [0, -1, 1.5, Number.NaN]) {
    assert.throws(
      () => frame.setIndex('delay', { partitions }),
      (error: HeddleError) => error.code === 'ERR_ARGUMENT',
    );
  }
  assert.equal(await frame.setIndex('delay', { partitions: 2 }).length(wait), 100);
});

test('types: decimals are carried, nested columns can be left out', async () => {
  const input = await table(
    'types.parquet',
    `SELECT i AS k, (i * 1.25)::DECIMAL(30, 4) AS price, (i / 3)::DECIMAL(9, 2) AS small, i::VARCHAR::BLOB AS raw,
       TIME '10:00:00' + to_seconds(i) AS at, TIMESTAMPTZ '2020-01-01 00:00:00Z' + to_days(i::INTEGER) AS moment,
       i::FLOAT AS real, (i % 2)::VARCHAR::ENUM ('0', '1') AS choice, i::UBIGINT AS big FROM range(3000) t(i)`,
  );
  const frame = await readParquet(client, input, wait);
  for (const by of ['k', 'raw', 'at', 'moment', 'real', 'choice', 'big']) {
    await ordered(frame, input, by, 4);
  }
  await rejects(frame.setIndex('price').length(wait), 'ERR_TYPE_UNSUPPORTED', 'price', 'Decimal');
  const nested = await table('nested.parquet', 'SELECT i AS k, [i, i] AS pair FROM range(9) t(i)');
  await rejects(readParquet(client, nested, wait), 'ERR_TYPE_UNSUPPORTED', "'pair'", 'columns');
  assert.equal(await (await readParquet(client, nested, { ...wait, columns: ['k'] })).length(), 9);
});

test('a file that vanishes between planning and reading', async () => {
  const input = await table('vanishing.parquet', 'SELECT i AS k FROM range(10) t(i)');
  const frame = await readParquet(client, input, wait);
  rmSync(input);
  await rejects(
    frame.setIndex('k', { partitions: 3 }).length(wait),
    'ERR_FILE_MISSING',
    'vanishing',
  );
});

test('a failed write leaves no file behind', async () => {
  const input = await table('five.parquet', 'SELECT i AS k FROM range(10) t(i)');
  const frame = await readParquet(client, input, { ...wait, rowsPerPartition: 2 });
  const out = join(folder, 'partly');
  await frame.toParquet(out, wait);
  await rejects(frame.toParquet(out, wait), 'ERR_ARGUMENT', 'overwrite');
  assert.equal(readdirSync(out).length, 5);
  // A folder in place of one file: that write fails, the others must go again.
  rmSync(out, { recursive: true });
  mkdirSync(join(out, 'part-00003.parquet', 'inside'), { recursive: true });
  await rejects(frame.toParquet(out, { ...wait, overwrite: true }), 'ERR_IO', 'part-00003');
  assert.deepEqual(readdirSync(out), ['part-00003.parquet']);
});
