/** A peer's program as a child process, and the CPU time of all that it starts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { cpuNanos } from '../processes.js';
import type { Order, Ready, Report, Unable } from './protocol.js';

const ANSWER_MS = 300_000;
const STOP_MS = 10_000;
const MARK = 'HEDDLE_BENCH_PEER';

/** A report and what it cost. */
export interface Measured extends Report {
  /** CPU time of all processes of the peer, in s. */
  readonly cpuSeconds: number;
}

/** A program that speaks the protocol. */
export class Peer {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  /** Daemons leave the process group and their parents; what they cannot leave is their environment. */
  readonly #mark = `${MARK}=${randomUUID()}`;

  /** A server of the peer's, started before it and ended by whoever started it: its CPU time counts. */
  readonly #server: number | undefined;

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv, server?: number) {
    this.#server = server;
    const [name, value] = this.#mark.split('=') as [string, string];
    this.#child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...env, [name]: value },
    });
    const output = this.#child.stdout;
    if (output === null) throw new Error('a peer without stdout');
    this.#lines = createInterface({ input: output })[Symbol.asyncIterator]();
  }

  /** Waits until it is ready; its version. */
  async ready(): Promise<string> {
    return (await this.#answer<Ready>()).version;
  }

  /** Runs one order. */
  async run(order: Order): Promise<Measured | Unable> {
    const before = this.#cpu();
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    const report = await this.#answer<Report | Unable>();
    if ('unable' in report) return report;
    const after = this.#cpu();
    let nanos = 0;
    for (const [pid, used] of after) nanos += used - (before.get(pid) ?? 0);
    return { ...report, cpuSeconds: nanos / 1e9 };
  }

  /** Ends it and everything it started. */
  async stop(): Promise<void> {
    const ended = this.#child.exitCode === null ? once(this.#child, 'exit') : undefined;
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(timer);
    for (const pid of this.#pids()) kill(pid);
  }

  /** The next line that is a JSON object: libraries like to write to stdout, too. */
  async #answer<T>(): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('a peer did not answer')), ANSWER_MS);
    });
    try {
      for (;;) {
        const next = await Promise.race([this.#lines.next(), late]);
        if (next.done) throw new Error(`a peer ended (code ${this.#child.exitCode})`);
        if (next.value.startsWith('{')) return JSON.parse(next.value) as T;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #pids(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => pid !== process.pid && environment(pid).includes(this.#mark));
  }

  #cpu(): Map<number, number> {
    const pids = this.#pids();
    if (this.#server !== undefined) pids.push(this.#server);
    return new Map(pids.map((pid) => [pid, cpuNanos(pid) ?? 0]));
  }
}

function environment(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    // It ended, or is another user's.
    return '';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
