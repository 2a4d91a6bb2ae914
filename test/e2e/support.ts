// What end-to-end tests share: bounded waiting, and running scripts as processes.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HeddleError } from 'heddle';

/** Longest any single condition may take; generous, for a loaded machine. */
export const WAIT_MS = 30_000;

/** Waits until `holds` gives something other than undefined or false; gives that. */
export async function until<T>(what: string, holds: () => T | Promise<T>): Promise<NonNullable<T>> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const value = await holds();
    if (value !== undefined && value !== null && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`not within ${WAIT_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Asserts a rejection with a code; gives the error. */
export async function rejects(promise: Promise<unknown>, code: string): Promise<HeddleError> {
  let thrown: unknown;
  await assert.rejects(promise, (error: HeddleError) => {
    thrown = error;
    assert.equal(error.code, code, error.stack);
    return true;
  });
  return thrown as HeddleError;
}

/** True while a process exists. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A folder that goes with the test. */
export function temporaryFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'heddle-test-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** A script of this folder as a process of its own; what it prints is collected. */
export class Script implements Disposable {
  readonly child: ChildProcess;
  output = '';
  errors = '';
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;

  constructor(url: URL, args: readonly string[] = [], env: NodeJS.ProcessEnv = process.env) {
    this.child = spawn(process.execPath, [fileURLToPath(url), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
    });
    this.child.stdout?.on('data', (data: Buffer) => {
      this.output += data.toString();
    });
    this.child.stderr?.on('data', (data: Buffer) => {
      this.errors += data.toString();
    });
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve(code ?? signal));
    });
  }

  /** Waits for a line of JSON on its stdout. */
  async json<T>(): Promise<T> {
    const line = await until(`output of the script; stderr: ${this.errors}`, () => {
      if (this.child.exitCode !== null && !this.output.includes('\n')) {
        throw new Error(`the script ended: ${this.errors}`);
      }
      return this.output.includes('\n') ? this.output.split('\n')[0] : undefined;
    });
    return JSON.parse(line) as T;
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
  }
}
