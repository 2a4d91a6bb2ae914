// What must be installed before anything can be built. Each missing piece is one line.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { firstLine, root, say } from './process.mjs';

const COMPILER =
  'install a C/C++ compiler and make (Debian, Ubuntu: apt install build-essential; macOS: xcode-select --install)';

/** Node versions the package supports: the same range as `engines`. */
export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const supported = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;
  if (supported) return;
  say(
    `Node ${process.versions.node} is too old: install Node 20.19 or newer, or 22.12 or newer, from https://nodejs.org`,
  );
  process.exit(1);
}

function rustProblem() {
  const needed = /rust-version = "(\d+)\.(\d+)"/.exec(
    readFileSync(join(root, 'Cargo.toml'), 'utf8'),
  );
  const wanted = `Rust ${needed[1]}.${needed[2]} or newer from https://rustup.rs`;
  const found = /^rustc (\d+)\.(\d+)\.\S+/.exec(firstLine('rustc', ['--version']) ?? '');
  if (found === null) return `rustc is missing: install ${wanted}`;
  const older =
    Number(found[1]) < Number(needed[1]) ||
    (found[1] === needed[1] && Number(found[2]) < Number(needed[2]));
  if (older) return `${found[0]} is too old: install ${wanted}`;
  return firstLine('cargo', ['--version']) === undefined
    ? `cargo is missing: install ${wanted}`
    : undefined;
}

/** Ends the build, one line per missing tool, when the native code cannot be built here. */
export function checkNativeToolchain() {
  const problems = [rustProblem()];
  for (const [tool, name] of [
    [process.env.CC || 'cc', 'the C compiler'],
    [process.env.CXX || 'c++', 'the C++ compiler'],
    ['make', 'make'],
  ]) {
    if (firstLine(tool, ['--version']) === undefined)
      problems.push(`${name} (${tool}) is missing: ${COMPILER}`);
  }
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length === 0) return;
  for (const problem of found) say(problem);
  process.exit(1);
}

/** The triple cargo builds for here, such as `x86_64-unknown-linux-gnu`. */
export function hostTriple() {
  const output = execFileSync('rustc', ['-vV'], { encoding: 'utf8', timeout: 20_000 });
  return /^host: (\S+)$/m.exec(output)[1];
}
