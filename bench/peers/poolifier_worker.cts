/**
 * Poolifier's worker: the same no-op as Heddle's. CommonJS, because a cluster worker that is an ES
 * module is not loaded yet when the pool's first message arrives, and then never answers.
 */
import poolifier = require('poolifier');

export = new poolifier.ClusterWorker<number, number>((x) => x ?? -1);
