// A recorded run, replayed offline, comes to the digest the scheduler had; a record that is cut, damaged or of another
// version is refused, and a full disk ends the recording alone.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LocalCluster, lazy, param } from 'heddle';
import { PACKAGE_VERSION } from '#heddle/client/version.js';
import { replayRecord } from '#heddle/native/index.js';
import { rejects, temporaryFolder, until } from './support.js';

const HEDDLE = fileURLToPath(new URL('../../daemon/main.js', import.meta.url));
const run = promisify(execFile);

/** A run with everything in it: layers, edges, failures, retries, releases, a client that leaves, a worker that dies. */
async function eventfulRun(record: string): Promise<void> {
  const cluster = await LocalCluster.start({ workers: 2, record, restart: false, check: 'full' });
  try {
    const client = await cluster.connect();
    const squares = client.map((x: number) => x * x, new Float64Array(2_000).fill(3));
    const sum = client.submit((values: number[]) => values.reduce((a, b) => a + b, 0), squares);
    assert.equal(await sum.result(), 18_000);
    const failing = client.with({ retries: 1 }).submit(() => {
      throw new Error('on purpose');
    });
    await assert.rejects(failing.result(), /on purpose/);
    const large = client.map((x: number) => 'x'.repeat(3_000 + x), [1, 2, 3, 4]);
    const lengths = client.map((text: string) => text.length, large);
    assert.deepEqual(await client.gather(lengths), [3_001, 3_002, 3_003, 3_004]);
    const sleeping = client.submit(() => new Promise(() => {}));
    client.cancel([sleeping]);
    await assert.rejects(sleeping.result());
    const slow = client.map(
      async (x: number) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        return x;
      },
      [...Array(20).keys()],
    );
    const [victim] = cluster.workers;
    process.kill(victim as number, 'SIGKILL');
    assert.deepEqual(await client.gather(slow), [...Array(20).keys()]);
    const other = await cluster.connect();
    await other.gather(other.map((x: number) => -x, [1, 2, 3]));
    await other.close();
    client.release(squares);
    using template = client.template(lazy((x: number) => x + 1)(param<number>('x')));
    for (const x of [1, 2, 3]) assert.equal(await template.run({ x }).result(), x + 1);
    const nested = client.submit(async () => {
      const { ctx } = await import('heddle');
      return (await ctx.client.submit(() => 20).result()) + 1;
    });
    assert.equal(await nested.result(), 21);
    let last = client.submit(() => 0);
    for (let i = 0; i < 50; i++) last = client.submit((x: number) => x + 1, last);
    assert.equal(await last.result(), 50);
  } finally {
    await cluster.close();
  }
}

test('a replay comes to the same digest, twice', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'run.rec');
  await eventfulRun(file);
  const first = await replayRecord(file, PACKAGE_VERSION);
  const second = await replayRecord(file, PACKAGE_VERSION);
  assert.equal(second.digest, first.digest);
  assert.deepEqual([second.events, second.turns], [first.events, first.turns]);
  assert.ok(first.tasksCompleted >= 2_000 + 1 + 8 + 20 + 3 + 51, `${first.tasksCompleted}`);
  // The one that throws, and the one that was cancelled if it counts.
  assert.ok(first.tasksFailed >= 1);
  assert.equal(first.bytes, readFileSync(file).length);
  for (const stage of ['readNs', 'decodeNs', 'applyNs', 'encodeNs'] as const) {
    assert.ok(first[stage] > 0, stage);
  }
  const { stdout } = await run(process.execPath, [
    ...[HEDDLE, 'replay', file, '--repeat', '2', '--json'],
  ]);
  const lines = stdout.trim().split('\n');
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { digest: string }).digest),
    [first.digest, first.digest],
  );

  const whole = readFileSync(file);
  const broken = join(folder.path, 'broken.rec');
  writeFileSync(broken, whole.subarray(0, whole.length >> 1));
  const cut = await rejects(replayRecord(broken, PACKAGE_VERSION), 'ERR_RECORD_TRUNCATED');
  assert.match(cut.message, /broken\.rec ends in the record at byte \d+.*Record again/);
  const flipped = Buffer.from(whole);
  flipped.writeUInt8(flipped.readUInt8(whole.length >> 1) ^ 0x10, whole.length >> 1);
  writeFileSync(broken, flipped);
  await assert.rejects(replayRecord(broken, PACKAGE_VERSION), {
    code: /ERR_RECORD_(CORRUPT|TRUNCATED)/,
  });
  const version = await rejects(replayRecord(file, '99.0.0'), 'ERR_RECORD_VERSION');
  assert.match(version.message, /replay it with the build that recorded it/);
  await rejects(replayRecord(join(folder.path, 'none'), PACKAGE_VERSION), 'ERR_FILE_MISSING');
  await assert.rejects(run(process.execPath, [HEDDLE, 'replay', broken]), {
    code: 1,
    stderr: /heddle: .*broken\.rec.* \[ERR_RECORD_\w+\]/,
  });
});

test('a disk that fills ends the recording, and the run does not notice', {
  skip: !existsSync('/dev/full'),
}, async () => {
  const cluster = await LocalCluster.start({ workers: 1, record: '/dev/full' });
  try {
    const client = await cluster.connect();
    const doubled = client.map((x: number) => 2 * x, [1, 2, 3]);
    assert.deepEqual(await client.gather(doubled), [2, 4, 6]);
    const failure = await until('the recording ends', () => cluster.spoolFailure);
    assert.equal(failure.code, 'ERR_DISK_FULL');
    assert.match(failure.message, /\/dev\/full stopped, the run is untouched/);
    assert.equal(await client.submit(() => 7).result(), 7);
  } finally {
    await cluster.close();
  }
});

test('a record that cannot be written is refused before anything starts', async () => {
  using folder = temporaryFolder();
  const record = join(folder.path, 'no', 'such', 'folder', 'run.rec');
  await rejects(LocalCluster.start({ workers: 0, record }), 'ERR_FILE_MISSING');
});
