// One worker as a child process. Its stdin is a pipe nobody writes to: it ends when the parent does, however it ends.
import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../errors/exit_codes.js';

const MAIN = fileURLToPath(new URL('../worker/main.js', import.meta.url));
/** Characters of a worker's stderr kept to explain its death. */
const TAIL_CHARS = 4_096;
/** Milliseconds a worker has to leave by itself, then after SIGTERM. */
const LEAVE_MS = 2_000;
const TERM_MS = 1_000;
/** Flags of this process that must not reach workers: they concern its own script, debugger or test run. */
const OWN_FLAGS =
  /^(?:--inspect|--eval|--print|-e$|-p$|-pe$|--test|--watch|--check|-c$|--experimental-test|--cpu-prof|--heap-prof|--input-type)/;

/** What a worker is started with. */
export interface WorkerSettings {
  readonly address: string;
  readonly name: string;
  readonly lanes: number;
  /** Bytes of managed memory; undefined: the worker's own choice. */
  readonly memory: number | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/** A running worker process. */
export class WorkerProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  #tail = '';
  /** Resolves with what ended it. */
  readonly ended: Promise<string>;
  #over = false;

  constructor(settings: WorkerSettings) {
    this.name = settings.name;
    const { address, name, lanes, memory } = settings;
    const args = ['--connect', address, '--name', name, '--lanes', String(lanes), '--parent-pipe'];
    if (memory !== undefined) args.push('--memory', String(memory));
    const flags = process.execArgv.filter((flag) => !OWN_FLAGS.test(flag));
    // Asked for by `heddle profile`: V8 writes a profile of each thread when it ends.
    const profiles = process.env.HEDDLE_CPU_PROFILES;
    if (profiles !== undefined) flags.push('--cpu-prof', `--cpu-prof-dir=${profiles}`);
    // A group of its own: Ctrl-C reaches the parent alone, which then ends its workers in order.
    this.#child = spawn(process.execPath, [...flags, MAIN, ...args], {
      stdio: ['pipe', 'inherit', 'pipe'],
      env: settings.env,
      detached: true,
    });
    this.#child.stderr?.on('data', (data: Buffer) => {
      process.stderr.write(data);
      this.#tail = (this.#tail + data.toString()).slice(-TAIL_CHARS);
    });
    // Writing never happens; a worker that dies first makes the pipe fail, which `ended` already tells.
    this.#child.stdin?.on('error', () => {});
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#over = true;
        resolve(error.message);
      });
      this.#child.once('exit', (code, signal) => {
        this.#over = true;
        resolve(signal === null ? `exit code ${code}` : `signal ${signal}`);
      });
    });
  }

  /** Process id; undefined if it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get running(): boolean {
    return !this.#over;
  }

  /** True if it ended because the scheduler's engine failed: another would end likewise. */
  get engineFailed(): boolean {
    return this.#child.exitCode === EXIT.ENGINE;
  }

  /** The last of what it wrote to stderr. */
  get lastWords(): string {
    return this.#tail.trim();
  }

  /** Waits until it has left, and makes it leave if it does not. */
  async leave(): Promise<void> {
    this.#child.stdin?.end();
    if (await this.#within(LEAVE_MS)) return;
    this.#child.kill('SIGTERM');
    if (await this.#within(TERM_MS)) return;
    this.kill();
    await this.ended;
  }

  /** Ends it now. */
  kill(): void {
    if (!this.#over) this.#child.kill('SIGKILL');
  }

  async #within(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), ms);
    });
    const left = await Promise.race([this.ended.then(() => true), late]);
    clearTimeout(timer);
    return left;
  }
}
