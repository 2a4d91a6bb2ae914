// `npm test`: Rust tests, then every compiled TypeScript test that still has a source. With words
// after `--`, only TypeScript files whose path contains one of them.
import process from 'node:process';
import { ensure } from './steps/ensure.mjs';
import { cargoArgs } from './steps/native.mjs';
import { fail, run, say } from './steps/process.mjs';
import { filesUnder } from './steps/stamp.mjs';
import { checkNativeToolchain, hostTriple } from './steps/toolchain.mjs';

const MINUTE = 60_000;
const FILE_TIMEOUT = 2 * MINUTE;

const words = process.argv.slice(2);
await ensure(['ts', 'test', 'bench']);

const failed = [];
if (words.length === 0) {
  checkNativeToolchain();
  say('running the Rust tests');
  const args = ['test', '--workspace', '--no-fail-fast', ...cargoArgs(hostTriple())];
  // Long enough to compile the test binaries of a fresh clone.
  if ((await run('cargo', args, { output: 'inherit', timeoutMs: 20 * MINUTE })) !== 0)
    failed.push('Rust');
}

const files = filesUnder('test', (file) => file.endsWith('.test.ts'))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .map((file) => `dist/${file.replace(/\.ts$/, '.js')}`);
if (files.length === 0) fail(`no test file contains ${words.join(' or ')}`);
say(`running ${files.length} TypeScript test files`);
const args = [
  '--test',
  '--test-concurrency=2',
  `--test-timeout=${FILE_TIMEOUT}`,
  '--test-reporter=spec',
];
if (
  (await run(process.execPath, [...args, ...files], {
    output: 'inherit',
    timeoutMs: 10 * MINUTE,
  })) !== 0
) {
  failed.push('TypeScript');
}

if (failed.length > 0) fail(`${failed.join(' and ')} tests failed`);
say('all tests passed');
