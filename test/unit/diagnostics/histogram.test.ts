// Log-linear histograms: buckets tile the numbers, and figures read back are within a sixteenth.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BUCKETS,
  bucketOf,
  difference,
  Histogram,
  lowerOf,
  mean,
  NO_DATA,
  quantile,
} from '#heddle/diagnostics/histogram.js';

test('every value lies in its bucket, and no bucket is wider than a sixteenth of it', () => {
  const values: number[] = [];
  for (let v = 0; v < 5_000; v++) values.push(v);
  for (let bit = 12; bit < 40; bit++) values.push(2 ** bit - 1, 2 ** bit, 2 ** bit * 1.37);
  for (const value of values) {
    const bucket = bucketOf(value);
    const [low, high] = [lowerOf(bucket), lowerOf(bucket + 1)];
    assert.ok(low <= value && value < high, `${value} in bucket ${bucket}: ${low} to ${high}`);
    if (bucket >= 16) assert.ok((high - low) * 16 <= low, `bucket ${bucket}`);
  }
  assert.equal(bucketOf(2 ** 52), BUCKETS - 1);
  assert.equal(bucketOf(Number.POSITIVE_INFINITY), BUCKETS - 1);
  for (const odd of [-1, Number.NaN, 0]) assert.equal(bucketOf(odd), 0);
});

test('quantiles, means and differences', () => {
  const histogram = new Histogram();
  for (let v = 1; v <= 1_000; v++) histogram.record(v);
  const first = histogram.data();
  assert.equal(first.count, 1_000);
  assert.equal(mean(first), 500.5);
  for (const share of [0.1, 0.5, 0.9, 0.99]) {
    const found = quantile(first, share);
    assert.ok(Math.abs(found / (1_000 * share) - 1) < 0.07, `${share}: ${found}`);
  }
  histogram.record(1_000_000, 5);
  const since = difference(histogram.data(), first);
  assert.deepEqual([since.count, since.sum, since.buckets.length], [5, 5_000_000, 1]);
  assert.ok(quantile(since, 0.5) > 900_000 && quantile(since, 1) <= 1_000_000);
  assert.equal(quantile(NO_DATA, 0.5), 0);
  assert.deepEqual(difference(first, first).buckets, []);
});
