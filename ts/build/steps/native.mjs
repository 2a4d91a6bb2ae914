// The two addons: built by @napi-rs/cli from crates/, only when a source they read has changed.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { must, root, say } from './process.mjs';
import { filesUnder, Stamp } from './stamp.mjs';
import { hostTriple } from './toolchain.mjs';

/** Where cargo puts its work: shared by start, test and clippy, so that C libraries compile once. */
export const targetDir = process.env.CARGO_TARGET_DIR || join(root, 'target');

// The variable replaces what .cargo/config.toml says; without bitcode in the libraries the addons cannot be linked.
if (process.env.RUSTFLAGS) process.env.RUSTFLAGS += ' -Cembed-bitcode=yes';

/** Arguments every cargo command shares: another profile, target or folder would compile all again. */
export function cargoArgs(triple) {
  return ['--release', '--target', triple, '--target-dir', targetDir];
}

/** Every crate's sources except prose; `kernels` stands alone, so the other addon ignores it. */
const SHARED = ['Cargo.toml', 'Cargo.lock', '.cargo/config.toml', 'ts/build/cargo-lto.mjs'];
const ADDONS = [
  {
    name: 'heddle',
    crate: 'heddle-node',
    reads: (file) => !/^crates\/(heddle-kernels|xtask)\//.test(file),
  },
  {
    name: 'heddle-kernels',
    crate: 'heddle-kernels',
    reads: (file) => file.startsWith('crates/heddle-kernels/'),
  },
];

/** Suffix of an addon's file, as @napi-rs/cli and `ts/native` name it. */
function suffix() {
  const base = `${process.platform}-${process.arch}`;
  if (process.platform !== 'linux') return base;
  const musl = process.report.getReport().header.glibcVersionRuntime === undefined;
  return `${base}-${musl ? 'musl' : 'gnu'}`;
}

/** The addons whose files are missing or older than their sources. */
export function staleAddons() {
  return ADDONS.map((addon) => {
    const source = (file) => /\.(rs|toml|c|cc|cpp|h)$/.test(file) && !file.includes('/tests/');
    const files = [...SHARED, ...filesUnder('crates', (file) => source(file) && addon.reads(file))];
    const output = `dist/native/${addon.name}.${suffix()}.node`;
    return { ...addon, stamp: new Stamp(`native-${addon.name}`, files, [output]) };
  }).filter(({ stamp }) => !stamp.fresh());
}

/** Builds the addons given. */
export async function buildAddons(addons) {
  const triple = hostTriple();
  const cold = !existsSync(join(targetDir, triple, 'release/build'));
  say(
    cold
      ? 'building libzmq, libsodium, arrow and the engine from source: about 8 minutes on 2 cores, the first time only'
      : `building ${addons.map(({ crate }) => crate).join(' and ')}`,
  );
  for (const { name, crate, stamp } of addons) {
    const args = ['build', '--platform', '--release', '--no-js', '--dts', `${name}.d.ts`];
    args.push(
      '--manifest-path',
      `crates/${crate}/Cargo.toml`,
      '--config-path',
      `crates/${crate}/napi.json`,
    );
    args.push('--output-dir', 'dist/native', '--target', triple, '--target-dir', targetDir);
    await must(
      `the addon ${crate} could not be built`,
      process.execPath,
      [join(root, 'node_modules/@napi-rs/cli/dist/cli.js'), ...args],
      { env: { CARGO: join(root, 'ts/build/cargo-lto.mjs') } },
    );
    stamp.note();
  }
}
