/** One case made from options: any shape of the catalogue, in any mode. */
import { type Client, type LazyNode, lazy } from 'heddle';
import { cellsOf, rootsOf, spinsPerUs } from '../cells.js';
import { joinCluster, leaveCluster, WORKERS } from '../cluster.js';
import { perTask } from '../cpu.js';
import type { Case, Sample, Session } from '../harness.js';
import { native } from '../native.js';
import { onHeddle } from '../run_cells.js';
import { rowsOf, type Shape, type ShapeSize } from '../shapes.js';
import { sum } from '../tasks.js';
import { timeOnce } from '../time.js';
import { ZeroWorld } from '../zero_world.js';

/** Where a graph is run. */
export const MODES = ['engine', 'zero', 'real'] as const;

/** See {@link MODES}. */
export type Mode = (typeof MODES)[number];

/** What `--shape` and its companions say. */
export interface Wish {
  readonly shape: Shape;
  readonly mode: Mode;
  readonly size: ShapeSize;
  /** `real`: average length of a body in us. */
  readonly durationUs: number;
  /** `real`: see `Bodies`. */
  readonly imbalance: 0 | 1 | 2;
  /** `real`: bytes of a result. */
  readonly bytes: number;
  /** `zero`: worker processes. */
  readonly workers: number;
}

const TIMEOUT_MS = 300_000;

interface Csr {
  readonly offsets: Uint32Array;
  readonly indices: Uint32Array;
}

function csrOf(shape: Shape, size: ShapeSize): Csr {
  const offsets = [0];
  const indices: number[] = [];
  for (const { reads } of rowsOf(shape, size)) {
    for (const read of reads) indices.push(read);
    offsets.push(indices.length);
  }
  return { offsets: Uint32Array.from(offsets), indices: Uint32Array.from(indices) };
}

/** Engine alone; every result is compared with what its row should yield. */
function inEngine({ shape, size }: Wish): Session {
  const { offsets, indices } = csrOf(shape, size);
  return {
    async round(): Promise<Sample> {
      const run = native().BenchEngine.explicit(offsets, indices);
      let completed = 0;
      const seconds = await timeOnce(() => {
        completed = run.run();
      });
      if (completed !== run.tasks) throw new Error(`${completed} of ${run.tasks} tasks completed`);
      run.verify();
      return { value: completed / seconds };
    },
    close: async () => {},
  };
}

/** Zero-workers answer 1 and what a row reads; so does this, in the same order of additions. */
async function inZero({ shape, size, workers }: Wish): Promise<Session> {
  const rows = [...rowsOf(shape, size)];
  const expected: number[] = [];
  for (const { reads } of rows) {
    expected.push(reads.reduce((total, read) => total + (expected[read] as number), 1));
  }
  const roots = rootsOf(rows);
  const world = await ZeroWorld.start(workers);
  const run = async (client: Client): Promise<number> => {
    const node = lazy(sum) as (reads: LazyNode<number>[]) => LazyNode<number>;
    const nodes: LazyNode<number>[] = [];
    for (const { reads } of rows)
      nodes.push(node(reads.map((at) => nodes[at] as LazyNode<number>)));
    const wanted = roots.map((at) => nodes[at] as LazyNode<number>);
    const start = performance.now();
    const futures = client.with({ fuse: false }).compute(wanted);
    const values = (await client.gather(futures as never, { timeout: TIMEOUT_MS })) as number[];
    const seconds = (performance.now() - start) / 1_000;
    const wrong = values.findIndex((value, i) => value !== expected[roots[i] as number]);
    if (wrong >= 0) throw new Error(`row ${roots[wrong]} answered ${values[wrong]}`);
    client.release(futures as never);
    return seconds;
  };
  return {
    async round(): Promise<Sample> {
      const cpu = world.cpu();
      const seconds = await run(world.client);
      return { value: rows.length / seconds, beside: perTask(cpu, world.cpu(), rows.length) };
    },
    close: () => world.close(),
  };
}

/** Node workers; every task checks the producers of its inputs. */
async function inReal({ shape, size, durationUs, imbalance, bytes }: Wish): Promise<Session> {
  const spins = Math.round(durationUs * spinsPerUs());
  const cells = cellsOf(shape, size, { spins, imbalance });
  const { client } = await joinCluster();
  const run = onHeddle(client);
  await run(cellsOf(shape, { width: Math.min(size.width, 64), steps: 2 }, { spins: 1 }), bytes);
  return {
    async round(): Promise<Sample> {
      const seconds = await run(cells, bytes);
      const granularityUs = (seconds * 1e6 * WORKERS) / cells.length;
      const total = cells.reduce((turns, cell) => turns + cell.spins, 0);
      const percent = (total / spinsPerUs() / 1e6 / (seconds * WORKERS)) * 100;
      return { value: cells.length / seconds, beside: { granularityUs, efficiency: percent } };
    },
    close: leaveCluster,
  };
}

/** The case that the options describe. */
export function adhocCase(wish: Wish): Case {
  const open = { engine: inEngine, zero: inZero, real: inReal }[wish.mode];
  return {
    name: `${wish.mode}.${wish.shape.name}`,
    unit: 'tasks/s',
    open: async () => open(wish),
  };
}
