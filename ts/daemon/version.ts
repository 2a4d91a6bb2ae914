/** `heddle version`: what is installed and what is compiled into it. */
import process from 'node:process';
import { PACKAGE_VERSION } from '../client/version.js';
import { nativeVersions } from '../native/index.js';

/** Prints the versions. */
export function runVersion(command: { readonly json: boolean }): void {
  const { engine, protocol, libzmq } = nativeVersions();
  const versions = {
    heddle: PACKAGE_VERSION,
    protocol,
    engine,
    libzmq,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
  };
  if (command.json) {
    process.stdout.write(`${JSON.stringify(versions)}\n`);
    return;
  }
  for (const [name, version] of Object.entries(versions)) {
    process.stdout.write(`${name.padEnd(9)} ${version}\n`);
  }
}
