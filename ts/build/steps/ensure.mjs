// Everything between a fresh clone and a program that can run, each step only when it is stale.
import { install, installed } from './install.mjs';
import { locked } from './lock.mjs';
import { buildAddons, staleAddons } from './native.mjs';
import { checkNativeToolchain, checkNode } from './toolchain.mjs';
import { compile, staleProjects } from './typescript.mjs';

/** npm packages, as the lock names them. */
export async function ensureInstalled() {
  checkNode();
  if (!installed()) await locked(async () => installed() || (await install()));
}

/**
 * Installs and builds what is missing or stale; silent and quick when nothing is.
 *
 * @param {('ts' | 'test' | 'bench')[]} projects TypeScript projects the caller needs
 */
export async function ensure(projects) {
  checkNode();
  const stale = () =>
    !installed() || staleAddons().length > 0 || staleProjects(projects).length > 0;
  if (!stale()) return;
  // The toolchain first: nobody should wait for npm to learn that Rust is missing.
  if (staleAddons().length > 0) checkNativeToolchain();
  await locked(async () => {
    if (!installed()) await install();
    const addons = staleAddons();
    if (addons.length > 0) await buildAddons(addons);
    const changed = staleProjects(projects);
    if (changed.length > 0) await compile(changed);
  });
}
