// Runs the `heddle` command as a user would, and speaks to a scheduler as a bare peer.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Dealer } from 'zeromq';
import { encodeHello, type Frame, Kind, Role, splitFrame } from '#heddle/wire/index.js';

/** The compiled entry of the command. */
export const MAIN = fileURLToPath(new URL('../../daemon/main.js', import.meta.url));

/** No wait in these tests is longer than this, in ms. */
export const LIMIT_MS = 20_000;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A child process with its output gathered. */
export class Command {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, [MAIN, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
  }

  /** Waits for the end. */
  async finished(): Promise<Finished> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      await within(once(this.child, 'exit'), `exit; so far: ${this.stdout}${this.stderr}`);
    }
    return { code: this.child.exitCode, stdout: this.stdout, stderr: this.stderr };
  }

  /** Waits for a first line on stdout. */
  async firstLine(): Promise<string> {
    await until(
      () => this.stdout.includes('\n') || this.child.exitCode !== null,
      () => `no line; stderr: ${this.stderr}`,
    );
    return this.stdout.split('\n')[0] ?? '';
  }

  /** Ends it, whatever it does. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exit = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await exit;
    }
  }
}

/** Runs the command to its end. */
export async function run(...args: string[]): Promise<Finished> {
  await using command = new Command(args);
  return await command.finished();
}

export interface SchedulerLine {
  readonly address: string;
  readonly addresses: string[];
  readonly epoch: number;
  readonly pid: number;
  readonly worker: string;
}

/** Starts `heddle scheduler --json` on a free port. */
export async function startScheduler(
  ...args: string[]
): Promise<{ command: Command; line: SchedulerLine }> {
  const command = new Command(['scheduler', '--port', '0', '--json', ...args]);
  try {
    return { command, line: JSON.parse(await command.firstLine()) as SchedulerLine };
  } catch (error) {
    await command[Symbol.asyncDispose]();
    throw error;
  }
}

/** Fails instead of waiting for ever. */
export async function within<T>(promise: Promise<T>, what: string, ms = LIMIT_MS): Promise<T> {
  const over = new AbortController();
  const limit = sleep(ms, undefined, { signal: over.signal }).then(
    () => assert.fail(`waited ${ms} ms for ${what}`),
    () => undefined as never,
  );
  try {
    return await Promise.race([promise, limit]);
  } finally {
    over.abort();
  }
}

/** Waits for a condition. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: () => string,
): Promise<void> {
  const end = Date.now() + LIMIT_MS;
  while (!(await condition())) {
    if (Date.now() > end) assert.fail(`waited ${LIMIT_MS} ms: ${what()}`);
    await sleep(10);
  }
}

/** A DEALER that sends what it is told and reads frames, with none of a client's manners. */
export class BarePeer {
  readonly #socket = new Dealer({ linger: 0, receiveTimeout: LIMIT_MS, sendTimeout: LIMIT_MS });

  constructor(address: string) {
    this.#socket.connect(address);
  }

  send(parts: Uint8Array | Uint8Array[]): Promise<void> {
    return this.#socket.send(parts);
  }

  /** The next frame, or undefined if none comes within `ms`. */
  async receive(ms = LIMIT_MS): Promise<Frame | undefined> {
    this.#socket.receiveTimeout = ms;
    try {
      return splitFrame(await this.#socket.receive());
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
      throw error;
    }
  }

  /** The next frame of a kind; others are passed over. */
  async receiveKind(kind: Kind): Promise<Frame> {
    const end = Date.now() + LIMIT_MS;
    for (;;) {
      const frame = await this.receive(Math.max(1, end - Date.now()));
      if (frame === undefined) assert.fail(`no frame of kind ${kind} came`);
      if (frame.kind === kind) return frame;
    }
  }

  /** Says hello as a client and waits for the welcome. */
  async hello(role: Role = Role.Client): Promise<Frame> {
    await this.send(helloOf(role));
    return await this.receiveKind(Kind.Welcome);
  }

  close(): void {
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A hello with nothing unusual. */
export function helloOf(role: Role): Uint8Array[] {
  return encodeHello({
    role,
    session: crypto.getRandomValues(new Uint8Array(16)),
    packageVersion: '0.0.0',
    name: 'bare peer',
    host: 'test',
    pid: process.pid,
    dataAddress: role === Role.Worker ? 'tcp://127.0.0.1:1' : '',
    lanes: role === Role.Worker ? 1 : 0,
    updateCredit: 16,
    graceMs: 0,
  });
}
