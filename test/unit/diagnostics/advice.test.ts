// What the figures of a run advise: each piece of advice with its cause, none without.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advise } from '#heddle/diagnostics/advice.js';
import type { ExplanationData } from '#heddle/diagnostics/explanation.js';
import { Histogram, NO_DATA } from '#heddle/diagnostics/histogram.js';
import { LargeArguments, largestPath } from '#heddle/diagnostics/large_arguments.js';
import { renderExplanation } from '#heddle/diagnostics/render.js';

const stages = {
  ...{ describe: NO_DATA, clientEncode: NO_DATA, transfer: NO_DATA, decode: NO_DATA },
  ...{ ingest: NO_DATA, apply: NO_DATA, encode: NO_DATA, send: NO_DATA },
  ...{ queue: NO_DATA, wire: NO_DATA, fetch: NO_DATA, run: NO_DATA, report: NO_DATA },
  ...{ assignRecords: NO_DATA, doneRecords: NO_DATA, queuedRows: NO_DATA },
};

function runOf(changes: Partial<ExplanationData>): ExplanationData {
  return {
    ...{ format: 'heddle-run', version: '0', tasks: 1_000, failed: 0, attempts: 1_000 },
    ...{ workers: 2, lanes: 4, activeSeconds: 1, compute: 3.9, overheadUs: 2, runUs: 4_000 },
    questions: { describe: 0.1, communicate: 0.2, process: 0.05, dispatch: 0.3 },
    costs: [{ name: 'workers: main threads', seconds: 0.3 }],
    ...{ engineBusy: 0.1, lanesIdle: 0.02, starved: 0, queued: 3 },
    bytes: { toScheduler: 1, fromScheduler: 1, betweenWorkers: 0 },
    ...{ fusion: { before: 0, after: 0 }, large: [], stages, advice: [] },
    ...changes,
  };
}

const about = (changes: Partial<ExplanationData>): string[] =>
  advise(runOf(changes)).map((advice) => advice.about);

function times(count: number, ns: number) {
  const histogram = new Histogram();
  histogram.record(ns, count);
  return histogram.data();
}

test('a run that is well has no advice', () => {
  assert.deepEqual(about({}), []);
  assert.match(renderExplanation(runOf({})), /Advice: none/);
});

test('each cause has its advice', () => {
  assert.deepEqual(about({ runUs: 1 }), ['tasks-too-small']);
  assert.deepEqual(about({ runUs: 1, tasks: 9 }), []);
  assert.deepEqual(about({ engineBusy: 0.9 }), ['scheduler-busy']);
  assert.deepEqual(about({ starved: 0.5 }), ['lanes-starved']);
  assert.deepEqual(about({ lanesIdle: 0.9, queued: 0 }), ['lanes-starved']);
  assert.deepEqual(about({ lanesIdle: 0.9, queued: 0, activeSeconds: 0.001 }), []);
  assert.deepEqual(about({ queued: 4_000 }), ['queue-long']);
  const slow = { ...stages, fetch: times(10, 1e9), run: times(1_000, 4e6) };
  assert.deepEqual(about({ stages: slow }), ['transfer-bound']);
});

test('a large argument is named by its path and bytes', () => {
  const large = new LargeArguments();
  const args = [1, { options: { table: new Float64Array(50_000), depth: 3 }, name: 'x' }];
  assert.equal(largestPath(args, 1), 'arguments[2].options.table');
  assert.equal(largestPath([['a', 'b'.repeat(9_000)]]), 'arguments[0][1]');
  assert.equal(largestPath([Array.from({ length: 9_000 }, (_, i) => i)]), 'arguments[0]');
  large.note('score', args, 1, 400_100, 1, true);
  large.note('score', args, 1, 400_200, 9, true);
  const [entry] = large.list();
  assert.deepEqual(entry, {
    task: 'score',
    path: 'arguments[2].options.table',
    bytes: 400_200,
    tasks: 10,
    perTask: true,
  });
  const [advice] = advise(runOf({ large: large.list() }));
  assert.equal(advice?.about, 'argument-too-large');
  assert.match(advice?.text ?? '', /arguments\[2\]\.options\.table of score .*391 KiB.*10 tasks/);
});

test('the report shows what fusion removed', () => {
  const text = renderExplanation(runOf({ fusion: { before: 300, after: 100 } }));
  assert.match(text, /300 lazy calls were fused into 100 tasks/);
});
