/** The one task of the comparison, as poolifier's processes run it. CommonJS: see `poolifier_worker.cts`. */
import poolifier = require('poolifier');

export = new poolifier.ClusterWorker<number[], number>((numbers) => {
  const [own, ...reads] = numbers ?? [];
  return reads.reduce((sum, read) => sum + read, own ?? 0) % 1_000_003;
});
