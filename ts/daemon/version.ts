/** `heddle version`: what is installed and what is compiled into it. */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { nativeVersions } from '../native/index.js';

/** The version in package.json. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version?: unknown };
  return typeof version === 'string' ? version : '0.0.0';
}

/** Prints the versions. */
export function runVersion(command: { readonly json: boolean }): void {
  const { engine, protocol, libzmq } = nativeVersions();
  const versions = {
    heddle: packageVersion(),
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
