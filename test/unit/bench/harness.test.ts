// The harness: rotation, statistics, one measured call, verdicts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Case, type Result, runCases } from '#heddle/bench/harness.js';
import { median, quantile } from '#heddle/bench/stats.js';
import { compare } from '#heddle/bench/targets.js';
import { inFlight, timeOnce } from '#heddle/bench/time.js';

const quiet = (): void => {};

function recorder(names: readonly string[], log: string[]): Case[] {
  return names.map((name, i) => ({
    name,
    unit: 'ns',
    async open() {
      log.push(`open ${name}`);
      let rounds = 0;
      return {
        async round() {
          log.push(name);
          return { value: 10 * i + rounds++, beside: { p99: 5 } };
        },
        async close() {
          log.push(`close ${name}`);
        },
      };
    },
  }));
}

test('each round measures every case once and starts one case later', async () => {
  const log: string[] = [];
  const results = await runCases(recorder(['a', 'b', 'c'], log), 'smoke', 3, quiet);
  const measured = log.filter((line) => !line.includes(' '));
  assert.deepEqual(measured, ['a', 'b', 'c', 'b', 'c', 'a', 'c', 'a', 'b']);
  assert.deepEqual(log.slice(-3), ['close a', 'close b', 'close c']);
  assert.deepEqual(results.get('b'), {
    unit: 'ns',
    median: 11,
    min: 10,
    max: 12,
    runs: [10, 11, 12],
    p99: 5,
  });
});

test('a case that fails is named, and everything opened is closed', async () => {
  const log: string[] = [];
  const broken: Case = {
    name: 'broken',
    unit: 's',
    async open() {
      return {
        async round() {
          throw new Error('wrong result');
        },
        async close() {
          log.push('close broken');
        },
      };
    },
  };
  const cases = [...recorder(['a'], log), broken];
  await assert.rejects(runCases(cases, 'smoke', 1, quiet), /broken failed/);
  assert.ok(log.includes('close a'));
  assert.ok(log.includes('close broken'));
});

test('medians and quantiles', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  assert.equal(quantile(hundred, 0.99), 99);
  assert.equal(quantile([7], 0.5), 7);
});

test('timing calls exactly once, and passes a failure on', async () => {
  let calls = 0;
  const seconds = await timeOnce(() => {
    calls++;
    const end = performance.now() + 5;
    while (performance.now() < end);
  });
  assert.equal(calls, 1);
  assert.ok(seconds >= 0.005, `${seconds} s`);
  await assert.rejects(
    timeOnce(() => {
      throw new RangeError('no');
    }),
    RangeError,
  );
});

test('calls in flight are as many as asked for, and answers are compared', async () => {
  let open = 0;
  let most = 0;
  await inFlight(100, 8, async (input) => {
    most = Math.max(most, ++open);
    await Promise.resolve();
    open--;
    return input;
  });
  assert.equal(most, 8);
  await assert.rejects(
    inFlight(10, 2, async (input) => input + 1),
    /input 0 came back as 1/,
  );
});

test('targets are judged when both their cases ran; a beaten floor is told', () => {
  const result = (value: number): Result => ({
    unit: 'us',
    median: value,
    min: value,
    max: value,
    runs: [value],
  });
  const lines = compare(
    new Map([
      ['e2e.rtt', result(90)],
      ['floor.rtt', result(100)],
      ['e2e.map', result(1)],
    ]),
  );
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? '', /^met +e2e\.rtt \/ floor\.rtt = 0\.900 \(at most 2\.5\)$/);
  assert.match(lines[1] ?? '', /^DEFECT +e2e\.rtt beats its floor/);
});
