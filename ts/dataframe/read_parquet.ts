/** Parquet files as a data frame. */
import type { Client, WaitOptions } from '../client/index.js';
import { HeddleError } from '../errors/index.js';
import { DataFrame } from './dataframe.js';
import { checkCount, type PartitionRule, planPieces } from './partitions.js';
import { inspectFiles } from './tasks.js';

/** Options of {@link readParquet}. */
export interface ReadParquetOptions extends WaitOptions {
  /** A partition per row group (default) or per file. */
  readonly partitionBy?: 'rowGroup' | 'file' | undefined;
  /** Rows per partition instead; the last one of a file may have fewer. */
  readonly rowsPerPartition?: number | undefined;
  /** Columns to read, in this order. Default: all. */
  readonly columns?: readonly string[] | undefined;
  /** Only the first so many rows. */
  readonly rows?: number | undefined;
}

/**
 * A frame of Parquet files. Only their footers are read now; rows are read by the tasks that need them.
 *
 * @param client where the frame's tasks run.
 * @param paths a file, a folder (its `*.parquet` files), a pattern with `*` and `?` in the last segment, or a list of
 *   these; resolved on the workers' machine. The files must have the same columns.
 * @throws HeddleError `ERR_FILE_MISSING`, `ERR_PARQUET_CORRUPT`, `ERR_COLUMN_UNKNOWN`, `ERR_SCHEMA_MISMATCH`,
 *   `ERR_TYPE_UNSUPPORTED`, `ERR_ARGUMENT`, `ERR_NATIVE_MISSING`, `ERR_TIMEOUT`, `ERR_NO_WORKERS`.
 * @example
 * const flights = await readParquet(client, 'data/*.parquet', { columns: ['date', 'delay'] });
 */
export async function readParquet(
  client: Client,
  paths: string | readonly string[],
  options: ReadParquetOptions = {},
): Promise<DataFrame> {
  const { partitionBy, rowsPerPartition, columns, rows, ...wait } = options;
  const specs = typeof paths === 'string' ? [paths] : [...paths];
  if (specs.length === 0 || specs.some((spec) => typeof spec !== 'string' || spec === '')) {
    throw new HeddleError(
      'ERR_ARGUMENT',
      'readParquet(client, paths): paths must name at least one file',
    );
  }
  if (columns !== undefined && new Set(columns).size !== (columns.length || -1)) {
    throw new HeddleError('ERR_ARGUMENT', 'columns must name at least one column, each once');
  }
  if (rows !== undefined) checkCount('rows', rows, Number.MAX_SAFE_INTEGER);
  const rule = partitionRule(partitionBy, rowsPerPartition);
  const wanted = columns === undefined ? null : [...columns];
  using inspection = client.submit(inspectFiles, specs, wanted);
  const inspected = await inspection.result(wait);
  return new DataFrame({
    client,
    columns: inspected.columns,
    // A copy of its own: the bytes may be a view into a received frame.
    schema: inspected.schema.slice(),
    partitions: planPieces(inspected, rule, wanted, rows),
    index: null,
  });
}

function partitionRule(
  by: ReadParquetOptions['partitionBy'],
  rows: number | undefined,
): PartitionRule {
  if (rows === undefined) return { by: by ?? 'rowGroup' };
  if (by !== undefined) {
    throw new HeddleError('ERR_ARGUMENT', 'choose partitionBy or rowsPerPartition, not both');
  }
  return { by: 'rows', rows: checkCount('rowsPerPartition', rows, 0xffff_ffff) };
}
