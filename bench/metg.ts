/**
 * METG(50 %) by Task Bench's definition: the least average granularity (wall time x cores / tasks) at which the tasks
 * still compute at half the best rate. Bodies are shortened while the graph stays the same; between the last point
 * above one half and the first below, granularity is interpolated.
 */

/** One point of a sweep. */
export interface Point {
  /** Average granularity in us: wall x cores / tasks. */
  readonly granularityUs: number;
  /** Turns of the loop per us and core. */
  readonly rate: number;
}

/**
 * Measures points from coarse to fine until two are below half of the best.
 *
 * @param durationsUs lengths of bodies, falling.
 * @param measure runs the graph with bodies of that many us.
 */
export async function sweep(
  durationsUs: readonly number[],
  measure: (durationUs: number) => Promise<Point>,
): Promise<Point[]> {
  const points: Point[] = [];
  let below = 0;
  for (const duration of durationsUs) {
    const point = await measure(duration);
    points.push(point);
    const best = Math.max(...points.map(({ rate }) => rate));
    if (point.rate < best / 2 && ++below === 2) break;
  }
  return points;
}

/**
 * METG in us; NaN when no point is below `share` of the best rate, or none above it.
 *
 * @param best the best rate there is on the machine, one for all whom the figure compares.
 */
export function metg(points: readonly Point[], best: number, share = 0.5): number {
  const efficiency = ({ rate }: Point): number => rate / best;
  const fine = [...points].sort((a, b) => a.granularityUs - b.granularityUs);
  const at = fine.findIndex((point) => efficiency(point) >= share);
  const [below, above] = [fine[at - 1], fine[at]];
  if (below === undefined || above === undefined) return Number.NaN;
  const part = (share - efficiency(below)) / (efficiency(above) - efficiency(below));
  return below.granularityUs + part * (above.granularityUs - below.granularityUs);
}
