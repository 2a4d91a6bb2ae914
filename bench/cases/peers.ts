/** Pools that Heddle is compared with, in their own best form for tiny tasks. */
import { fileURLToPath } from 'node:url';
import { FixedQueue, Piscina } from 'piscina';
import { FixedClusterPool } from 'poolifier';
import type { Case, Session, Size } from '../harness.js';
import { inFlight } from '../time.js';

const WORKERS = 2;
const IN_FLIGHT = 256;
const TASKS: Record<Size, number> = { smoke: 2_000, full: 40_000 };

async function session(
  size: Size,
  call: (input: number) => Promise<unknown>,
  close: () => Promise<void>,
): Promise<Session> {
  // Both threads or processes up, and the code compiled, before anything counts.
  await inFlight(2_000, IN_FLIGHT, call);
  return {
    round: async () => ({ value: await inFlight(TASKS[size], IN_FLIGHT, call) }),
    close,
  };
}

/** Threads, many tasks per thread at once, the queue its manual recommends. */
export const piscina: Case = {
  name: 'peer.piscina',
  unit: 'tasks/s',
  async open(size) {
    const pool = new Piscina({
      filename: fileURLToPath(new URL('../peers/piscina_worker.js', import.meta.url)),
      minThreads: WORKERS,
      maxThreads: WORKERS,
      concurrentTasksPerWorker: IN_FLIGHT / WORKERS,
      taskQueue: new FixedQueue(),
      recordTiming: false,
      idleTimeout: Number.POSITIVE_INFINITY,
    });
    return session(
      size,
      (input) => pool.run(input),
      () => pool.destroy(),
    );
  },
};

/** Processes, like Heddle's workers; tasks go out at once, without its own queue. */
export const poolifier: Case = {
  name: 'peer.poolifier',
  unit: 'tasks/s',
  async open(size) {
    const worker = fileURLToPath(new URL('../peers/poolifier_worker.cjs', import.meta.url));
    let failure: unknown;
    const pool = new FixedClusterPool<number, number>(WORKERS, worker, {
      errorHandler: (error) => {
        failure = error;
      },
    });
    const call = async (input: number): Promise<unknown> => {
      if (failure !== undefined) throw failure;
      return pool.execute(input);
    };
    return session(size, call, async () => pool.destroy());
  },
};
