/** A table in partitions that worker processes read, move and write. */
import type { Table } from 'apache-arrow';
import type { Client, Future, WaitOptions } from '../client/index.js';
import { didYouMean, HeddleError } from '../errors/index.js';
import type { Arg } from '../graph/index.js';
import type { ColumnInfo, Compression, Piece, Source } from '../native/kernels.js';
import { HeldPartitions } from './held.js';
import { checkCount } from './partitions.js';
import { exchange } from './set_index.js';
import {
  loadPartition,
  prepareFolder,
  removeFiles,
  takeHead,
  tellRows,
  type WrittenFile,
  writePartition,
} from './tasks.js';

const PARTITIONS_MAX = 65_536;
const ROWS_MAX = 0xffff_ffff;

/** Options of {@link DataFrame.toParquet}. */
export interface ToParquetOptions extends WaitOptions {
  /** Default `zstd`. */
  readonly compression?: Compression | undefined;
  /** Replace Parquet files that are in the folder. Default: refuse. */
  readonly overwrite?: boolean | undefined;
}

/** What a frame is made of. @internal */
export interface FrameParts {
  readonly client: Client;
  readonly columns: readonly ColumnInfo[];
  readonly schema: Uint8Array;
  /** Where to read partitions, or the partitions in workers' memory. */
  readonly partitions: readonly Piece[] | HeldPartitions;
  readonly index: { readonly column: string; readonly divisions: Future<Uint8Array> } | null;
}

/**
 * A table in partitions. Made by `readParquet`; `setIndex` and `persist` make new ones and start their
 * work at once. A frame that holds partitions in workers' memory gives them up on `release()`, at the
 * end of a `using` block or, at some time, when it is garbage.
 *
 * @example
 * const flights = await readParquet(client, 'flights-3m.parquet');
 * using sorted = flights.setIndex('delay', { partitions: 64 });
 * console.log((await sorted.head(5)).toArray(), await sorted.length());
 * await sorted.toParquet('flights-by-delay');
 */
export class DataFrame implements Disposable {
  readonly #parts: FrameParts;
  #released = false;

  /** @internal Made by `readParquet` and by methods of other frames. */
  constructor(parts: FrameParts) {
    this.#parts = parts;
  }

  /** Names of the columns, in order. */
  get columns(): readonly string[] {
    return this.#parts.columns.map((column) => column.name);
  }

  /** Names and Arrow types of the columns, in order. */
  get schema(): readonly ColumnInfo[] {
    return this.#parts.columns;
  }

  /** Number of partitions. */
  get partitions(): number {
    return this.#parts.partitions.length;
  }

  /** The column whose order the partitions follow, or `null`. */
  get index(): string | null {
    return this.#parts.index?.column ?? null;
  }

  /**
   * Orders the rows by a column, in partitions of about equal size: partition `j` holds the keys from
   * division `j` (included) to division `j + 1` (excluded, but for the last). Equal keys are in one
   * partition, so a frequent key may leave others empty; rows of equal key keep their order. NaN comes
   * after all numbers, nulls come last. The column stays an ordinary one.
   *
   * @param column name of a number, date, time, boolean or string column.
   * @param options `partitions`: exactly so many come back (default: as many as there are now).
   * @returns a frame whose partitions are being computed: errors of the work come from its methods.
   * @throws HeddleError `ERR_COLUMN_UNKNOWN`, `ERR_ARGUMENT`, `ERR_RELEASED`.
   */
  setIndex(column: string, options: { readonly partitions?: number | undefined } = {}): DataFrame {
    const { client, columns, schema } = this.#parts;
    const inputs = this.#sources();
    this.#checkColumn(column);
    const count = checkCount('partitions', options.partitions ?? this.partitions, PARTITIONS_MAX);
    const { outputs, divisions } = exchange(client, inputs, column, count, schema);
    const index = { column, divisions };
    return new DataFrame({ client, columns, schema, partitions: outputs, index });
  }

  /**
   * Loads every partition into workers' memory, once for all later uses.
   * @returns a frame whose partitions are being loaded.
   * @throws HeddleError `ERR_RELEASED`.
   */
  persist(): DataFrame {
    const loaded = this.#parts.client.map(loadPartition, this.#sources());
    return new DataFrame({ ...this.#parts, partitions: new HeldPartitions(loaded) });
  }

  /** Rows of each partition. @throws what computing the partitions threw. */
  async lengths(options: WaitOptions = {}): Promise<number[]> {
    const { client, partitions } = this.#parts;
    this.#checkHeld();
    if (!(partitions instanceof HeldPartitions)) return partitions.map((piece) => piece.rows);
    using counts = client.map(tellRows, partitions.rows());
    return await client.gather(counts, options);
  }

  /** Rows of the frame. @throws what computing the partitions threw. */
  async length(options: WaitOptions = {}): Promise<number> {
    return (await this.lengths(options)).reduce((sum, rows) => sum + rows, 0);
  }

  /**
   * The `partitions + 1` keys between the partitions, least and greatest key included; `null` when the
   * frame has no index. Values are as apache-arrow gives them (64-bit integers as `bigint`); all are
   * `null` when no row has a key.
   *
   * @throws what computing the divisions threw.
   */
  async divisions(options: WaitOptions = {}): Promise<unknown[] | null> {
    const { index } = this.#parts;
    this.#checkHeld();
    if (index === null) return null;
    const [bytes, arrow] = await Promise.all([
      index.divisions.result(options),
      import('apache-arrow'),
    ]);
    const keys = arrow.tableFromIPC(bytes).getChildAt(0);
    return Array.from({ length: this.partitions + 1 }, (_, i): unknown => keys?.get(i) ?? null);
  }

  /**
   * The first rows, as an apache-arrow table of at most `count` rows. Partitions are looked at in order
   * and only as many as it takes.
   *
   * @param count default 5.
   * @throws HeddleError `ERR_ARGUMENT`, or what computing the partitions threw.
   */
  async head(count = 5, options: WaitOptions = {}): Promise<Table> {
    checkCount('count', count, ROWS_MAX);
    const { client } = this.#parts;
    const sources = this.#sources();
    const arrow = await import('apache-arrow');
    const tables: Table[] = [];
    let missing = count;
    // Empty partitions are common after setIndex on a skewed column: look at ever more of them at a time.
    for (let from = 0, width = 1; from < sources.length; from += width, width *= 2) {
      using heads = client.map(takeHead, sources.slice(from, from + width), missing);
      for (const bytes of await client.gather(heads, options)) {
        const table = arrow.tableFromIPC(bytes).slice(0, missing);
        if (missing > 0 && (table.numRows > 0 || tables.length === 0)) tables.push(table);
        missing -= table.numRows;
      }
      if (missing <= 0) break;
    }
    const [first, ...more] = tables.filter((table, i) => table.numRows > 0 || i === 0);
    return first === undefined ? new arrow.Table() : first.concat(...more);
  }

  /**
   * Writes `part-00000.parquet` and so on, one file per partition, in order. Each file appears whole or
   * not at all; if one cannot be written, the others are removed again.
   *
   * @param folder made if missing; resolved on the workers' machine.
   * @returns the files, in the order of the partitions.
   * @throws HeddleError `ERR_ARGUMENT` when Parquet files are there already, `ERR_DISK_FULL`, `ERR_IO`, or what
   *   computing the partitions threw.
   */
  async toParquet(folder: string, options: ToParquetOptions = {}): Promise<WrittenFile[]> {
    const { compression = 'zstd', overwrite = false, ...wait } = options;
    const { client } = this.#parts;
    const sources = this.#sources();
    using prepared = client.submit(prepareFolder, folder, overwrite);
    const path = await prepared.result(wait);
    const names = sources.map((_, i) => `part-${String(i).padStart(5, '0')}.parquet`);
    const items = sources.map((source, i) => ({ source, name: names[i] as string }));
    using written = client.map(writePartition, items, path, compression);
    try {
      return await client.gather(written, wait);
    } catch (error) {
      // Not cancelled: a write that runs goes on, and its file would appear after the others were removed.
      await client.wait(written, wait).catch(() => undefined);
      using removed = client.submit(removeFiles, path, names);
      // The first error is the one to report; a worker that cannot remove files could not write them either.
      await removed.result(wait).catch(() => undefined);
      throw error;
    }
  }

  /** Gives up partitions held in workers' memory. Other methods throw `ERR_RELEASED` afterwards. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    const { partitions, index } = this.#parts;
    if (partitions instanceof HeldPartitions) partitions.release();
    index?.divisions.release();
  }

  /** `using frame = …` releases it at the end of the block. */
  [Symbol.dispose](): void {
    this.release();
  }

  #sources(): readonly Arg<Source>[] {
    this.#checkHeld();
    const { partitions } = this.#parts;
    return partitions instanceof HeldPartitions ? partitions.sources() : partitions;
  }

  #checkHeld(): void {
    if (!this.#released) return;
    throw new HeddleError('ERR_RELEASED', 'the data frame was released: its partitions are gone');
  }

  #checkColumn(column: string): void {
    if (this.columns.includes(column)) return;
    const known = this.columns.map((name) => `'${name}'`).join(', ');
    throw new HeddleError(
      'ERR_COLUMN_UNKNOWN',
      `there is no column '${column}'.${didYouMean(column, this.columns)} The columns are ${known}.`,
    );
  }
}
