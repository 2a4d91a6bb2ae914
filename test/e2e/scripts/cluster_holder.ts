// A program with a cluster that ends in the way its argument names, without closing anything.
import { dirname } from 'node:path';
import { LocalCluster } from 'heddle';
import { square } from '../tasks.js';

const [way] = process.argv.slice(2);
const cluster = await LocalCluster.start({ workers: 2 });
const client = await cluster.connect();
await client.map(square, [1, 2, 3]).results({ timeout: 30_000 });
const folder = dirname(cluster.address.slice('ipc://'.length));
process.stdout.write(`${JSON.stringify({ pids: cluster.workers, folder })}\n`);
if (way === 'exit') process.exit(3);
if (way === 'throw') {
  setImmediate(() => {
    throw new Error('nobody catches this');
  });
}
