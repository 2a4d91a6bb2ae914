// client.explain() and `heddle explain`: the figures of a real run add up, and a saved one reads the same.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Client, Explanation, LocalCluster } from 'heddle';
import { temporaryFolder } from './support.js';

const HEDDLE = fileURLToPath(new URL('../../daemon/main.js', import.meta.url));
const run = promisify(execFile);

let cluster: LocalCluster;
let client: Client;

before(async () => {
  cluster = await LocalCluster.start({ workers: 2 });
  client = await cluster.connect();
});
after(() => cluster.close());

test('a run is explained by the four questions, and only what came since', async () => {
  const since = await client.explain();
  const items = Float64Array.from({ length: 20_000 }, (_, i) => i);
  const lookup = { table: 'x'.repeat(50_000) };
  const sums = await client.gather(
    client.map((x: number, by: { table: string }) => x + by.table.length, items, lookup),
  );
  assert.equal(sums[7], 50_007);
  const explained = await client.explain({ since });
  const { data } = explained;
  assert.equal(data.tasks, 20_000);
  assert.deepEqual([data.failed, data.workers, data.lanes], [0, 2, 2]);
  for (const [question, seconds] of Object.entries(data.questions)) {
    assert.ok(seconds > 0 && seconds < 60, `${question}: ${seconds}`);
  }
  const { describe, communicate, process, dispatch } = data.questions;
  const total = describe + communicate + process + dispatch;
  assert.ok(Math.abs(data.overheadUs - (total * 1e6) / 20_000) < 1e-6);
  const costs = data.costs.reduce((sum, cost) => sum + cost.seconds, 0);
  assert.ok(Math.abs(costs - total) < 1e-9, 'the costs are the parts of the questions');
  assert.equal(data.stages.describe.count, 1);
  assert.ok(data.stages.transfer.count >= 1 && data.stages.clientEncode.count >= 1);
  for (const stage of ['ingest', 'apply', 'encode', 'send', 'queue', 'report', 'decode'] as const) {
    const { count, sum, buckets } = data.stages[stage];
    assert.ok(count > 0 && sum > 0, stage);
    assert.equal(
      buckets.reduce((all, bucket) => all + bucket.count, 0),
      count,
      stage,
    );
    // Per batch, never per task.
    assert.ok(count < 5_000, `${stage}: ${count}`);
  }
  assert.equal(data.stages.run.count, 20_000);
  const records = data.stages.doneRecords;
  assert.ok(records.sum > 15_000 && records.sum < 25_000, `${records.sum} records reported`);
  assert.ok(data.advice.some(({ text }) => text.includes('arguments[1].table')));
  assert.match(`${explained}`, /CPU time by question[\s\S]*Biggest cost[\s\S]*Advice/);
});

test('heddle explain reads a saved run, and asks a live scheduler', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'run.json');
  const explained = await client.explain();
  explained.save(file);
  assert.equal(`${Explanation.load(file)}`, `${explained}`);
  const saved = await run(process.execPath, [HEDDLE, 'explain', file]);
  assert.equal(saved.stdout.trim(), `${explained}`.trim());
  const live = await run(process.execPath, [
    ...[HEDDLE, 'explain', '--json', '--address', cluster.address],
  ]);
  const data = JSON.parse(live.stdout) as Explanation['data'];
  assert.equal(data.format, 'heddle-run');
  assert.ok(data.tasks >= explained.data.tasks);
});

test('what is no saved run is refused with what to do', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'run.json');
  assert.throws(() => Explanation.load(file), { code: 'ERR_FILE_MISSING' });
  for (const text of ['', '{', '[]', '{"format":"heddle-run","version":"99.0.0"}']) {
    writeFileSync(file, text);
    assert.throws(() => Explanation.load(file), { code: 'ERR_ARGUMENT' });
  }
  await assert.rejects(run(process.execPath, [HEDDLE, 'explain', file]), {
    code: 64,
    stderr: /99\.0\.0.*save\(file\).*\[ERR_ARGUMENT\]/,
  });
});
