/** Where the example's input lies. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { HeddleError } from '../../errors/index.js';

const PACKAGE = 'vega-datasets';
const FILE = 'data/flights-3m.parquet';

/**
 * Path of three million flights: 3,000,000 rows in 11 row groups, ordered by date. The package does not
 * export the file, so it is looked up in the folders where Node would look for the package.
 *
 * @throws HeddleError `ERR_FILE_MISSING` when development dependencies are not installed.
 */
export function flightsFile(): string {
  const folders = createRequire(import.meta.url).resolve.paths(PACKAGE) ?? [];
  const file = folders
    .map((folder) => join(folder, PACKAGE, FILE))
    .find((path) => existsSync(path));
  if (file !== undefined) return file;
  throw new HeddleError(
    'ERR_FILE_MISSING',
    `the package ${PACKAGE} with ${FILE} is not installed: run 'npm install' in a clone of Heddle`,
  );
}
