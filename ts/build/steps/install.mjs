// `npm ci`, only when node_modules does not match the lock file.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { must, root, say } from './process.mjs';

/** Beside npm's own record of what it installed, so that deleting node_modules deletes both. */
const stamp = join(root, 'node_modules/.heddle-installed');

function wanted() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`);
  for (const file of ['package-lock.json', 'package.json']) {
    // Scripts and the like may change without a new installation.
    const { dependencies, devDependencies, overrides, packages } = JSON.parse(
      readFileSync(join(root, file), 'utf8'),
    );
    hash.update(JSON.stringify({ dependencies, devDependencies, overrides, packages }));
  }
  return hash.digest('hex');
}

export function installed() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted();
}

/** Installs what the lock names. No package may run a script while it installs. */
export async function install() {
  say('installing npm packages (npm ci)');
  const npm = process.env.npm_execpath;
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const message = 'npm packages could not be installed';
  if (npm?.endsWith('.js')) await must(message, process.execPath, [npm, ...args]);
  else await must(message, 'npm', args);
  writeFileSync(stamp, wanted());
}
