/** Heddle's program in the comparison: two worker processes of one lane, an embedded scheduler. */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { type Client, type LazyNode, LocalCluster, lazy } from 'heddle';
import { type Order, type Report, serve, timed, timedOneByOne } from '../protocol.js';
import { PRIME, STENCIL_WIDTH } from '../shapes.js';
import { add } from './tasks.js';

const WORKERS = 2;
const node = lazy(add) as (own: number, ...reads: LazyNode<number>[]) => LazyNode<number>;

function total(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum % PRIME;
}

function tree(tasks: number): LazyNode<number> {
  let level = Array.from({ length: (tasks + 1) / 2 }, () => node(1));
  while (level.length > 1) {
    const below = level;
    level = Array.from({ length: below.length / 2 }, (_, i) =>
      node(1, below[2 * i] as LazyNode<number>, below[2 * i + 1] as LazyNode<number>),
    );
  }
  return level[0] as LazyNode<number>;
}

function chain(tasks: number): LazyNode<number> {
  let last = node(1);
  for (let i = 1; i < tasks; i++) last = node(1, last);
  return last;
}

function stencil(tasks: number): LazyNode<number>[] {
  let row = Array.from({ length: STENCIL_WIDTH }, () => node(1));
  for (let step = 1; step < tasks / STENCIL_WIDTH; step++) {
    const last = row;
    row = last.map((_, i) => node(1, ...last.slice(Math.max(0, i - 1), i + 2)));
  }
  return row;
}

async function computed(client: Client, roots: LazyNode<number>[]): Promise<number> {
  // Every task counts: a fused line would be one.
  const futures = client.with({ fuse: false }).compute(roots);
  const values = await client.gather(futures as never);
  client.release(futures as never);
  return total(values as number[]);
}

async function run(client: Client, { shape, tasks }: Order): Promise<Report> {
  switch (shape) {
    case 'map':
      return timed(async () => {
        const futures = client.map(
          add,
          Array.from({ length: tasks }, (_, i) => i),
        );
        const values = await client.gather(futures);
        client.release(futures);
        return total(values);
      });
    case 'submit':
      return timed(async () => {
        const futures = Array.from({ length: tasks }, (_, i) => client.submit(add, i));
        const values = await client.gather(futures);
        client.release(futures);
        return total(values);
      });
    case 'merge':
      return timed(async () => {
        const leaves = Array.from({ length: tasks - 1 }, () => node(1));
        return computed(client, [node(1, ...leaves)]);
      });
    case 'tree':
      return timed(() => computed(client, [tree(tasks)]));
    case 'chain':
      return timed(() => computed(client, [chain(tasks)]));
    case 'stencil':
      return timed(() => computed(client, stencil(tasks)));
    case 'rtt':
      return timedOneByOne(tasks, (i) => client.submit(add, i).result());
  }
}

const cluster = await LocalCluster.start({ workers: WORKERS });
try {
  const client = await cluster.connect();
  const { version } = JSON.parse(
    readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  await serve(`heddle ${version}, Node ${process.versions.node}`, (order) => run(client, order));
  await client.close();
} finally {
  await cluster.close();
}
