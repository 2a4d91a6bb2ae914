/**
 * BullMQ's program in the comparison: `bullmq.js FOLDER PORT`. Two worker processes with 64 jobs each at a time; graphs
 * are flows, in which a job has one parent: what is read twice cannot be said.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { type Order, type Report, serve, timed, timedOneByOne, type Unable } from '../protocol.js';
import { PRIME } from '../shapes.js';

const WORKERS = 2;
const CONCURRENCY = 64;
const BULK = 1_000;
const QUEUE = 'comparison';

/** The parts of BullMQ used here: it is installed by the script, so its types are not. */
interface Job {
  readonly id: string;
  readonly data: { own: number };
  getChildrenValues(): Promise<Record<string, number>>;
  waitUntilFinished(events: unknown): Promise<number>;
}
interface Flow {
  name: string;
  queueName: string;
  data: { own: number };
  children?: Flow[];
  opts?: object;
}
interface BullMQ {
  Queue: new (
    name: string,
    options: object,
  ) => {
    add(name: string, data: object, options?: object): Promise<Job>;
    addBulk(jobs: object[]): Promise<Job[]>;
    obliterate(options: object): Promise<void>;
    close(): Promise<void>;
  };
  QueueEvents: new (
    name: string,
    options: object,
  ) => {
    on(event: string, listener: (event: { jobId: string; returnvalue: number }) => void): void;
    waitUntilReady(): Promise<unknown>;
    close(): Promise<void>;
  };
  FlowProducer: new (
    options: object,
  ) => {
    add(flow: Flow): Promise<{ job: Job }>;
    close(): Promise<void>;
  };
  Worker: new (
    name: string,
    run: (job: Job) => Promise<number>,
    options: object,
  ) => {
    waitUntilReady(): Promise<unknown>;
  };
}

const [folder = '.', port = '6379', role] = process.argv.slice(2);
const bullmq = createRequire(join(folder, 'package.json'))('bullmq') as BullMQ;
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };

async function work(): Promise<void> {
  const run = async (job: Job): Promise<number> => {
    let sum = job.data.own;
    for (const read of Object.values(await job.getChildrenValues())) sum += read;
    return sum % PRIME;
  };
  const worker = new bullmq.Worker(QUEUE, run, { connection, concurrency: CONCURRENCY });
  await worker.waitUntilReady();
  process.send?.('ready');
  process.on('disconnect', () => process.exit());
}

const flow = (own: number, children: Flow[] = []): Flow => ({
  name: 'add',
  queueName: QUEUE,
  data: { own },
  children,
});

function flowOf(shape: string, tasks: number): Flow {
  if (shape === 'merge')
    return flow(
      1,
      Array.from({ length: tasks - 1 }, () => flow(1)),
    );
  if (shape === 'chain') {
    let last = flow(1);
    for (let i = 1; i < tasks; i++) last = flow(1, [last]);
    return last;
  }
  let level = Array.from({ length: (tasks + 1) / 2 }, () => flow(1));
  while (level.length > 1) {
    const below = level;
    level = Array.from({ length: below.length / 2 }, (_, i) =>
      flow(1, below.slice(2 * i, 2 * i + 2)),
    );
  }
  return level[0] as Flow;
}

async function client(): Promise<void> {
  const workers: ChildProcess[] = [];
  for (let i = 0; i < WORKERS; i++) {
    const child = fork(fileURLToPath(import.meta.url), [folder, port, 'worker']);
    await new Promise((resolve) => child.once('message', resolve));
    workers.push(child);
  }
  const queue = new bullmq.Queue(QUEUE, { connection });
  const events = new bullmq.QueueEvents(QUEUE, { connection });
  const flows = new bullmq.FlowProducer({ connection });
  await events.waitUntilReady();
  let onDone: (value: number) => void = () => {};
  events.on('completed', ({ returnvalue }) => onDone(Number(returnvalue)));
  /** Counts results until all are there. */
  const collect = (count: number): Promise<number> =>
    new Promise((resolve) => {
      let [seen, sum] = [0, 0];
      onDone = (value) => {
        sum += value;
        if (++seen === count) resolve(sum % PRIME);
      };
    });
  const options = { removeOnComplete: true };
  // A job that is waited for by its id must still be there.
  const kept = { removeOnComplete: { count: 1_000 } };
  const run = async ({ shape, tasks }: Order): Promise<Report | Unable> => {
    switch (shape) {
      case 'map':
        return timed(async () => {
          const all = collect(tasks);
          for (let i = 0; i < tasks; i += BULK) {
            const length = Math.min(BULK, tasks - i);
            const jobs = Array.from({ length }, (_, j) => ({
              name: 'add',
              data: { own: i + j },
              opts: options,
            }));
            await queue.addBulk(jobs);
          }
          return all;
        });
      case 'submit':
        return timed(async () => {
          const all = collect(tasks);
          await Promise.all(
            Array.from({ length: tasks }, (_, i) => queue.add('add', { own: i }, options)),
          );
          return all;
        });
      case 'rtt':
        return timedOneByOne(tasks, async (i) =>
          Number(await (await queue.add('add', { own: i }, kept)).waitUntilFinished(events)),
        );
      case 'stencil':
        return { unable: 'a job of a flow has one parent' };
      default:
        return timed(async () => {
          const { job } = await flows.add(flowOf(shape, tasks));
          return Number(await job.waitUntilFinished(events));
        });
    }
  };
  const manifest = readFileSync(join(folder, 'node_modules/bullmq/package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  await serve(`bullmq ${version}, Node ${process.versions.node}`, run);
  await Promise.all([queue.close(), events.close(), flows.close()]);
  for (const child of workers) child.disconnect();
  process.exit();
}

await (role === 'worker' ? work() : client());
