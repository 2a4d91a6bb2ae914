/**
 * Log-linear histograms: a bucket is a sixteenth of an octave, so a figure read back is within 6 % of what was
 * recorded. The scheduler's (`crates/heddle-server/src/stages.rs`) have the same buckets.
 */

const SUB = 16;
const SUB_BITS = 4;
/** Values from 2^40 on share the last bucket: 18 minutes, in nanoseconds. */
const BITS_MAX = 40;
/** Buckets of a histogram. */
export const BUCKETS = (BITS_MAX - SUB_BITS + 1) * SUB;
const VALUE_MAX = 2 ** BITS_MAX - 1;
const TWO_30 = 2 ** 30;

/** The bucket of a value; what is negative or no number counts as 0. */
export function bucketOf(value: number): number {
  if (!(value >= SUB)) return value > 0 ? value | 0 : 0;
  const v = Math.min(value, VALUE_MAX);
  // Bit operations see 32 bits: of larger values the upper ones say enough.
  if (v < TWO_30) {
    const octave = 32 - Math.clz32(v) - SUB_BITS;
    return octave * SUB + ((v | 0) >>> (octave - 1)) - SUB;
  }
  const high = (v / TWO_30) | 0;
  const octave = 30 + 32 - Math.clz32(high) - SUB_BITS;
  return octave * SUB + Math.floor(v / 2 ** (octave - 1)) - SUB;
}

/** The least value of a bucket. */
export function lowerOf(bucket: number): number {
  const octave = Math.floor(bucket / SUB);
  const sub = bucket % SUB;
  return octave === 0 ? sub : (SUB + sub) * 2 ** (octave - 1);
}

/** A histogram as it travels: the buckets that are not empty. */
export interface HistogramData {
  readonly count: number;
  readonly sum: number;
  readonly max: number;
  readonly buckets: readonly { readonly from: number; readonly count: number }[];
}

/** How often values of each size were seen. */
export class Histogram {
  readonly counts = new Float64Array(BUCKETS);
  count = 0;
  sum = 0;
  max = 0;

  /** Adds a value, `times` over. */
  record(value: number, times = 1): void {
    const bucket = bucketOf(value);
    this.counts[bucket] = (this.counts[bucket] as number) + times;
    this.count += times;
    this.sum += value * times;
    if (value > this.max) this.max = value;
  }

  /** The non-empty buckets. */
  data(): HistogramData {
    const buckets: { from: number; count: number }[] = [];
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = this.counts[bucket] as number;
      if (count > 0) buckets.push({ from: lowerOf(bucket), count });
    }
    return { count: this.count, sum: this.sum, max: this.max, buckets };
  }
}

/** An empty histogram. */
export const NO_DATA: HistogramData = Object.freeze({ count: 0, sum: 0, max: 0, buckets: [] });

/** What `later` has counted beyond `earlier`; its `max` is that of its highest bucket. */
export function difference(later: HistogramData, earlier: HistogramData): HistogramData {
  const before = new Map(earlier.buckets.map(({ from, count }) => [from, count]));
  const buckets = later.buckets
    .map(({ from, count }) => ({ from, count: count - (before.get(from) ?? 0) }))
    .filter(({ count }) => count > 0);
  const highest = buckets.at(-1);
  const max = highest === undefined ? 0 : Math.min(later.max, above(highest.from));
  return {
    count: Math.max(0, later.count - earlier.count),
    sum: Math.max(0, later.sum - earlier.sum),
    max,
    buckets,
  };
}

/** The value that a share of all values does not exceed, 0 < `share` ≤ 1; 0 of an empty histogram. */
export function quantile(data: HistogramData, share: number): number {
  let rest = Math.ceil(data.count * share);
  for (const { from, count } of data.buckets) {
    rest -= count;
    if (rest <= 0) return Math.min((from + above(from)) / 2, data.max);
  }
  return data.max;
}

/** Mean of the values; 0 of an empty histogram. */
export function mean(data: HistogramData): number {
  return data.count === 0 ? 0 : data.sum / data.count;
}

function above(from: number): number {
  return lowerOf(bucketOf(from) + 1);
}
