/** `heddle bench`: hands over to the bench harness of a clone. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { HeddleError } from '../errors/index.js';

/**
 * Runs the harness in a process of its own, with the arguments as they are.
 *
 * @returns its exit code.
 * @throws HeddleError `ERR_FILE_MISSING` where there is no harness, as in an installed package.
 */
export function runBench(args: readonly string[]): Promise<number> {
  const main = fileURLToPath(new URL('../bench/main.js', import.meta.url));
  if (!existsSync(main)) {
    throw new HeddleError(
      'ERR_FILE_MISSING',
      "the benchmarks and their peers are only in a clone of Heddle's repository, not in the package: run 'npm run bench' there",
    );
  }
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], { stdio: 'inherit' });
    // The harness stops its own children; this process waits for it to have done so.
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => child.kill(name));
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 130)));
  });
}
