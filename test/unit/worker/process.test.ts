// The worker as a process: how it starts, ends, and who may end it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodeHeartbeat, encodeBye, Kind } from '#heddle/wire/index.js';
import { EPOCH, FakeScheduler } from './fake_scheduler.js';

const MAIN = fileURLToPath(import.meta.resolve('#heddle/worker/main.js'));

test('says who it is, and counts in heartbeats', async () => {
  await using s = await FakeScheduler.start(2, ['--name', 'w7']);
  assert.equal(s.hello.name, 'w7');
  assert.equal(s.hello.lanes, 2);
  assert.equal(s.hello.pid, s.child.pid);
  assert.match(s.hello.dataAddress ?? '', /^ipc:/);
  await s.define(
    1,
    '(x) => { let s = 0; for (let i = 0; i < 2e6; i++) s += i % 7; return s + x; }',
  );
  await s.assignNumbers(
    1,
    Array.from({ length: 40 }, (_, i) => i),
  );
  await s.outcome(1, 39);
  const beats = (): { tasksRun: number; cpuComputeNs: number; cpuMainNs: number }[] =>
    s.frames.filter((f) => f.kind === Kind.Heartbeat).map(decodeHeartbeat);
  await s.until(() => beats().at(-1)?.tasksRun === 40);
  const last = beats().at(-1);
  assert.ok((last?.cpuComputeNs ?? 0) > 1e7, `compute ${last?.cpuComputeNs} ns`);
  assert.ok((last?.cpuMainNs ?? 0) > 0);
});

test('ends at SIGTERM with a goodbye, also while a body blocks its lane', async () => {
  await using s = await FakeScheduler.start();
  await s.define(1, '() => { require("node:fs").writeSync(2, "began"); for (;;); }');
  await s.assign({ serial: 1, count: 1 });
  await s.until(() => s.stderr.includes('began'));
  s.child.kill('SIGTERM');
  assert.equal(await s.exitCode, 0);
  await s.until(() => s.frames.some((f) => f.kind === Kind.Bye));
  assert.equal(existsSync((s.hello.dataAddress ?? '').slice('ipc://'.length)), false);
});

test('ends when its parent’s pipe closes', async () => {
  await using s = await FakeScheduler.start(1, ['--parent-pipe']);
  s.child.stdin?.end();
  assert.equal(await s.exitCode, 0);
});

test('ends with 75 when the scheduler vanishes, with 0 after its goodbye', async () => {
  await using lost = await FakeScheduler.start();
  await lost.until(() => lost.frames.some((f) => f.kind === Kind.Heartbeat));
  lost.vanish();
  assert.equal(await lost.exitCode, 75);
  assert.match(lost.stderr, /ERR_SCHEDULER_LOST/);
  await using gone = await FakeScheduler.start();
  await gone.send(encodeBye(EPOCH, { reason: 'shutting down' }));
  assert.equal(await gone.exitCode, 0);
});

test('--reconnect comes back with a new Hello and an empty store', async () => {
  await using s = await FakeScheduler.start(1, ['--reconnect']);
  await s.define(1, '() => new Uint8Array(9000)');
  await s.assign({ serial: 1, count: 1 });
  await s.outcome(1, 0);
  const hellos = (): number => s.frames.filter((f) => f.kind === Kind.Hello).length;
  await s.send(encodeBye(EPOCH, { reason: 'restart' }));
  await s.until(() => hellos() === 2);
  await s.until(() => {
    const beat = s.frames.filter((f) => f.kind === Kind.Heartbeat).at(-1);
    return beat !== undefined && decodeHeartbeat(beat).storedBytes === 0;
  });
  await s.define(2, '(x) => x + 1');
  await s.assignNumbers(2, [1]);
  assert.equal((await s.outcome(2, 0)).value, 2);
});

test('wrong options are told in one line with exit code 2', async () => {
  const run = async (...args: string[]): Promise<{ code: number; text: string }> => {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    child.stderr.on('data', (data: Buffer) => {
      text += data.toString();
    });
    const [code] = (await once(child, 'close')) as [number];
    return { code, text };
  };
  const cases: [string[], RegExp][] = [
    [['--connect', 'http://x'], /ERR_ADDRESS_INVALID/],
    [['--connect', 'ipc:///tmp/x', '--lanes', '0'], /ERR_ARGUMENT: lanes/],
    [['--connect', 'ipc:///tmp/x', '--data-bind', 'tcp://0.0.0.0:9'], /ERR_ADDRESS_NOT_LOOPBACK/],
    [['--nonsense'], /nonsense/],
  ];
  for (const [args, expected] of cases) {
    const { code, text } = await run(...args);
    assert.equal(code, 2, text);
    assert.match(text, expected);
    assert.equal(text.trim().split('\n').length, 1, text);
  }
});
