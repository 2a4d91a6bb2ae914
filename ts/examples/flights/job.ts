/** The example's work: read, order, write, prove. */
import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import type { Table } from 'apache-arrow';
import { LocalCluster } from '../../cluster/index.js';
import { readParquet } from '../../dataframe/index.js';
import { HeddleError } from '../../errors/index.js';
import { flightsFile } from './dataset.js';
import { Meter, tasksCompleted } from './meter.js';
import type { FlightsOptions } from './options.js';
import { showProgress } from './progress.js';
import { disprove } from './proof.js';
import type { Report } from './report.js';

const OUTPUT_ROOT = 'heddle-out';
const HEAD_ROWS = 5;
const ATTEMPTS = 10;
/** No step of the job takes nearly as long: a wait that does is a fault to report, not to sit out. */
const STEP_MS = 300_000;

/** A finished job. */
export interface Finished {
  readonly report: Report;
  /** First rows of the result. */
  readonly head: Table;
}

/**
 * Runs the job on a cluster of its own. Each run has a folder of its own under `heddle-out/`, which is
 * removed unless the result was proven.
 *
 * @param options what to do.
 * @param signal ends the job early: cluster and folder go.
 * @throws HeddleError of the step that failed; `ERR_INTERNAL` when the proof fails.
 */
export async function runFlights(options: FlightsOptions, signal: AbortSignal): Promise<Finished> {
  const input = flightsFile();
  const root = resolve(OUTPUT_ROOT);
  const output = ownFolder(root, `flights-by-${options.by.replace(/[^\w-]/g, '_')}-`);
  const remove = (): void => {
    rmSync(output, { recursive: true, force: true });
    removeIfEmpty(root);
  };
  process.once('exit', remove);
  try {
    const finished = await onCluster(options, input, output, signal);
    process.off('exit', remove);
    return finished;
  } catch (error) {
    process.off('exit', remove);
    remove();
    throw signal.aborted ? signal.reason : error;
  }
}

/** A new folder in `root`. Another run may remove `root` between our making it and using it: try again. */
function ownFolder(root: string, prefix: string): string {
  for (let attempt = 1; ; attempt++) {
    mkdirSync(root, { recursive: true });
    try {
      return mkdtempSync(join(root, prefix));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === ATTEMPTS) throw error;
    }
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Other runs have their folders in it.
  }
}

async function onCluster(
  options: FlightsOptions,
  input: string,
  output: string,
  signal: AbortSignal,
): Promise<Finished> {
  const { rows, partitions, workers, by } = options;
  const wait = { timeout: STEP_MS, signal };
  const cluster = await LocalCluster.start({ workers });
  try {
    signal.throwIfAborted();
    const client = await cluster.connect();
    const meter = new Meter(client);
    await meter.start();
    const started = performance.now();
    const bar = showProgress(expectedTasks(partitions), () => tasksCompleted(client));
    try {
      const job = await meter.run(async () => {
        const limit = rows === null ? {} : { rows };
        const flights = await readParquet(meter.watched(), input, { ...wait, ...limit });
        const sorted = flights.setIndex(by, { partitions });
        return { flights, sorted, files: await sorted.toParquet(output, wait) };
      });
      const done = performance.now();
      bar.stop();
      const head = await job.sorted.head(HEAD_ROWS, wait);
      const total = job.files.reduce((sum, file) => sum + file.rows, 0);
      const wrong = await disprove({
        input,
        rows: await job.flights.length(),
        columns: job.flights.columns,
        by,
        files: job.files.map((file) => file.path),
      });
      if (job.files.length !== partitions)
        wrong.push(`${job.files.length} files, not ${partitions}`);
      signal.throwIfAborted();
      if (wrong.length > 0) {
        throw new HeddleError('ERR_INTERNAL', `the result is wrong: ${wrong.join('; ')}`);
      }
      const cost = await meter.cost(done);
      signal.throwIfAborted();
      const seconds = (done - started) / 1000;
      const report = { rows: total, partitions, by, seconds, verified: true, output, ...cost };
      return { report, head };
    } finally {
      bar.stop();
    }
  } finally {
    await cluster.close();
  }
}

/** Tasks of the job, about: 11 inputs sampled and split, each output merged and written, and a few more. */
function expectedTasks(partitions: number): number {
  return 2 * 11 + 2 * partitions + 4;
}
