/**
 * The data frame's tasks: what workers import. Each calls one kernel; none keeps state, so any of
 * them may run again.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { HeddleError } from '../errors/index.js';
import { task } from '../graph/index.js';
import {
  type Compression,
  type Inspection,
  kernels,
  type Sample,
  type Source,
} from '../native/kernels.js';
import { parts } from '../worker/parts.js';
import { heldPartition } from './held.js';
import { expandPaths } from './paths.js';

/** What `readParquet` needs to know before it plans. */
export interface Inspected extends Inspection {
  /** Absolute paths, one per entry of `files`. */
  readonly paths: readonly string[];
}

/** One file that `toParquet` wrote. */
export interface WrittenFile {
  /** Absolute path. */
  readonly path: string;
  /** Rows in it. */
  readonly rows: number;
  /** Bytes on disk. */
  readonly bytes: number;
}

/** Finds the files that `specs` name and reads their footers. */
export const inspectFiles = task(
  import.meta.url,
  'inspectFiles',
  (specs: readonly string[], columns: readonly string[] | null): Inspected => {
    const paths = expandPaths(specs);
    return { paths, ...kernels().inspect(paths, columns) };
  },
);

/** Loads a piece of a file as a partition. */
export const loadPartition = task(import.meta.url, 'loadPartition', (source: Source) =>
  heldPartition(kernels().read(source)),
);

/** Every sample draws with the same seed: a task that runs again draws the same keys. */
const SAMPLE_SEED = 0x9e37_79b9;

/** Draws up to `count` keys. */
export const samplePartition = task(
  import.meta.url,
  'samplePartition',
  (source: Source, column: string, count: number): Sample =>
    kernels().drawSample(source, column, count, SAMPLE_SEED),
);

/** Quantile divisions of all samples. */
export const divideSamples = task(
  import.meta.url,
  'divideSamples',
  (samples: readonly Sample[], partitions: number): Uint8Array =>
    kernels().divide(samples, partitions),
);

/** Cuts a partition by divisions: part `j` of the result is for output `j`. */
export const splitPartition = task(
  import.meta.url,
  'splitPartition',
  (source: Source, column: string, divisions: Uint8Array) => {
    const { bytes, ends } = kernels().split(source, column, divisions);
    return parts(ends.map((end, j) => bytes.subarray(j === 0 ? 0 : ends[j - 1], end)));
  },
);

/** One sorted output partition from its slices. */
export const mergePartition = task(
  import.meta.url,
  'mergePartition',
  (slices: readonly Uint8Array[], schema: Uint8Array, column: string) =>
    heldPartition(kernels().mergeSlices(slices, schema, column)),
);

/** Rows of a partition: a part of it, so the task needs nothing else. */
export const tellRows = task(import.meta.url, 'tellRows', (rows: number): number => rows);

/** First rows of a partition. */
export const takeHead = task(
  import.meta.url,
  'takeHead',
  (source: Source, count: number): Uint8Array => kernels().head(source, count),
);

/** Makes `folder`, empty of Parquet files, and returns its absolute path. */
export const prepareFolder = task(
  import.meta.url,
  'prepareFolder',
  (folder: string, overwrite: boolean): string => {
    const path = resolve(folder);
    try {
      mkdirSync(path, { recursive: true });
      const present = readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith('.parquet'))
        .map((entry) => entry.name);
      if (present.length > 0 && !overwrite) {
        throw new HeddleError(
          'ERR_ARGUMENT',
          `'${path}' already holds ${present.length} Parquet files: choose another folder or set { overwrite: true }`,
        );
      }
      for (const name of present) rmSync(join(path, name));
    } catch (cause) {
      if (cause instanceof HeddleError) throw cause;
      const { code, message } = cause as NodeJS.ErrnoException;
      const full = code === 'ENOSPC' || code === 'EDQUOT';
      throw new HeddleError(
        full ? 'ERR_DISK_FULL' : 'ERR_IO',
        `cannot use folder '${path}': ${message}`,
        {
          cause,
        },
      );
    }
    return path;
  },
);

/** Writes one partition. */
export const writePartition = task(
  import.meta.url,
  'writePartition',
  (
    { source, name }: { source: Source; name: string },
    folder: string,
    compression: Compression,
  ): WrittenFile => {
    const path = join(folder, name);
    const rows = source instanceof Uint8Array ? kernels().rowCount(source) : source.rows;
    return { path, rows, bytes: kernels().writeParquet(source, path, compression) };
  },
);

/** Removes files that a failed write left behind. */
export const removeFiles = task(
  import.meta.url,
  'removeFiles',
  (folder: string, names: readonly string[]): void => {
    for (const name of names) {
      try {
        rmSync(join(folder, name), { force: true });
      } catch {
        // What cannot be removed was not written by us, such as a folder of that name; the rest still must go.
      }
    }
  },
);
