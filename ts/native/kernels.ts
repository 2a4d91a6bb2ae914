/**
 * The data frame's native addon, typed. It is loaded at first use, by whoever calls a kernel: worker
 * lanes do, clients need not have it.
 *
 * A *partition* is one table as Arrow IPC stream bytes. A *slice* is part of a partition on its way
 * through an exchange, framed without its schema. Every function is synchronous and pure but for the
 * files it names.
 */
import { nativeError } from './index.js';
import { loadAddon } from './load.js';

/** Rows of one Parquet file: some of its row groups, and of these a run of rows. */
export interface Piece {
  /** Path on the machine that reads it. */
  readonly file: string;
  /** Ascending. */
  readonly rowGroups: readonly number[];
  /** Rows of these groups to leave out at the beginning. */
  readonly offset: number;
  /** Rows to read. */
  readonly rows: number;
  /** Columns to read, in this order; `null`: all. */
  readonly columns: readonly string[] | null;
}

/** A partition: its bytes, or where to read it. */
export type Source = Uint8Array | Piece;

/** A column's name and Arrow type, such as `Int64` or `Timestamp(µs)`. */
export interface ColumnInfo {
  readonly name: string;
  readonly type: string;
}

/** What a set of Parquet files holds. */
export interface Inspection {
  /** In the order of the paths; sizes of row groups in rows and in bytes once decompressed. */
  readonly files: readonly {
    readonly bytes: number;
    readonly rowGroupRows: readonly number[];
    readonly rowGroupBytes: readonly number[];
  }[];
  readonly columns: readonly ColumnInfo[];
  /** The columns as bytes, for `mergeSlices`. */
  readonly schema: Uint8Array;
}

/** Keys drawn from one partition. */
export interface Sample {
  /** Rows that have a key. */
  readonly rows: number;
  /** Rows whose key is null. */
  readonly nulls: number;
  /** A partition of one column: least key, drawn keys, greatest key. */
  readonly keys: Uint8Array;
}

/** Slices in one buffer. */
export interface Slices {
  readonly bytes: Uint8Array;
  /** Where each slice ends in `bytes`; each starts at a multiple of 8. */
  readonly ends: readonly number[];
}

/** How Parquet columns are compressed. */
export type Compression = 'zstd' | 'snappy' | 'none';

/** The kernels. Errors are {@link HeddleError}: `ERR_COLUMN_UNKNOWN`, `ERR_FILE_MISSING`,
 * `ERR_PARQUET_CORRUPT`, `ERR_TYPE_UNSUPPORTED`, `ERR_SCHEMA_MISMATCH`, `ERR_DISK_FULL`, `ERR_IO`,
 * `ERR_LIMIT_EXCEEDED`, `ERR_ARGUMENT`, and `ERR_INTERNAL` for damaged partition bytes. */
export interface Kernels {
  /** Reads the footers of files that make one data frame. */
  inspect(paths: readonly string[], columns: readonly string[] | null): Inspection;
  /** Loads a partition as bytes. */
  read(source: Source): Uint8Array;
  /** Draws up to `count` keys of `column`; `seed` (u32) decides which. */
  drawSample(source: Source, column: string, count: number, seed: number): Sample;
  /** `partitions + 1` non-decreasing keys, as a partition of one column. */
  divide(samples: readonly Sample[], partitions: number): Uint8Array;
  /** Cuts a partition into one slice per interval of `divisions`. */
  split(source: Source, column: string, divisions: Uint8Array): Slices;
  /** Puts slices together, stably sorted by `column`, as a partition. */
  mergeSlices(slices: readonly Uint8Array[], schema: Uint8Array, column: string): Uint8Array;
  /** Rows of a partition, from its headers alone. */
  rowCount(partition: Uint8Array): number;
  /** The first `count` rows, as a partition. */
  head(source: Source, count: number): Uint8Array;
  /** Writes a Parquet file, whole or not at all; returns its bytes. */
  writeParquet(source: Source, path: string, compression: Compression): number;
}

/** Wraps each function of the addon so that what it throws is typed. */
function typed(addon: Kernels): Kernels {
  const wrapped: Record<string, unknown> = {};
  for (const [name, kernel] of Object.entries(addon) as [
    string,
    (...args: unknown[]) => unknown,
  ][]) {
    wrapped[name] = (...args: unknown[]): unknown => {
      try {
        return kernel(...args);
      } catch (error) {
        throw nativeError(error);
      }
    };
  }
  return wrapped as unknown as Kernels;
}

let loaded: Kernels | undefined;

/**
 * The kernels, loaded once per thread.
 *
 * @throws HeddleError `ERR_NATIVE_MISSING` when the addon is not built for this platform.
 */
export function kernels(): Kernels {
  loaded ??= typed(loadAddon('heddle-kernels', 'HEDDLE_KERNELS_PATH') as Kernels);
  return loaded;
}
