// Child processes of the build: their output goes to stderr, so that stdout stays the program's own,
// and an interrupted build leaves none of them behind.
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');

/** One line for the person who waits. */
export function say(line) {
  process.stderr.write(`heddle: ${line}\n`);
}

/** Says what is wrong and ends the build. */
export function fail(line) {
  say(line);
  process.exit(1);
}

/** Process groups under way: a build tool starts others (cargo: rustc, make), so groups are ended. */
const groups = new Set();

function endGroups(signal) {
  for (const pid of groups) {
    try {
      process.kill(-pid, signal);
    } catch {
      // Already gone.
    }
  }
}

/** @type {NodeJS.Signals | undefined} */
let interrupted;

function interrupt(signal) {
  if (groups.size === 0) process.exit(128 + constants.signals[signal]);
  interrupted = signal;
  endGroups(signal);
  // A tool that ignores the request is not waited for longer than this.
  setTimeout(() => endGroups('SIGKILL'), 3_000).unref();
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
for (const signal of SIGNALS) process.on(signal, interrupt);

/** Leaves signals to the program that this process turns into. */
export function releaseSignals() {
  for (const signal of SIGNALS) process.off(signal, interrupt);
}

/**
 * Runs a command to its end.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, output?: 'stderr' | 'inherit', timeoutMs?: number }} [options]
 *   `timeoutMs` ends the whole group when it is over.
 * @returns {Promise<number>} its exit code; an interrupted build does not return.
 */
export function run(command, args, { env = {}, output = 'stderr', timeoutMs } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      detached: true,
      env: { ...process.env, ...env },
      stdio: ['ignore', output === 'stderr' ? 2 : 'inherit', 'inherit'],
    });
    if (child.pid !== undefined) groups.add(child.pid);
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            say(`${command} ${args[0] ?? ''} took longer than ${timeoutMs / 60_000} min: ended`);
            endGroups('SIGKILL');
          }, timeoutMs);
    child.on('error', (error) => fail(`${command} could not be started: ${error.message}`));
    child.on('close', (code) => {
      clearTimeout(timer);
      // What it may have left running ends with it.
      endGroups('SIGKILL');
      groups.delete(child.pid);
      if (interrupted !== undefined) process.exit(128 + constants.signals[interrupted]);
      resolve(code ?? 1);
    });
  });
}

/** Runs a command that must succeed; otherwise the build ends with `message`. */
export async function must(message, command, args, options) {
  const code = await run(command, args, options);
  if (code !== 0) fail(`${message} (${command} exited with ${code})`);
}

/** First line a command prints, or undefined when it is not there or fails. */
export function firstLine(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 });
  return status === 0 ? stdout.split('\n')[0] : undefined;
}
