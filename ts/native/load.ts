/**
 * Finds and loads Heddle's native addons. They lie beside this module once built
 * (`dist/native/<name>.<platform>-<arch>[-<libc>].node`); nothing is downloaded at run time.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { HeddleError } from '../errors/index.js';

const require = createRequire(import.meta.url);

/** The platform part of an addon's file name, in order of preference. */
function triples(): string[] {
  const base = `${process.platform}-${process.arch}`;
  switch (process.platform) {
    case 'linux':
      return [`${base}-gnu`, `${base}-musl`];
    case 'win32':
      return [`${base}-msvc`];
    default:
      return [base];
  }
}

/**
 * Loads one addon.
 *
 * @param name file name before the platform, such as `heddle`.
 * @param override environment variable that may name the addon's file instead.
 * @throws HeddleError `ERR_NATIVE_MISSING` when there is none for this platform, or when it cannot
 *   be loaded; the message says how to build it.
 */
export function loadAddon(name: string, override: string): unknown {
  const chosen = process.env[override];
  const files =
    chosen !== undefined && chosen !== ''
      ? [chosen]
      : triples().map((triple) =>
          fileURLToPath(new URL(`./${name}.${triple}.node`, import.meta.url)),
        );
  const file = files.find((candidate) => existsSync(candidate));
  if (file === undefined) {
    throw new HeddleError(
      'ERR_NATIVE_MISSING',
      `the native addon '${name}' is not built for ${triples()[0]}: run 'npm run build' in a clone of Heddle ` +
        `(needs Rust, a C++ compiler and make), or set ${override} to a built file (looked for ${files.join(', ')})`,
    );
  }
  try {
    return require(file);
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new HeddleError(
      'ERR_NATIVE_MISSING',
      `the native addon ${file} cannot be loaded (${reason}): run 'npm run build' again in a clone of Heddle`,
      { cause },
    );
  }
}
