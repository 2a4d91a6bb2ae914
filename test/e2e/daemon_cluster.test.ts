// Two terminals and a script: scheduler and workers by command, a client over tcp loopback, and
// what each side does when the scheduler ends, gently or not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, HeddleError } from 'heddle';
import { Command, startScheduler, until, within } from './daemon_support.js';

const LIMIT = { timeout: 15_000 };

interface Ready {
  readonly event: string;
  readonly epoch: number;
  readonly proc: number;
}

async function startWorker(address: string, ...args: string[]): Promise<Command> {
  const worker = new Command(['worker', '--connect', address, '--lanes', '1', '--json', ...args]);
  const ready = JSON.parse(await worker.firstLine()) as Ready;
  assert.equal(ready.event, 'ready');
  return worker;
}

const squares = (n: number) => Array.from({ length: n }, (_, i) => i * i);
const inputs = (n: number) => Array.from({ length: n }, (_, i) => i);
const isLost = (error: unknown) =>
  error instanceof HeddleError && error.code === 'ERR_SCHEDULER_LOST';

test('scheduler, two workers and a client over tcp loopback', async () => {
  const { command: scheduler, line } = await startScheduler();
  await using _s = scheduler;
  await using one = await startWorker(line.address, '--name', 'one');
  await using two = await startWorker(line.address, '--name', 'two');
  await using client = await Client.connect(line.address);
  const results = client.map((x: number) => x * x, inputs(1000));
  assert.deepEqual(await within(client.gather(results, LIMIT), 'results'), squares(1000));
  const stats = (await client.stats()) as { tasksCompleted: number; procs: { name: string }[] };
  assert.equal(stats.tasksCompleted, 1000);
  assert.deepEqual(stats.procs.map(({ name }) => name).sort(), ['one', 'two']);
  for (const worker of [one, two]) {
    worker.child.kill('SIGTERM');
    assert.equal((await worker.finished()).code, 0, worker.stderr);
  }
});

test('work waits visibly for a worker, and a late one gets it', async () => {
  const { command: scheduler, line } = await startScheduler();
  await using _s = scheduler;
  await using client = await Client.connect(line.address);
  const notices: string[] = [];
  client.on('notice', (notice) => notices.push(notice.code));
  const results = client.map((x: number) => x * x, inputs(10));
  await until(
    () => notices.includes('ERR_NO_WORKERS'),
    () => 'no notice that there are no workers',
  );
  await assert.rejects(
    results.at(0).result({ timeout: 50 }),
    (error) => error instanceof HeddleError && error.code === 'ERR_NO_WORKERS',
  );
  await using _w = await startWorker(line.address);
  assert.deepEqual(await within(client.gather(results, LIMIT), 'results'), squares(10));
});

test('when the scheduler is killed, futures reject and workers exit', async () => {
  const { command: scheduler, line } = await startScheduler();
  await using _s = scheduler;
  await using worker = await startWorker(line.address);
  await using client = await Client.connect(line.address);
  const pending = client.submit(() => new Promise<number>((done) => setTimeout(done, 600_000, 1)));
  const rejected = assert.rejects(pending.result(LIMIT), isLost);
  await until(
    async () => ((await client.stats()) as { attempts: number }).attempts === 1,
    () => 'the task was not sent',
  );
  scheduler.child.kill('SIGKILL');
  await within(rejected, 'rejection');
  assert.equal(pending.status, 'lost');
  const { code, stderr } = await worker.finished();
  assert.match(stderr, /\[ERR_SCHEDULER_LOST\]\n$/);
  assert.equal(code, 75);
});

test('when the scheduler stops, everybody is told so', async () => {
  const { command: scheduler, line } = await startScheduler();
  await using _s = scheduler;
  await using worker = await startWorker(line.address);
  await using client = await Client.connect(line.address);
  const pending = client.submit(() => new Promise<number>((done) => setTimeout(done, 600_000, 1)));
  const rejected = assert.rejects(pending.result(LIMIT), isLost);
  scheduler.child.kill('SIGTERM');
  await within(rejected, 'rejection');
  assert.equal((await scheduler.finished()).code, 0);
  const { code, stdout } = await worker.finished();
  assert.equal(code, 0, worker.stderr);
  assert.match(stdout, /"event":"stopped"/);
});

test('a worker that reconnects serves the next scheduler at the address', async () => {
  const { command: first, line } = await startScheduler();
  await using _f = first;
  await using worker = await startWorker(line.address, '--reconnect');
  first.child.kill('SIGKILL');
  await first.finished();
  const port = line.address.split(':').at(-1) ?? '';
  await using second = new Command(['scheduler', '--port', port, '--json']);
  const { epoch } = JSON.parse(await second.firstLine()) as { epoch: number };
  assert.notEqual(epoch, line.epoch);
  await using client = await Client.connect(line.address);
  const results = client.map((x: number) => x * x, inputs(10));
  assert.deepEqual(await within(client.gather(results, LIMIT), 'results'), squares(10));
  const ready = worker.stdout
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as Ready);
  assert.deepEqual(
    ready.map((event) => event.epoch),
    [line.epoch, epoch],
  );
});

test('a worker that finds nobody says so', async () => {
  await using worker = new Command([
    'worker',
    '--connect',
    'tcp://127.0.0.1:9',
    '--timeout',
    '300',
  ]);
  const { code, stderr } = await worker.finished();
  assert.equal(code, 69);
  assert.match(stderr, /^heddle: no scheduler answered at tcp:\/\/127.*\[ERR_CONNECT_TIMEOUT\]\n$/);
});
