// Writes a data frame into the folder it is given, and says what became of it and of the cluster.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { type HeddleError, LocalCluster } from 'heddle';
import { readParquet } from 'heddle/dataframe';
import { flightsFile } from '#heddle/examples/flights/dataset.js';
import { WAIT_MS } from '../support.js';
import * as tasks from '../tasks.js';

const output = join(process.argv[2] as string, 'out');
const timeout = WAIT_MS;
await using cluster = await LocalCluster.start({ workers: 1 });
await using client = await cluster.connect();
const flights = await readParquet(client, flightsFile(), { timeout, rows: 100_000 });
const error = await flights.toParquet(output, { timeout, compression: 'none' }).then(
  () => ({ code: 'none', message: 'everything was written' }),
  ({ code, message }: HeddleError) => ({ code, message }),
);
const files = readdirSync(output);
const served = await client.submit(tasks.square, 5).result({ timeout });
process.stdout.write(`${JSON.stringify({ ...error, files, served })}\n`);
