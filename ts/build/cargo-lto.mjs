#!/usr/bin/env node
// Stands in for `cargo` (through the CARGO variable) while @napi-rs/cli builds an addon: turns its
// `cargo build` into `cargo rustc` with thin LTO for that one crate. A profile setting would apply
// to every crate and compile libzmq, arrow and all else a second time. Everything else is passed on.
import { spawn } from 'node:child_process';
import process from 'node:process';

const [command, ...rest] = process.argv.slice(2);
const args =
  command === 'build'
    ? ['rustc', '--lib', '--crate-type', 'cdylib', ...rest, '--', '-Clto=thin', '-Cstrip=debuginfo']
    : [command, ...rest];

const child = spawn('cargo', args, { stdio: 'inherit' });
// Both are in the terminal's group, so Ctrl-C reaches cargo itself: wait for it instead of dying first.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  process.stderr.write(`cargo could not be started: ${error.message}\n`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 130)));
