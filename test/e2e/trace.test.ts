// A trace is well-formed, has every task of the run once, never two on a lane at a time, and the values that moved.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LocalCluster } from 'heddle';
import { rejects, temporaryFolder, until } from './support.js';

interface TraceEvent {
  readonly name: string;
  readonly cat?: string;
  readonly ph: string;
  readonly ts: number;
  readonly dur: number;
  readonly id?: number;
  readonly pid: number;
  readonly tid: number;
  readonly args: Readonly<Record<string, unknown>>;
}

const isTask = ({ cat, ph }: TraceEvent): boolean => cat === 'task' && ph === 'X';

function lanesOf(tasks: readonly TraceEvent[]): Map<string, TraceEvent[]> {
  const lanes = new Map<string, TraceEvent[]>();
  for (const task of tasks) {
    const lane = `${task.pid}/${task.tid}`;
    lanes.set(lane, [...(lanes.get(lane) ?? []), task]);
  }
  return lanes;
}

test('a trace has every task once, apart on its lane, and the transfers', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'trace.json');
  const cluster = await LocalCluster.start({ workers: 2, lanesPerWorker: 2, trace: file });
  try {
    const client = await cluster.connect();
    const plain = client.with({ name: 'plain' }).map((x: number) => x + 1, new Float64Array(500));
    await client.gather(plain);
    // Large values on both workers, all read by one task: some must move.
    const large = client
      .with({ name: 'large' })
      .map((x: number) => 'x'.repeat(20_000 + x), [...Array(16).keys()]);
    const sum = (texts: string[]): number => texts.reduce((all, text) => all + text.length, 0);
    assert.equal(await client.submit(sum, large).result(), 16 * 20_000 + 120);
    const slow = client.with({ name: 'slow' }).map(
      async (ms: number) => {
        await new Promise((resolve) => setTimeout(resolve, ms));
        return ms;
      },
      [30, 30, 30, 30],
    );
    await client.gather(slow);
    const failing = client.with({ name: 'failing' }).map(
      (x: number) => {
        throw new Error(`on purpose ${x}`);
      },
      [1],
    );
    await assert.rejects(client.gather(failing));
  } finally {
    await cluster.close();
  }
  const events = JSON.parse(readFileSync(file, 'utf8')) as TraceEvent[];
  const tasks = events.filter(isTask);
  const counts = new Map<string, number>();
  for (const { args } of tasks) {
    const key = `${args.layer}:${args.index}:${args.attempt}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  assert.ok(
    [...counts.values()].every((count) => count === 1),
    'a task occurs twice',
  );
  for (const [name, count] of Object.entries({ plain: 500, large: 16, submit: 1, slow: 4 })) {
    const found = tasks.filter((task) => task.name === name);
    assert.equal(found.length, count, name);
    assert.ok(found.every(({ args }) => args.outcome === 'Ok'));
  }
  const failed = tasks.filter(({ args }) => args.outcome === 'Failed');
  assert.equal(failed.length, 1);
  for (const { dur } of tasks.filter(({ name }) => name === 'slow')) {
    assert.ok(dur >= 29_000 && dur < 30_000_000, `a task that waits 30 ms took ${dur} us`);
  }
  const lanes = lanesOf(tasks);
  assert.ok(lanes.size >= 2 && lanes.size <= 4, `${lanes.size} lanes`);
  for (const [lane, ran] of lanes) {
    ran.sort((a, b) => a.ts - b.ts || a.dur - b.dur);
    for (let i = 1; i < ran.length; i++) {
      const [before, after] = [ran[i - 1] as TraceEvent, ran[i] as TraceEvent];
      assert.ok(before.ts + before.dur <= after.ts, `two tasks at a time on lane ${lane}`);
    }
  }
  const begun = events.filter(({ cat, ph }) => cat === 'transfer' && ph === 'b');
  const ended = events.filter(({ cat, ph }) => cat === 'transfer' && ph === 'e');
  assert.ok(begun.length > 0, 'values moved');
  assert.deepEqual(
    begun.map(({ id }) => id),
    ended.map(({ id }) => id),
  );
  for (const [i, { ts, pid, args }] of begun.entries()) {
    assert.ok(ts <= (ended[i]?.ts ?? 0) && pid !== args.from && (args.bytes as number) >= 20_000);
  }
  const names = events.filter(({ ph }) => ph === 'M').map(({ args }) => args.name);
  assert.deepEqual(names.filter((name) => !`${name}`.startsWith('lane')).sort(), [
    ...['scheduler', 'worker-0', 'worker-1'],
  ]);
  assert.equal(names.filter((name) => name === 'lane 1').length, 2);
});

test('a disk that fills ends the trace, and the run does not notice', {
  skip: !existsSync('/dev/full'),
}, async () => {
  const cluster = await LocalCluster.start({ workers: 1, trace: '/dev/full' });
  try {
    const client = await cluster.connect();
    assert.equal(await client.submit(() => 7).result(), 7);
    const failure = await until('the trace ends', () => cluster.spoolFailure);
    assert.equal(failure.code, 'ERR_DISK_FULL');
    assert.match(failure.message, /tracing to \/dev\/full stopped, the run is untouched/);
    assert.equal(await client.submit(() => 8).result(), 8);
  } finally {
    await cluster.close();
  }
  await rejects(LocalCluster.start({ workers: 0, trace: '/no/such/folder/t' }), 'ERR_FILE_MISSING');
});
