// Whoever kills the npx or npm that started Heddle is left with nothing: real npm, its shell and the command.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Command } from './daemon_support.js';
import { alive, temporaryFolder, until } from './support.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const npm = spawnSync('npm', ['--version'], { timeout: 30_000 }).status === 0;
const skip = process.platform !== 'linux' ? 'needs /proc' : npm ? false : 'npm is not installed';

/** npm in a process group of its own, so that the test can sweep whatever it leaves behind. */
class Npm implements Disposable {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly gone: Promise<void>;

  constructor(command: 'npm' | 'npx', args: readonly string[], cwd: string, folder: string) {
    this.child = spawn(command, args, {
      cwd,
      env: { ...process.env, npm_config_cache: folder, npm_config_update_notifier: 'false' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.gone = new Promise((resolve) => this.child.once('exit', () => resolve()));
  }

  /** The first line on stdout. */
  line(): Promise<string> {
    return until(`output of npm; stderr: ${this.stderr}`, () => {
      if (this.child.exitCode !== null) assert.fail(`npm ended: ${this.stderr}`);
      return this.stdout.match(/^{.*}\n/m)?.[0];
    });
  }

  [Symbol.dispose](): void {
    try {
      process.kill(-(this.child.pid as number), 'SIGKILL');
    } catch {
      // Nothing is left of the group, as it should be.
    }
  }
}

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`${signal} to npx alone ends the scheduler and the workers it ran`, { skip }, async () => {
    using folder = temporaryFolder();
    const npx = (...args: string[]) =>
      new Npm('npx', ['--offline', 'heddle', ...args], ROOT, folder.path);
    using scheduler = npx('scheduler', '--port', '0', '--json');
    const { address, pid } = JSON.parse(await scheduler.line());
    using worker = npx('worker', '--connect', address, '--lanes', '1', '--json');
    const ready = JSON.parse(await worker.line()) as { event: string; pid: number };
    assert.equal(ready.event, 'ready');
    // The worker first: its scheduler's end must not be what ends it.
    for (const [launcher, served] of [
      [worker, ready.pid],
      [scheduler, pid],
    ] as const) {
      assert.notEqual(launcher.child.pid, served);
      assert.ok(alive(served));
      launcher.child.kill(signal);
      await launcher.gone;
      await until(`the command under npx ends; ${launcher.stderr}`, () => !alive(served));
      await until('it says why', () => /npm .* is gone: stopping/.test(launcher.stderr));
    }
  });
}

/** All processes below `pid`. */
function descendants(pid: number): { pid: number; command: string }[] {
  const rows = spawnSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).stdout;
  const all = rows.split('\n').map((row) => /^ *(\d+) +(\d+) (.*)/.exec(row));
  const below = new Set([pid]);
  const found = [];
  // Parents can have larger numbers than their children: repeated until nothing is added.
  for (let before = 0; before < below.size; ) {
    before = below.size;
    for (const row of all) if (row !== null && below.has(Number(row[2]))) below.add(Number(row[1]));
  }
  for (const row of all) {
    if (row === null || Number(row[1]) === pid || !below.has(Number(row[1]))) continue;
    found.push({ pid: Number(row[1]), command: row[3] as string });
  }
  return found;
}

test('SIGTERM to npm alone ends `npm start` and its workers', { skip }, async () => {
  using folder = temporaryFolder();
  // What `npm start` of a clone runs once everything is built, which is no part of this test.
  const become = pathToFileURL(join(ROOT, 'ts/build/steps/become.mjs')).href;
  const script = `import { become } from '${become}';\nawait become('dist/examples/flights/main.js');\n`;
  writeFileSync(join(folder.path, 'start.mjs'), script);
  const scripts = { start: 'node start.mjs' };
  writeFileSync(join(folder.path, 'package.json'), JSON.stringify({ scripts }));
  using start = new Npm('npm', ['start', '--', '--json'], folder.path, folder.path);
  const npm = start.child.pid as number;
  const isWorker = ({ command }: { command: string }) => command.includes('worker/main.js');
  await until(`workers start; ${start.stderr}`, () => descendants(npm).some(isWorker));
  const all = descendants(npm);
  start.child.kill('SIGTERM');
  await start.gone;
  await until('everything ends', () => !all.some(({ pid }) => alive(pid)));
  // It was stopped, half a second later, and did not just come to its end.
  assert.ok(!start.stdout.includes('{'), start.stdout);
});

test('a command that npm did not run outlives its parent', { skip }, async () => {
  // As in a program that npm started and that starts a scheduler of its own.
  await using scheduler = new Command(['scheduler', '--port', '0', '--json'], {
    npm_command: 'run-script',
  });
  await scheduler.firstLine();
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  assert.ok(alive(scheduler.child.pid as number), scheduler.stderr);
  assert.equal(scheduler.stderr, '');
});
