// The `heddle` command: what it prints, how it ends, what it refuses.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { BarePeer, Command, run, startScheduler } from './daemon_support.js';

test('scheduler prints its address and the exact worker command', async () => {
  await using command = new Command(['scheduler', '--port', '0']);
  assert.match(await command.firstLine(), /^Scheduler listening on tcp:\/\/127\.0\.0\.1:\d+$/);
  command.child.kill('SIGTERM');
  const { code, stdout, stderr } = await command.finished();
  assert.equal(stderr, '');
  assert.equal(code, 0);
  const address = /tcp:\/\/[^\n]*/.exec(stdout)?.[0] ?? assert.fail(stdout);
  assert.ok(stdout.includes(`\n  npx heddle worker --connect ${address}\n`), stdout);
  assert.ok(stdout.includes(`Client.connect('${address}')`), stdout);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`scheduler ends with 0 on ${signal} and leaves no socket file`, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'heddle-test-'));
    try {
      const bind = `ipc://${join(dir, 'scheduler')}`;
      await using command = new Command(['scheduler', '--json', '--bind', bind]);
      const line = JSON.parse(await command.firstLine()) as { address: string; worker: string };
      assert.equal(line.address, bind);
      assert.equal(line.worker, `npx heddle worker --connect ${bind}`);
      assert.deepEqual(readdirSync(dir), ['scheduler']);
      command.child.kill(signal);
      assert.deepEqual(await command.finished(), { code: 0, stdout: command.stdout, stderr: '' });
      assert.deepEqual(readdirSync(dir), []);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
}

test('a taken port is a typed error and an exit code', async () => {
  const { command: first, line } = await startScheduler();
  await using _ = first;
  const port = line.address.split(':').at(-1) ?? '';
  const { code, stderr, stdout } = await run('scheduler', '--port', port);
  assert.equal(code, 69);
  assert.equal(stdout, '');
  assert.match(stderr, /^heddle: .*in use.*\[ERR_ADDRESS_IN_USE\]\n$/);
  assert.ok(stderr.includes(line.address), stderr);
  using peer = new BarePeer(line.address);
  await peer.hello(); // The first one serves on.
});

test('addresses that other machines could reach are refused', async () => {
  for (const args of [
    ['--host', '0.0.0.0'],
    ['--bind', 'tcp://*:8786'],
    ['--host', '::'],
  ]) {
    const { code, stderr } = await run('scheduler', ...args);
    assert.match(stderr, /\[ERR_ADDRESS_NOT_LOOPBACK\]\n$/, args.join(' '));
    assert.equal(code, 64);
  }
});

test('wrong usage ends with 64 and names what is wrong', async () => {
  for (const [args, message] of [
    [['scheduler', '--port', '70000'], /a port is a number from 0 to 65535/],
    [['scheduler', '--prot', '1'], /unknown option '--prot'.*--port/s],
    [['shceduler'], /unknown command 'shceduler'.*scheduler/s],
    [['worker'], /required option '--connect <address>'/],
    [['worker', '--connect', 'tcp://127.0.0.1:1', '--lanes', '0'], /a whole number above 0/],
  ] as const) {
    const { code, stderr } = await run(...args);
    assert.match(stderr, message);
    assert.equal(code, 64, args.join(' '));
  }
});

test('help teaches by example and lists the exit codes', async () => {
  for (const args of [['--help'], ['scheduler', '--help'], ['worker', '--help']]) {
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 0);
    assert.equal(stderr, '');
    assert.match(stdout, /\$ (npx )?heddle (scheduler|worker)/, args.join(' '));
    assert.match(stdout, /Exit codes:\n\s+0 /);
  }
});

test('version names the package, protocol, engine and libzmq', async () => {
  const { code, stdout } = await run('version', '--json');
  assert.equal(code, 0);
  const versions = JSON.parse(stdout) as Record<string, string>;
  for (const name of ['heddle', 'engine', 'libzmq']) {
    assert.match(versions[name] ?? '', /^\d+\.\d+\.\d+/, name);
  }
  assert.match(versions.protocol ?? '', /^1\.\d+$/);
  assert.match((await run('version')).stdout, /^heddle +\d/);
});

test('without a built addon the command says so in one line', async () => {
  await using command = new Command(['scheduler'], { HEDDLE_NATIVE_PATH: '/nowhere/heddle.node' });
  const { code, stdout, stderr } = await command.finished();
  assert.equal(code, 69);
  assert.equal(stdout, '');
  assert.match(stderr, /^heddle: [^\n]*npm run build[^\n]* \[ERR_NATIVE_MISSING\]\n$/);
});
