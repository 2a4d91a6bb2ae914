/** Which files a data frame is made of. Runs on a worker: paths are resolved where they are read. */
import { type Dirent, existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { HeddleError } from '../errors/index.js';

const WILDCARDS = /[*?]/;

/**
 * Absolute paths of the files that `specs` name, in order: a file stands for itself, a folder for its
 * `*.parquet` files, and a path whose last segment has `*` or `?` for the files that match. Files of
 * a folder or pattern come in the order of their names, numbers in them by value.
 *
 * @throws HeddleError `ERR_FILE_MISSING` naming the path or pattern that stands for nothing.
 */
export function expandPaths(specs: readonly string[]): string[] {
  return specs.flatMap((spec) => {
    const path = resolve(spec);
    if (existsSync(path)) return isFolder(path) ? listed(path, '*.parquet', spec) : [path];
    const pattern = basename(path);
    if (WILDCARDS.test(pattern)) return listed(dirname(path), pattern, spec);
    throw new HeddleError(
      'ERR_FILE_MISSING',
      `there is no file '${spec}' (looked for ${path}). Relative paths start at the worker's folder; ` +
        'workers must be able to read the file.',
    );
  });
}

function isFolder(path: string): boolean {
  return statSync(path).isDirectory();
}

function listed(folder: string, pattern: string, spec: string): string[] {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  const matcher = new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (cause) {
    throw new HeddleError('ERR_FILE_MISSING', `cannot list the folder of '${spec}' (${folder})`, {
      cause,
    });
  }
  const names = entries
    .filter(
      (entry) => !entry.isDirectory() && !entry.name.startsWith('.') && matcher.test(entry.name),
    )
    .map((entry) => entry.name)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  if (names.length === 0) {
    throw new HeddleError('ERR_FILE_MISSING', `no file matches '${spec}' (looked in ${folder})`);
  }
  return names.map((name) => join(folder, name));
}
