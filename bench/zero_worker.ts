/** A process of zero-workers: they answer at once, from one Rust thread. Ends with its parent's pipe. */
import process from 'node:process';
import { native } from './native.js';

const [address, workers, lanes] = process.argv.slice(2);
if (address === undefined) throw new Error('usage: zero_worker.js ADDRESS WORKERS LANES');

const group = new (native().BenchZeroWorkers)(address, Number(workers), Number(lanes));
process.stdin.resume().once('end', () => {
  group.stop();
  process.exit(0);
});
// Says early what the parent would otherwise wait for in vain.
setInterval(() => {
  if (group.failure === null) return;
  process.stderr.write(`the zero-workers stopped: ${group.failure}\n`);
  process.exit(1);
}, 500);
