// The embedded scheduler: several per process, and every way a process may end with one running.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { test } from 'node:test';
import { HeddleError } from '#heddle/errors/index.js';
import { nativeVersions, Scheduler, threadCpuNanos } from '#heddle/native/index.js';
import { decodeWelcome } from '#heddle/wire/index.js';
import { BarePeer, LIMIT_MS, within } from './daemon_support.js';

const LOOPBACK = { bind: ['tcp://127.0.0.1:0'] };

test('two schedulers in one process are two', async () => {
  using a = Scheduler.start(LOOPBACK);
  using b = Scheduler.start(LOOPBACK);
  assert.notEqual(a.addresses[0], b.addresses[0]);
  assert.notEqual(a.epoch, b.epoch);
  for (const scheduler of [a, b]) {
    using peer = new BarePeer(scheduler.addresses[0] ?? '');
    const welcome = decodeWelcome(await peer.hello());
    assert.equal(welcome.epoch, scheduler.epoch);
  }
  a.stop();
  assert.equal(a.state, 'stopped');
  assert.equal(b.state, 'running');
  using peer = new BarePeer(b.addresses[0] ?? '');
  await peer.hello();
});

test('stop twice and use after stop are harmless', () => {
  const scheduler = Scheduler.start(LOOPBACK);
  scheduler.stop();
  scheduler.stop();
  assert.equal(scheduler.state, 'stopped');
  assert.equal(scheduler.failure, '');
  assert.equal(scheduler.addresses.length, 1);
});

test('a port is free again after stop', () => {
  const first = Scheduler.start(LOOPBACK);
  const { addresses } = first;
  first.stop();
  using second = Scheduler.start({ bind: addresses });
  assert.deepEqual(second.addresses, addresses);
});

test('what cannot be bound is a typed error', () => {
  using taken = Scheduler.start(LOOPBACK);
  for (const [bind, code] of [
    [taken.addresses, 'ERR_ADDRESS_IN_USE'],
    [['tcp://0.0.0.0:0'], 'ERR_ADDRESS_NOT_LOOPBACK'],
    [['tcp://127.0.0.1'], 'ERR_ADDRESS_INVALID'],
    [[], 'ERR_ADDRESS_INVALID'],
  ] as const) {
    assert.throws(
      () => Scheduler.start({ bind }),
      (error) => error instanceof HeddleError && error.code === code,
      code,
    );
  }
  assert.throws(
    () => Scheduler.start({ ...LOOPBACK, peerDeadlineMs: 0.5 }),
    (error) => error instanceof HeddleError && error.code === 'ERR_ARGUMENT',
  );
});

test('the thread clock counts CPU, not time', () => {
  const before = threadCpuNanos();
  let sum = 0;
  for (let i = 0; i < 3_000_000; i++) sum += Math.sqrt(i);
  assert.ok(sum > 0);
  const used = threadCpuNanos() - before;
  assert.ok(used > 100_000 && used < 10_000_000_000, `${used} ns`);
  assert.match(nativeVersions().libzmq, /^4\.3\.\d+$/);
});

const NATIVE = new URL('../../native/index.js', import.meta.url).href;
const ENDINGS: readonly (readonly [string, string, number | NodeJS.Signals])[] = [
  ['without stop', '', 0],
  ['process.exit', 'process.exit(3)', 3],
  ['an uncaught error', 'throw new Error("on purpose")', 1],
  ['SIGTERM', 'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1e6)', 'SIGTERM'],
  [
    'in a worker_thread that is terminated',
    `const { Worker } = await import('node:worker_threads');
     const worker = new Worker(
       \`Promise.all([import(\${JSON.stringify('${NATIVE}')}), import('node:worker_threads')])
          .then(([{ Scheduler }, { parentPort }]) => {
            globalThis.keep = Scheduler.start({ bind: ['tcp://127.0.0.1:0'] });
            parentPort.postMessage('up');
            setInterval(() => {}, 1e6);
          })\`, { eval: true });
     await new Promise((resolve) => worker.once('message', resolve));
     await worker.terminate();`,
    0,
  ],
];

for (const [name, ending, expected] of ENDINGS) {
  test(`a process with a running scheduler ends cleanly: ${name}`, async () => {
    const script = `
      import { Scheduler } from '${NATIVE}';
      const scheduler = Scheduler.start({ bind: ['tcp://127.0.0.1:0'] });
      if (scheduler.state !== 'running') throw new Error('not running');
      ${ending}`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: LIMIT_MS,
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const [code, signal] = (await within(once(child, 'exit'), 'exit')) as [number, string];
    assert.equal(signal ?? code, expected, stderr);
  });
}
