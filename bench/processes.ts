/** Child processes of the benchmarks, and what the system says of a process. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** A child that ends with this process's stdin pipe to it, or when it is stopped. */
export class Child {
  readonly process: ChildProcess;

  /** Starts `module` (relative to this file) under Node; its stdout can be read, its stderr is this process's. */
  constructor(module: string, args: readonly string[]) {
    const path = fileURLToPath(new URL(module, import.meta.url));
    this.process = spawn(process.execPath, [path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    children.add(this.process);
    this.process.once('exit', () => children.delete(this.process));
  }

  /** The first line on stdout. */
  async firstLine(): Promise<string> {
    let text = '';
    for await (const chunk of this.process.stdout ?? []) {
      text += String(chunk);
      const end = text.indexOf('\n');
      if (end >= 0) return text.slice(0, end);
    }
    throw new Error(`a child process ended without a word (code ${this.process.exitCode})`);
  }

  /** Ends it and waits for its end. */
  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(timer);
  }
}

const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

const folders = new Set<string>();
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder for sockets that only this user can enter; removed at exit at the latest. */
export class SocketFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'heddle-bench-'));

  constructor() {
    folders.add(this.path);
  }

  /** An `ipc://` address in it. */
  address(name: string): string {
    return `ipc://${join(this.path, name)}`;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
    folders.delete(this.path);
  }
}

/** CPU time all threads of a process have used, in ns, where the system tells (Linux). */
export function cpuNanos(pid: number): number | undefined {
  try {
    let total = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      total += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    }
    return total;
  } catch {
    return undefined;
  }
}

/** Resident memory of a process in bytes. */
export function rssBytes(pid: number): number {
  const kilobytes = execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
  return Number(kilobytes) * 1024;
}
