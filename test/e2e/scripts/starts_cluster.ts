// A module that does what it must not: it has tasks, and starts a cluster when it is imported.
import { isMainThread } from 'node:worker_threads';
import { LocalCluster, task } from 'heddle';

export const wrong = task(import.meta.url, 'wrong', (x: number) => x);

if (!isMainThread) await LocalCluster.start({ workers: 1 });
