// A worker killed at any phase of an exchange: the exact answer all the same.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { LocalCluster } from 'heddle';
import { readParquet } from 'heddle/dataframe';
import { flightsFile } from '#heddle/examples/flights/dataset.js';
import { disprove } from '#heddle/examples/flights/proof.js';
import { temporaryFolder, until, WAIT_MS } from './support.js';

const ROWS = 400_000;
const INPUTS = 16;
const OUTPUTS = 16;
/** Tasks completed when the worker dies: while samples, splits, merges and files are made. */
const MOMENTS = [6, 20, 36, 50];

for (const [i, moment] of MOMENTS.entries()) {
  test(`a worker killed after ${moment} of about 68 tasks`, async () => {
    using folder = temporaryFolder();
    const output = join(folder.path, 'out');
    await using cluster = await LocalCluster.start({ workers: 2, check: 'full' });
    await using client = await cluster.connect();
    const options = { timeout: WAIT_MS, rows: ROWS, rowsPerPartition: ROWS / INPUTS };
    const flights = await readParquet(client, flightsFile(), options);
    using sorted = flights.setIndex('delay', { partitions: OUTPUTS });
    const writing = sorted.toParquet(output, { timeout: WAIT_MS });
    const settled = writing.then(
      () => true,
      () => true,
    );
    await until(`${moment} tasks`, async () => {
      const { tasksCompleted } = (await client.stats()) as { tasksCompleted: number };
      return tasksCompleted >= moment || (await Promise.race([settled, false]));
    });
    process.kill(cluster.workers[i % 2] as number, 'SIGKILL');
    const files = await writing;
    const claim = {
      input: flightsFile(),
      rows: ROWS,
      columns: flights.columns,
      by: 'delay',
      files: files.map(({ path }) => path),
    };
    assert.deepEqual(await disprove(claim), []);
  });
}
