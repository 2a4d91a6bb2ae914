// A disk without room, and a worker that may not write so large a file: a typed error that names the path and what to
// do, no file of the failed write, and a cluster that keeps serving.
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Client, type HeddleError, LocalCluster } from 'heddle';
import { readParquet } from 'heddle/dataframe';
import { flightsFile } from '#heddle/examples/flights/dataset.js';
import { rejects, temporaryFolder, WAIT_MS } from './support.js';
import * as tasks from './tasks.js';

const run = promisify(execFile);
const DISK_BYTES = 2 << 20;

/** A file system of 2 MiB for the length of a test; undefined where this process may not mount one. */
function smallDisk(folder: string): ({ path: string } & Disposable) | undefined {
  if (process.platform !== 'linux') return undefined;
  const path = join(folder, 'disk');
  mkdirSync(path);
  const options = `size=${DISK_BYTES},mode=0700`;
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'heddle-test', path]);
  if (mount.status !== 0) return undefined;
  // Lazy: workers of a test that failed may still have files open.
  return { path, [Symbol.dispose]: () => execFileSync('umount', ['-l', path]) };
}

/** Asserts the error of a write to `folder`, and that nothing of it is left there. */
async function failsForSpace(writing: Promise<unknown>, folder: string): Promise<HeddleError> {
  const error = await rejects(writing, 'ERR_DISK_FULL');
  assert.ok(error.message.includes(folder), error.message);
  assert.match(error.message, /choose another|smaller partitions/);
  assert.deepEqual(readdirSync(folder), []);
  return error;
}

async function serves(client: Client): Promise<void> {
  assert.equal(await client.submit(tasks.square, 5).result({ timeout: WAIT_MS }), 25);
}

const reading = { timeout: WAIT_MS, rows: 400_000, rowsPerPartition: 50_000 };
const writing = { timeout: WAIT_MS, compression: 'none' } as const;

test('a disk that fills up while partitions are written', async (t) => {
  using folder = temporaryFolder();
  using disk = smallDisk(folder.path);
  if (disk === undefined) return t.skip('this process may not mount a file system');
  await using cluster = await LocalCluster.start({ workers: 2 });
  await using client = await cluster.connect();
  const flights = await readParquet(client, flightsFile(), reading);
  const output = join(disk.path, 'out');
  await failsForSpace(flights.toParquet(output, writing), output);
  await serves(client);
  // What fits is written at the same place afterwards: nothing invisible takes the room either.
  const few = await readParquet(client, flightsFile(), { timeout: WAIT_MS, rows: 10_000 });
  assert.ok((await few.toParquet(output, writing)).length > 0);
});

test('a disk that is obviously too small is refused before anything is written', async (t) => {
  using folder = temporaryFolder();
  using disk = smallDisk(folder.path);
  if (disk === undefined) return t.skip('this process may not mount a file system');
  await using cluster = await LocalCluster.start({ workers: 1 });
  await using client = await cluster.connect();
  const rows = { timeout: WAIT_MS, rows: 400_000, rowsPerPartition: 400_000 };
  const flights = await readParquet(client, flightsFile(), rows);
  const output = join(disk.path, 'out');
  mkdirSync(output);
  // Less is free than the best compression could need.
  writeFileSync(join(disk.path, 'taken'), new Uint8Array(DISK_BYTES - (64 << 10)));
  const error = await failsForSpace(flights.toParquet(output, writing), output);
  assert.match(error.message, /about \d+ KiB needed, \d+ KiB free/);
  await serves(client);
});

test('a worker that may not write files so large', {
  skip: process.platform === 'win32',
}, async () => {
  using folder = temporaryFolder();
  // In a process of its own: the limit, 64 or 128 KiB per file, holds for it and the workers it starts.
  const script = fileURLToPath(new URL('scripts/limited_writer.js', import.meta.url));
  const limited = ['-c', 'ulimit -f 128; exec "$@"', 'sh', process.execPath, script, folder.path];
  const { stdout } = await run('sh', limited, { timeout: 2 * WAIT_MS, killSignal: 'SIGKILL' });
  const { code, message, files, served } = JSON.parse(stdout);
  assert.equal(code, 'ERR_DISK_FULL', message);
  assert.ok(message.includes(folder.path), message);
  assert.match(message, /ulimit -f/);
  assert.deepEqual(files, []);
  assert.equal(served, 25);
});
