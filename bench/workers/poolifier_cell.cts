/** Poolifier's worker for graphs of `cell` tasks. CommonJS: see `peers/poolifier_worker.cts`. */
import poolifier = require('poolifier');
import kernel = require('./kernel.cjs');

type Call = Parameters<typeof kernel.cellOf>[0];

export = new poolifier.ClusterWorker<Call, number | Float64Array>((call) => {
  if (call === undefined) throw new Error('a call without an argument');
  return kernel.cellOf(call);
});
