/**
 * Puts the peers that are not Node dependencies of the clone into a scratch folder (`.heddle/peers`), at the versions
 * pinned here, each once. What cannot be had gives a reason instead of a peer.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const PYTHON = ['dask==2026.8.0', 'distributed==2026.8.0', 'ray==2.60.0'];
const NODE = { bullmq: '6.7.0', ioredis: '5.8.2' };
/** Debian's redis-server is a link to a program of redis-tools, which needs these. */
const DEBIAN = [
  'redis-server',
  'redis-tools',
  'libjemalloc2',
  'liblua5.1-0',
  'lua-cjson',
  'lua-bitop',
  'liblzf1',
];

/** Where everything goes; ignored by git. */
export const SCRATCH = fileURLToPath(new URL('../../../.heddle/peers', import.meta.url));

/** A peer's part that is there, or why it is not. */
export type Found<T> = { readonly ok: T } | { readonly missing: string };

function once(mark: string, what: string, install: () => void): void {
  const done = join(SCRATCH, `${mark}.done`);
  if (existsSync(done)) return;
  process.stderr.write(`installing ${what} into .heddle/peers\n`);
  install();
  writeFileSync(done, '');
}

function attempt<T>(what: string, get: () => T): Found<T> {
  try {
    return { ok: get() };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { missing: `${what}: ${text.split('\n').slice(0, 2).join(' ')}` };
  }
}

function quiet(command: string, args: readonly string[], cwd: string): void {
  // What installers say goes to stderr, so that stdout stays the table.
  execFileSync(command, args, { cwd, stdio: ['ignore', 2, 2], timeout: 600_000 });
}

/** The Python of a virtual environment with Dask and Ray. */
export function python(): Found<string> {
  mkdirSync(SCRATCH, { recursive: true });
  const bin = join(SCRATCH, 'venv/bin/python');
  return attempt('Python 3 with venv, and PyPI, are needed', () => {
    once(`python-${PYTHON.join('-')}`, PYTHON.join(', '), () => {
      quiet('python3', ['-m', 'venv', 'venv'], SCRATCH);
      quiet(
        bin,
        ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PYTHON],
        SCRATCH,
      );
    });
    return bin;
  });
}

/** The folder whose `node_modules` has BullMQ. */
export function bullmq(): Found<string> {
  mkdirSync(SCRATCH, { recursive: true });
  return attempt('the npm registry is needed', () => {
    const names = Object.entries(NODE).map(([name, version]) => `${name}@${version}`);
    once(`node-${names.join('-')}`, names.join(', '), () => {
      const manifest = { name: 'peers', private: true, dependencies: NODE };
      writeFileSync(join(SCRATCH, 'package.json'), JSON.stringify(manifest));
      quiet('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], SCRATCH);
    });
    return SCRATCH;
  });
}

/** A redis-server and the environment it needs: the system's, or Debian's package unpacked in the scratch folder. */
export function redis(): Found<{ command: string; env: NodeJS.ProcessEnv }> {
  for (const folder of (process.env.PATH ?? '').split(':')) {
    const command = join(folder, 'redis-server');
    if (existsSync(command)) return { ok: { command, env: process.env } };
  }
  const root = join(SCRATCH, 'redis');
  mkdirSync(root, { recursive: true });
  return attempt("no redis-server on the PATH, and Debian's package could not be had", () => {
    once('redis', 'redis-server', () => {
      quiet('apt-get', ['download', ...DEBIAN], root);
      for (const name of readdirSync(root).filter((each) => each.endsWith('.deb'))) {
        quiet('dpkg', ['-x', name, '.'], root);
      }
    });
    const libraries = readdirSync(join(root, 'usr/lib')).map((each) => join(root, 'usr/lib', each));
    const env = { ...process.env, LD_LIBRARY_PATH: libraries.join(':') };
    return { command: join(root, 'usr/bin/redis-server'), env };
  });
}
