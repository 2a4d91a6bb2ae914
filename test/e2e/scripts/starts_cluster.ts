// A module that does what it must not: it has tasks, and starts a cluster when it is imported.
import { LocalCluster, task } from 'heddle';

export const wrong = task(import.meta.url, 'wrong', (x: number) => x);

if (process.argv[1]?.endsWith('worker/main.js') === true) await LocalCluster.start({ workers: 1 });
