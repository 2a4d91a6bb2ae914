// `npm run lint`: formatting, lints, house rules and the freshness of generated code. Every check
// runs, so that one run shows everything there is to mend.
import { join } from 'node:path';
import process from 'node:process';
import { ensureInstalled } from './steps/ensure.mjs';
import { cargoArgs } from './steps/native.mjs';
import { fail, root, run, say } from './steps/process.mjs';
import { checkNativeToolchain, hostTriple } from './steps/toolchain.mjs';

await ensureInstalled();
checkNativeToolchain();
const cargo = cargoArgs(hostTriple());
const node = process.execPath;

const checks = [
  [
    'biome',
    () =>
      run(node, [
        join(root, 'node_modules/@biomejs/biome/bin/biome'),
        'check',
        '--error-on-warnings',
      ]),
  ],
  ['rustfmt', () => run('cargo', ['fmt', '--all', '--check'])],
  [
    'clippy',
    () =>
      run('cargo', ['clippy', '--workspace', '--all-targets', ...cargo, '--', '-D', 'warnings']),
  ],
  ['tidy', () => run('cargo', ['run', '--quiet', '--package', 'xtask', ...cargo, '--', 'tidy'])],
  ['generated code is fresh', () => run(node, ['ts/build/codegen.mjs', '--check'])],
];

const failed = [];
for (const [name, check] of checks) {
  say(`lint: ${name}`);
  if ((await check()) !== 0) failed.push(name);
}
if (failed.length > 0) fail(`lint failed: ${failed.join(', ')}`);
say('lint passed');
