// Turns this process into a built program: no second process that signals and exit codes must be carried to.
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { releaseSignals, root } from './process.mjs';

/** @param {string} program path of an ES module, relative to the root */
export async function become(program) {
  // Built by now, as the program is.
  const { endWithLauncher } = await import(
    pathToFileURL(join(root, 'dist/daemon/launcher.js')).href
  );
  endWithLauncher();
  releaseSignals();
  const path = join(root, program);
  process.argv[1] = path;
  await import(pathToFileURL(path).href);
}
