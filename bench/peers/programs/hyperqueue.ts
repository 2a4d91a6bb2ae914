/**
 * HyperQueue's program in the comparison: `hyperqueue.js HQ FOLDER`. Its command line only, so each task is a process
 * (`true`) and nothing comes back: HyperQueue's own count of finished tasks stands for the answer.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Order, type Report, serve, timed, timedOneByOne, type Unable } from '../protocol.js';
import { expected } from '../shapes.js';

const START_MS = 20_000;

interface JobInfo {
  readonly task_stats: { readonly finished: number };
}

const [binary = 'hq', folder = '.'] = process.argv.slice(2);
const hq = (...args: string[]): string =>
  execFileSync(binary, ['--server-dir', folder, ...args], { encoding: 'utf8' });
const start = (...args: string[]): ChildProcess =>
  spawn(binary, ['--server-dir', folder, ...args], { stdio: 'ignore' });

async function until(ready: () => boolean): Promise<void> {
  const deadline = performance.now() + START_MS;
  while (!ready()) {
    if (performance.now() > deadline) throw new Error('HyperQueue did not start');
    await sleep(100);
  }
}

function answers(...args: string[]): boolean {
  try {
    return hq('--output-mode', 'json', ...args).trim() !== '[]';
  } catch {
    // Not up yet.
    return false;
  }
}

function submit(tasks: number): number {
  hq('submit', '--array', `1-${tasks}`, '--stdout', 'none', '--stderr', 'none', '--wait', 'true');
  const [job] = JSON.parse(hq('--output-mode', 'json', 'job', 'list', '--all')).slice(
    -1,
  ) as JobInfo[];
  return job?.task_stats.finished ?? 0;
}

async function run({ shape, tasks }: Order): Promise<Report | Unable> {
  if (shape === 'map') {
    return timed(async () => (submit(tasks) === tasks ? expected(shape, tasks) : Number.NaN));
  }
  if (shape !== 'rtt') return { unable: 'its command line has no graphs whose values travel' };
  const report = await timedOneByOne(tasks, async () => {
    submit(1);
    return 0;
  });
  return { ...report, answer: expected(shape, tasks) };
}

const server = start('server', 'start');
await until(() => answers('server', 'info'));
const worker = start('worker', 'start', '--cpus', '2');
await until(() => answers('worker', 'list'));
await serve(hq('--version').trim(), run);
hq('server', 'stop');
for (const child of [worker, server]) child.kill('SIGTERM');
