// The catalogue of graphs, METG, charts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellsOf, checkCell, rootsOf } from '#heddle/bench/cells.js';
import { metg, sweep } from '#heddle/bench/metg.js';
import { onPool, type PoolCall } from '#heddle/bench/run_cells.js';
import { randomEdges, rowsOf, SHAPES, type Shape, shapeNamed } from '#heddle/bench/shapes.js';
import { chartSvg } from '#heddle/bench/svg.js';
import kernel from '#heddle/bench/workers/kernel.cjs';

const SIZE = { width: 16, steps: 8 };
const named = (name: string): Shape => shapeNamed(name) as Shape;

test('rows of every shape read different rows of the layer before, the same every time', () => {
  for (const shape of SHAPES) {
    const rows = [...rowsOf(shape, SIZE)];
    const steps = rows.map(({ step }) => step);
    for (const [at, { step, reads }] of rows.entries()) {
      assert.equal(new Set(reads).size, reads.length, `${shape.name} ${at}`);
      for (const read of reads) assert.equal(steps[read], step - 1, `${shape.name} ${at}`);
    }
    assert.deepEqual([...rowsOf(shape, SIZE)], rows, shape.name);
  }
});

test('shapes are what their names say', () => {
  const reads = (name: string, at: number): readonly number[] =>
    [...rowsOf(named(name), SIZE)][at]?.reads ?? [];
  assert.deepEqual(reads('merge', 128), [...Array(128).keys()]);
  assert.deepEqual(reads('tree', 128), [0, 1]);
  assert.deepEqual(reads('chain', 17), [1]);
  assert.deepEqual(reads('stencil_1d', 16), [0, 1]);
  assert.deepEqual(reads('stencil_1d', 17), [0, 1, 2]);
  assert.deepEqual(reads('fft', 20), [4, 3, 5]);
  assert.deepEqual(reads('nearest-5', 21), [3, 4, 5, 6, 7]);
  assert.equal(reads('spread-5', 20).length, 5);
  assert.equal(reads('all-to-all', 31).length, 16);
  assert.deepEqual(reads('load-map-reduce', 256), [128, 129, 130, 131, 132, 133, 134, 135]);
  const random = [...rowsOf(named('random-nearest'), { width: 100, steps: 100 })];
  const edges = random.reduce((sum, row) => sum + row.reads.length, 0);
  assert.ok(edges > 22_000 && edges < 27_000, `${edges} edges`);
});

test('random edges are CSR: each row after the first reads two before it', () => {
  const { tasks, offsets, indices } = randomEdges(1_000);
  assert.equal(offsets.length, tasks + 1);
  assert.equal(offsets[tasks], indices.length);
  for (let row = 0; row < tasks; row++) {
    const reads = indices.subarray(offsets[row], offsets[row + 1]);
    assert.equal(reads.length, row === 0 ? 0 : 2);
    for (const read of reads) assert.ok(read < row);
  }
});

test('a cell refuses results of others than those it reads', async () => {
  const cells = cellsOf(named('stencil_1d'), { width: 4, steps: 3 }, { spins: 1 });
  assert.deepEqual(rootsOf(cells), [8, 9, 10, 11]);
  assert.equal(kernel.cell(6, 0, 1 + 2 + 3, 16, 1, 2, 3), 6);
  assert.throws(() => kernel.cell(6, 0, 1 + 2 + 3, 16, 1, 2, 4), /task 6 was given the wrong/);
  assert.throws(() => checkCell(5, 7), /row 5 answered 7/);
  checkCell(5, kernel.cell(6, 0, 0, 64));
  let calls = 0;
  const run = onPool(async (call: PoolCall) => {
    calls++;
    return kernel.cellOf(call);
  });
  await run(cells, 4_096);
  assert.equal(calls, cells.length);
  const wrong = onPool(async ([spec, reads]: PoolCall) =>
    kernel.cellOf([spec, reads.map(() => 1)] as PoolCall),
  );
  await assert.rejects(wrong(cells, 16), /was given the wrong results/);
});

test('imbalance keeps the average', () => {
  for (const imbalance of [0, 1, 2] as const) {
    const cells = cellsOf(named('map'), { width: 1_000, steps: 8 }, { spins: 1_000, imbalance });
    const mean = cells.reduce((sum, { spins }) => sum + spins, 0) / cells.length;
    assert.ok(Math.abs(mean - 1_000) < 20, `imbalance ${imbalance}: ${mean}`);
  }
});

test('METG lies where efficiency passes one half', async () => {
  // 30 us of overhead beside every body on a machine of rate 1: half of the time at bodies of 30 us.
  const asked: number[] = [];
  const points = await sweep([256, 128, 64, 32, 16, 8, 4], async (us) => {
    asked.push(us);
    return { granularityUs: us + 30, rate: us / (us + 30) };
  });
  assert.deepEqual(asked, [256, 128, 64, 32, 16, 8]);
  assert.ok(Math.abs(metg(points, 1) - 60) < 1, `${metg(points, 1)}`);
  assert.ok(metg(points, 1, 0.8) > 140);
  assert.ok(Number.isNaN(metg(points.slice(0, 2), 1)));
});

test('a chart is an SVG with every line and no markup from its words', () => {
  const svg = chartSvg({
    title: 'a < b & c',
    x: 'workers',
    y: 'ns',
    lines: [
      {
        name: 'one',
        points: [
          [1, 100],
          [24, 110],
          [1_512, 115],
        ],
      },
      { name: 'two', points: [[1, 50]] },
    ],
  });
  assert.match(svg, /^<svg [^>]*viewBox/);
  assert.match(svg, /a &lt; b &amp; c/);
  assert.match(svg, /prefers-color-scheme: dark/);
  assert.equal(svg.match(/<circle/g)?.length, 4);
  assert.ok(!/NaN|Infinity|undefined/.test(svg), svg);
});
