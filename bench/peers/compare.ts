/** Runs every shape on every peer, the peers taking turns, and keeps all figures. */
import type { Measured } from './peer.js';
import type { Entrant, Open } from './roster.js';
import { expected, SHAPES, type ShapeRow } from './shapes.js';

/** One peer's figures for one shape and size. */
export interface Cell {
  readonly shape: string;
  readonly tasks: number;
  readonly peer: string;
  /** us per task (`rtt`: per call), a run each. */
  readonly micros: number[];
  /** CPU time of all its processes, us per task, a run each. */
  readonly cpuMicros: number[];
  /** Why there are no figures. */
  unable?: string;
}

/** All that one run of the comparison found out. */
export interface Comparison {
  readonly rounds: number;
  readonly versions: Record<string, string>;
  /** Peers that could not be had. */
  readonly missing: Record<string, string>;
  readonly cells: Cell[];
}

/** The shapes and sizes a peer runs. */
export function sizes(row: ShapeRow, fast: boolean): number[] {
  return row.large !== undefined && fast ? [row.tasks, row.large] : [row.tasks];
}

/** Figures of a peer that is started for a round and ended after it: an idle one would cost the others CPU time. */
async function round(entrant: Entrant, open: Open, comparison: Comparison): Promise<void> {
  for (const row of SHAPES) {
    for (const tasks of sizes(row, entrant.fast)) {
      const cell = cellOf(comparison, row.shape, tasks, entrant.name);
      // A small run first: code is loaded and compiled, functions are shipped.
      await open.peer.run({ shape: row.shape, tasks: warmUp(row) });
      const report = await open.peer.run({ shape: row.shape, tasks });
      if ('unable' in report) cell.unable = report.unable;
      else enter(cell, row, report);
    }
  }
}

/** A small size every shape allows: a power of two less one, and a multiple of the stencil's width beside it. */
function warmUp({ shape }: ShapeRow): number {
  return shape === 'tree' ? 127 : shape === 'rtt' ? 10 : 128;
}

function enter(cell: Cell, row: ShapeRow, report: Measured): void {
  const right = expected(row.shape, cell.tasks);
  if (report.answer % 1_000_003 !== right) {
    throw new Error(
      `${cell.peer}, ${row.shape} of ${cell.tasks}: answered ${report.answer}, ${right} is right`,
    );
  }
  const per = row.shape === 'rtt' ? 1 : cell.tasks;
  cell.micros.push((report.seconds * 1e6) / per);
  cell.cpuMicros.push((report.cpuSeconds * 1e6) / cell.tasks);
}

function cellOf(comparison: Comparison, shape: string, tasks: number, peer: string): Cell {
  const found = comparison.cells.find(
    (each) => each.shape === shape && each.tasks === tasks && each.peer === peer,
  );
  if (found !== undefined) return found;
  const cell: Cell = { shape, tasks, peer, micros: [], cpuMicros: [] };
  comparison.cells.push(cell);
  return cell;
}

/** @param rounds each starts one peer later than the one before */
export async function compareAll(
  entrants: readonly Entrant[],
  rounds: number,
  say: (line: string) => void,
): Promise<Comparison> {
  const comparison: Comparison = { rounds, versions: {}, missing: {}, cells: [] };
  const ready: { entrant: Entrant; start: () => Promise<Open> }[] = [];
  for (const entrant of entrants) {
    const found = entrant.prepare();
    if ('ok' in found) ready.push({ entrant, start: found.ok });
    else comparison.missing[entrant.name] = found.missing;
  }
  for (let i = 0; i < rounds; i++) {
    for (let k = 0; k < ready.length; k++) {
      const { entrant, start } = ready[(i + k) % ready.length] as (typeof ready)[number];
      const begin = performance.now();
      const open = await start();
      try {
        comparison.versions[entrant.name] = await open.peer.ready();
        await round(entrant, open, comparison);
      } finally {
        await open.close();
      }
      const seconds = (performance.now() - begin) / 1_000;
      say(`round ${i + 1}/${rounds}  ${entrant.name}  ${seconds.toFixed(1)} s`);
    }
  }
  return comparison;
}
