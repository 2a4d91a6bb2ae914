// Data frames: tables in partitions over Heddle's workers.
export type { ColumnInfo, Compression } from '../native/kernels.js';
export { DataFrame, type ToParquetOptions } from './dataframe.js';
export { type ReadParquetOptions, readParquet } from './read_parquet.js';
export type { WrittenFile } from './tasks.js';
