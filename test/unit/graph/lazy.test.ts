// Lazy graphs: order, sharing, cycles.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HeddleError, type LazyNode, lazy } from 'heddle';
import { planOf } from '#heddle/graph/lazy.js';

const load = (name: string): number[] => [name.length];
const sum = (...lists: number[][]): number => lists.flat().length;
const join = (options: { parts: number[] }): number => options.parts.length;

test('each node comes after what it needs, once', () => {
  const a = lazy(load)('a');
  const b = lazy(load)('b');
  const left = lazy(sum)(a, b);
  const right = lazy(sum)(b, a);
  const top = lazy(join)({ parts: [left, right, 3] });
  const { nodes, positions } = planOf([top, left]);
  assert.equal(nodes.length, 5);
  for (const [node, needs] of [
    [left, [a, b]],
    [right, [a, b]],
    [top, [left, right]],
  ] as [LazyNode<unknown>, LazyNode<unknown>[]][]) {
    for (const need of needs) {
      assert.ok((positions.get(need) as number) < (positions.get(node) as number));
    }
  }
});

test('a circle is refused and its path named', () => {
  const early: unknown[] = [];
  const first = lazy(function first(_: unknown[]): number {
    return 0;
  })(early);
  const second = lazy(function second(_: number): number {
    return 0;
  })(first);
  early.push({ inside: second });
  assert.throws(
    () => planOf([second]),
    (error: HeddleError) =>
      error.code === 'ERR_GRAPH_CYCLE' && /second → first → second/.test(error.message),
  );
});

test('graphs may be deeper than the stack', () => {
  const next = lazy((x: number) => x + 1);
  let node = next(0);
  for (let i = 0; i < 100_000; i++) node = next(node);
  assert.equal(planOf([node]).nodes.length, 100_001);
});
