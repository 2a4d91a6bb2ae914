/** `heddle profile` and `heddle trace`: run a command with a profiler or a trace, and say where the results are. */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import process from 'node:process';
import { HeddleError } from '../errors/index.js';
import { PROFILE_FOLDER } from '../native/profile.js';

/** Parsed options of `heddle profile`. */
export interface ProfileCommand {
  /** Folder for the profiles. */
  readonly output: string;
  /** One half instead of both. */
  readonly only?: 'rust' | 'v8';
}

/** Parsed options of `heddle trace`. */
export interface TraceCommand {
  /** File for the trace. */
  readonly output: string;
}

/** The environment's name for the file of a local cluster's trace. */
const TRACE_FILE = 'HEDDLE_TRACE';
const SCRIPTS = new Set(['.js', '.mjs', '.cjs', '.ts']);

/**
 * Runs a command under V8's profiler, then again under the sampler of the Rust half: both use the same signal, so one
 * process cannot have both at a time.
 *
 * @returns the exit code of the last run that failed, else 0.
 * @throws HeddleError `ERR_ARGUMENT` without a command, `ERR_FILE_MISSING` if it cannot be started, `ERR_IO`.
 */
export async function runProfile(command: string[], options: ProfileCommand): Promise<number> {
  const folder = resolve(options.output);
  makeFolder(folder);
  let code = 0;
  if (options.only !== 'rust') {
    // Workers of a local cluster are started with the flags, too; lanes have those of their process.
    const flags = ['--cpu-prof', `--cpu-prof-dir=${folder}`];
    code = await run(command, { HEDDLE_CPU_PROFILES: folder }, flags);
  }
  if (options.only !== 'v8') code = (await run(command, { [PROFILE_FOLDER]: folder })) || code;
  process.stdout.write(listing(folder));
  return code;
}

/**
 * Runs a command whose local clusters are traced.
 *
 * @returns its exit code.
 * @throws HeddleError `ERR_ARGUMENT` without a command, `ERR_FILE_MISSING` if it cannot be started or leaves no trace.
 */
export async function runTrace(command: string[], options: TraceCommand): Promise<number> {
  const file = resolve(options.output);
  const code = await run(command, { [TRACE_FILE]: file });
  const tasks = tasksOf(file);
  process.stdout.write(
    `${tasks} tasks in ${file}\nOpen it at https://ui.perfetto.dev (nothing is uploaded) or chrome://tracing.\n`,
  );
  return code;
}

function tasksOf(file: string): number {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const why = 'the command started no local cluster, or did not close it';
    throw new HeddleError('ERR_FILE_MISSING', `no trace came: ${why}`, { cause });
  }
  return text.split('"cat":"task","ph":"X"').length - 1;
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw new HeddleError('ERR_IO', `${folder} cannot be made: ${String(cause)}`, { cause });
  }
}

/** Runs a script, `node …` or `heddle …` with this Node, any other command as it is. */
function run(
  command: string[],
  environment: NodeJS.ProcessEnv,
  flags: readonly string[] = [],
): Promise<number> {
  const [first, ...rest] = command;
  if (first === undefined) {
    throw new HeddleError('ERR_ARGUMENT', 'name what to run after --: a script or a command');
  }
  const script = scriptOf(first);
  if (script === undefined && flags.length > 0) {
    throw new HeddleError(
      'ERR_ARGUMENT',
      `V8 profiles a script, 'node ...' or 'heddle ...', not ${first}: name one of them, or add --only rust`,
    );
  }
  const file = script === undefined ? first : process.execPath;
  const args = script === undefined ? rest : [...flags, ...script, ...rest];
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'inherit', env: { ...process.env, ...environment } });
    // A signal is for the child: its profile is written when it ends.
    const pass = (name: NodeJS.Signals): void => void child.kill(name);
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, pass);
    child.once('error', (cause) => {
      reject(
        new HeddleError('ERR_FILE_MISSING', `${first} cannot be run: ${cause.message}`, { cause }),
      );
    });
    child.once('exit', (code, signal) => {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.removeListener(name, pass);
      resolve(code ?? (signal === null ? 1 : 130));
    });
  });
}

/** What Node is to be given for the first word of a command; undefined: it is no matter of Node's. */
function scriptOf(first: string): string[] | undefined {
  if (first === 'node' || first === process.execPath) return [];
  if (first === 'heddle') return [process.argv[1] ?? ''];
  return SCRIPTS.has(extname(first)) ? [first] : undefined;
}

const HOW: Readonly<Record<string, string>> = {
  '.cpuprofile':
    "V8 CPU profile, one per thread: open it in Chrome's DevTools (Performance, Load) or VS Code",
  '.svg': 'flame graph of the Rust half: open it in a browser, hover for names',
  '.folded': 'the same as text, one stack a line: for flamegraph.pl, inferno or speedscope.app',
};

function listing(folder: string): string {
  const files = readdirSync(folder).sort();
  if (files.length === 0) return `Nothing was profiled into ${folder}.\n`;
  const lines = files.map((file) => `  ${join(folder, file)}\n    ${HOW[extname(file)] ?? ''}`);
  return `Profiles:\n${lines.join('\n')}\n`;
}
