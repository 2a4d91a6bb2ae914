/** The figures Heddle sets itself, as ratios within one run wherever a ratio can be had. */
import { format, type Result } from './harness.js';

interface Target {
  readonly of: string;
  /** A figure measured beside it instead of its own. */
  readonly beside?: string;
  /** Case that `of` is divided by; without one, the figure itself counts. */
  readonly by?: string;
  readonly least?: number;
  readonly most?: number;
}

/** Absolute ones are for a server core of 2026. */
const TARGETS: readonly Target[] = [
  { of: 'zero.merge', by: 'peer.poolifier', least: 15 },
  { of: 'zero.merge', by: 'floor.loop', least: 0.4 },
  { of: 'zero.tree', by: 'peer.poolifier', least: 15 },
  { of: 'zero.tree', by: 'floor.loop', least: 0.4 },
  { of: 'e2e.map', by: 'peer.poolifier', least: 10 },
  { of: 'e2e.map', by: 'floor.loop', least: 0.5 },
  { of: 'e2e.submit', by: 'peer.poolifier', least: 5 },
  { of: 'e2e.chain', most: 5 },
  { of: 'e2e.rtt', by: 'floor.rtt', most: 2.5 },
  { of: 'e2e.rtt', beside: 'idlePercent', most: 2 },
  { of: 'metg.stencil_1d', most: 80 },
  { of: 'metg.stencil_1d', by: 'peer.poolifier.metg', most: 0.25 },
  { of: 'engine.map', by: 'floor.walk.tree', most: 5 },
  { of: 'engine.tree', by: 'floor.walk.tree', most: 5 },
  { of: 'engine.random', by: 'floor.walk.random', most: 2 },
  { of: 'ingest.csr', most: 200 },
  { of: 'submit.layer', most: 3 },
  { of: 'submit.layer', beside: 'bytes', most: 1_024 },
  { of: 'submit.csr', most: 200 },
  { of: 'memory.layered', most: 4 },
  { of: 'memory.explicit', most: 100 },
  { of: 'memory.held', most: 200 },
  { of: 'growth.zero', most: 1.15 },
  { of: 'growth.inproc', most: 1.15 },
  { of: 'shuffle.setindex', most: 6 },
];

/** Pairs of which the first is a floor: what beats its floor shows a defect in the floor. */
const FLOORS: readonly (readonly [floor: string, of: string, lessIsBetter: boolean])[] = [
  ['floor.walk.tree', 'engine.tree', true],
  ['floor.walk.random', 'engine.random', true],
  ['floor.loop', 'e2e.map', false],
  ['floor.rtt', 'e2e.rtt', true],
];

/** One line for each target both of whose cases were run, and for each floor that was beaten. */
export function compare(results: ReadonlyMap<string, Result>): string[] {
  const lines: string[] = [];
  for (const { of, beside, by, least, most } of TARGETS) {
    const over = results.get(of)?.[beside ?? 'median'];
    const under = by === undefined ? 1 : results.get(by)?.median;
    // Some systems do not tell what a figure beside needs.
    if (over === undefined || under === undefined || Number.isNaN(over)) continue;
    const ratio = Number(over) / under;
    const met = ratio >= (least ?? 0) && ratio <= (most ?? Number.POSITIVE_INFINITY);
    const bound = least === undefined ? `at most ${most}` : `at least ${least}`;
    const what = by === undefined ? `${of}${beside ? ` ${beside}` : ''}` : `${of} / ${by}`;
    lines.push(`${met ? 'met   ' : 'MISSED'}  ${what} = ${format(ratio)} (${bound})`);
  }
  for (const [floor, of, less] of FLOORS) {
    const bottom = results.get(floor)?.median;
    const figure = results.get(of)?.median;
    if (bottom === undefined || figure === undefined) continue;
    if (less ? figure < bottom : figure > bottom) {
      lines.push(`DEFECT  ${of} beats its floor ${floor}: the floor is not one`);
    }
  }
  return lines;
}
