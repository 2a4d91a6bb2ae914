// A program with a cluster that ends in the way its argument names, without closing anything.
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { LocalCluster } from 'heddle';
import { square } from '../tasks.js';

const [way] = process.argv.slice(2);
const before = new Set(readdirSync(tmpdir()));
const cluster = await LocalCluster.start({ workers: 2 });
const client = await cluster.connect();
await client.map(square, [1, 2, 3]).results({ timeout: 30_000 });
const folders = readdirSync(tmpdir()).filter((name) => !before.has(name) && /^heddle-/.test(name));
process.stdout.write(
  `${JSON.stringify({ pids: cluster.workers, folders, address: cluster.address })}\n`,
);
if (way === 'exit') process.exit(3);
if (way === 'throw') {
  setImmediate(() => {
    throw new Error('nobody catches this');
  });
}
