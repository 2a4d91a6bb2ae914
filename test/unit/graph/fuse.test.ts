// Fusion of lazy calls: only lines, never what is asked for or shared.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LazyNode, lazy } from 'heddle';
import { chainsOf, FUSED_CALLS_MAX } from '#heddle/graph/fuse.js';
import { planOf } from '#heddle/graph/lazy.js';

const next = lazy((x: number) => x + 1);
const add = lazy((a: number, b: number) => a + b);
const always = (): boolean => true;

function sizes(roots: LazyNode<unknown>[], alike: () => boolean = always): number[] {
  return chainsOf(planOf(roots), new Set(roots), alike).map((chain) => chain.length);
}

test('a line is one task', () => {
  assert.deepEqual(sizes([next(next(next(1)))]), [3]);
});

test('what is asked for ends a chain', () => {
  const middle = next(next(1));
  assert.deepEqual(sizes([next(middle), middle]), [2, 1]);
});

test('what two read, and what one reads twice, is not fused', () => {
  const shared = next(1);
  assert.deepEqual(sizes([add(next(shared), next(shared))]), [1, 1, 1, 1]);
  assert.deepEqual(sizes([add(next(1), 2), add(shared, shared)]), [2, 1, 1]);
});

test('calls that differ in their options are not fused', () => {
  assert.deepEqual(
    sizes([next(next(1))], () => false),
    [1, 1],
  );
});

test('a long line becomes several tasks, each after the one it reads', () => {
  let node = next(0);
  for (let i = 1; i < 2 * FUSED_CALLS_MAX + 1; i++) node = next(node);
  assert.deepEqual(sizes([node]), [FUSED_CALLS_MAX, FUSED_CALLS_MAX, 1]);
});

test('every chain comes after the chains it reads', () => {
  const left = next(next(1));
  const top = next(add(next(left), next(next(left))));
  const plan = planOf([top]);
  const chains = chainsOf(plan, new Set([top]), always);
  const done = new Set<LazyNode<unknown>>();
  for (const chain of chains) {
    const first = plan.needs[plan.positions.get(chain[0] as LazyNode<unknown>) ?? 0];
    for (const need of first?.nodes ?? []) assert.ok(done.has(need));
    for (const node of chain) done.add(node);
  }
  assert.equal(done.size, plan.nodes.length);
});
