/** METG(50 %) of a stencil four wide on two lanes: Heddle's, and pools' whose caller keeps the graph. */
import { fileURLToPath } from 'node:url';
import { LocalCluster } from 'heddle';
import { Piscina } from 'piscina';
import { FixedClusterPool } from 'poolifier';
import { cellsOf, spinsPerUs } from '../cells.js';
import { WORKERS } from '../cluster.js';
import type { Case, Session, Size } from '../harness.js';
import { metg, sweep } from '../metg.js';
import { onHeddle, onPool, type PoolCall, type RunCells } from '../run_cells.js';
import { type Shape, shapeNamed } from '../shapes.js';

const WIDTH = 4;
const STEPS: Record<Size, number> = { smoke: 20, full: 250 };
/** Bodies in us, from well above anyone's figure to where nothing but overhead is left. */
const DURATIONS: Record<Size, readonly number[]> = {
  smoke: [2_000, 1],
  full: [1_024, 512, 256, 128, 64, 32, 16, 8, 4, 2, 1],
};
/** Graphs run before anything counts: code is compiled by then. */
const WARM_RUNS: Record<Size, number> = { smoke: 1, full: 40 };
/** Points this fine or finer are short: the best of so many runs counts. */
const REPEATS: Record<Size, number> = { smoke: 1, full: 3 };

/** The best rate seen by anyone in this process: peers are measured against the same machine. */
let best = 0;

const workerFile = (name: string): string =>
  fileURLToPath(new URL(`../workers/${name}`, import.meta.url));

async function round(run: RunCells, size: Size): Promise<number> {
  const shape = shapeNamed('stencil_1d') as Shape;
  const graph = { width: WIDTH, steps: STEPS[size] };
  const turns = spinsPerUs();
  const points = await sweep(DURATIONS[size], async (durationUs) => {
    const spins = Math.round(durationUs * turns);
    const cells = cellsOf(shape, graph, { spins });
    let seconds = Number.POSITIVE_INFINITY;
    for (let i = 0; i < (durationUs > 256 ? 1 : REPEATS[size]); i++) {
      seconds = Math.min(seconds, await run(cells, 16));
    }
    const granularityUs = (seconds * 1e6 * WORKERS) / cells.length;
    return { granularityUs, rate: spins / granularityUs };
  });
  best = Math.max(best, ...points.map(({ rate }) => rate));
  const figure = metg(points, best);
  // Smoke sizes are too short for half of anything: that the sweep ran and every input was checked is what counts.
  return size === 'smoke' ? (points[0]?.granularityUs ?? Number.NaN) : figure;
}

function metgCase(
  name: string,
  open: () => Promise<{ run: RunCells; close(): Promise<void> }>,
): Case {
  return {
    name,
    unit: 'us',
    async open(size): Promise<Session> {
      const { run, close } = await open();
      const warm = cellsOf(
        shapeNamed('stencil_1d') as Shape,
        { width: WIDTH, steps: 50 },
        { spins: 100 },
      );
      for (let i = 0; i < WARM_RUNS[size]; i++) await run(warm, 16);
      return { round: async () => ({ value: await round(run, size) }), close };
    },
  };
}

/** In the order of the report. */
export const METG_CASES: readonly Case[] = [
  metgCase('metg.stencil_1d', async () => {
    // Lanes of one worker, as on one host: what a lane makes for another never leaves the process.
    const cluster = await LocalCluster.start({ workers: 1, lanesPerWorker: WORKERS });
    const client = await cluster.connect();
    return { run: onHeddle(client), close: () => cluster.close() };
  }),
  metgCase('peer.piscina.metg', async () => {
    const pool = new Piscina({
      filename: workerFile('piscina_cell.js'),
      minThreads: WORKERS,
      maxThreads: WORKERS,
      concurrentTasksPerWorker: WIDTH / WORKERS,
      recordTiming: false,
      idleTimeout: Number.POSITIVE_INFINITY,
    });
    return { run: onPool((call) => pool.run(call)), close: () => pool.destroy() };
  }),
  metgCase('peer.poolifier.metg', async () => {
    const pool = new FixedClusterPool<PoolCall, number>(WORKERS, workerFile('poolifier_cell.cjs'));
    return { run: onPool((call) => pool.execute(call)), close: async () => pool.destroy() };
  }),
];
