// `npm ci`, only when node_modules does not match the lock file.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { must, root, say } from './process.mjs';

function packages(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
  } catch {
    return {};
  }
}

/**
 * Whether everything the lock names is installed, by whomever. npm writes its own record last, so an interrupted
 * installation has none.
 */
export function installed() {
  const present = packages('node_modules/.package-lock.json');
  return Object.entries(packages('package-lock.json')).every(
    ([path, { version, integrity, optional }]) => {
      if (!path.startsWith('node_modules/')) return true;
      const found = present[path];
      // What is for other platforms is not installed here.
      if (found === undefined) return optional === true;
      return found.version === version && found.integrity === integrity;
    },
  );
}

/** Installs what the lock names. No package may run a script while it installs. */
export async function install() {
  say('installing npm packages (npm ci)');
  const npm = process.env.npm_execpath;
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const message = 'npm packages could not be installed';
  if (npm?.endsWith('.js')) await must(message, process.execPath, [npm, ...args]);
  else await must(message, 'npm', args);
}
