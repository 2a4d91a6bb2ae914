// Peers that freeze: neither dead nor alive. A frozen worker's tasks are run elsewhere; a frozen
// client costs the others nothing and finds everything when it comes back.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'heddle';
import { Command, startScheduler, until, within } from './daemon_support.js';

const LIMIT = { timeout: 18_000 };
/** Longer than the silence after which a peer is lost. */
const FREEZE_MS = 5_500;

interface Stats {
  readonly tasksCompleted: number;
  readonly attempts: number;
  readonly clients: number;
  readonly procs: readonly { readonly name: string; readonly inFlight: number }[];
}

async function startWorker(address: string, name: string): Promise<Command> {
  const worker = new Command([
    ...['worker', '--connect', address, '--lanes', '1', '--name', name, '--json'],
  ]);
  await worker.firstLine();
  return worker;
}

test('a frozen worker is given up, and what it ran is run elsewhere', async () => {
  const { command: scheduler, line } = await startScheduler();
  await using _s = scheduler;
  await using one = await startWorker(line.address, 'one');
  await using two = await startWorker(line.address, 'two');
  await using client = await Client.connect(line.address);
  const stats = async () => (await client.stats()) as unknown as Stats;
  const slow = client.map(
    (x: number) => new Promise<number>((done) => setTimeout(done, 20, x + 1)),
    Array.from({ length: 60 }, (_, i) => i),
  );
  await until(
    async () => (await stats()).procs.every(({ inFlight }) => inFlight > 0),
    () => 'not both workers got work',
  );
  one.child.kill('SIGSTOP');
  try {
    const values = await within(client.gather(slow, LIMIT), 'the results');
    assert.deepEqual(
      values,
      Array.from({ length: 60 }, (_, i) => i + 1),
    );
    assert.deepEqual(
      (await stats()).procs.map(({ name }) => name),
      ['two'],
    );
    assert.ok((await stats()).attempts > 60);
  } finally {
    one.child.kill('SIGCONT');
  }
  // Thawed, it learns that it was given up.
  assert.equal((await one.finished()).code, 75, one.stderr);
  assert.equal(two.child.exitCode, null);
});

const CLIENT = `
  import { Client } from 'heddle';
  const client = await Client.connect(process.argv[1]);
  const results = client.map((x) => x + 1, Array.from({ length: 100_000 }, (_, i) => i));
  await results.at(0).result({ timeout: 15_000 }); // The scheduler has the whole graph.
  process.stdout.write('sent\\n');
  const values = await client.gather(results, { timeout: 15_000 });
  if (values.some((value, i) => value !== i + 1)) throw new Error('a wrong value');
  process.stdout.write(values.length + '\\n');
  await client.close();`;

test('a frozen client costs nobody anything and misses nothing', async () => {
  const { command: scheduler, line } = await startScheduler();
  await using _s = scheduler;
  await using _w = await startWorker(line.address, 'one');
  await using other = await Client.connect(line.address);
  const args = ['--input-type=module', '-e', CLIENT, line.address];
  const frozen: ChildProcess = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  // Not `exit`: output may follow it.
  let closed = false;
  frozen.on('close', () => {
    closed = true;
  });
  frozen.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  try {
    await until(
      () => output === 'sent\n',
      () => output,
    );
    frozen.kill('SIGSTOP');
    const thaw = sleep(FREEZE_MS);
    const stats = async () => (await other.stats()) as unknown as Stats;
    await until(
      async () => (await stats()).tasksCompleted >= 100_000,
      () => 'the work did not go on without its client',
    );
    const results = other.map((x: number) => x * 2, [1, 2, 3]);
    assert.deepEqual(await within(other.gather(results, LIMIT), 'results'), [2, 4, 6]);
    await thaw;
    frozen.kill('SIGCONT');
    await until(
      () => output === 'sent\n100000\n' || closed,
      () => output,
    );
    assert.equal(output, 'sent\n100000\n');
  } finally {
    frozen.kill('SIGKILL');
  }
});
