// Folded stacks become an SVG whose frames are as wide as their share.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flameGraph } from '#heddle/diagnostics/flame_graph.js';

test('frames are as wide as their samples, and names are escaped', () => {
  const svg = flameGraph('t;a;b<u8> 30\nt;a;c 10\nt;d 60\nnonsense\nt;e -1\n', 'run & more');
  assert.match(svg, /run &amp; more: 100 samples/);
  assert.match(svg, /<title>a: 40 samples, 40\.0 %<\/title>/);
  assert.match(svg, /<title>b&lt;u8&gt;: 30 samples, 30\.0 %<\/title>/);
  const widths = [...svg.matchAll(/<title>(\w+)[^<]*<\/title><rect [^>]*width="([\d.]+)"/g)].map(
    ([, name, width]): [string, number] => [name as string, Number(width)],
  );
  const width = new Map(widths);
  assert.ok(Math.abs((width.get('d') ?? 0) / (width.get('t') ?? 1) - 0.6) < 0.01);
  assert.doesNotMatch(svg, /@|nonsense|NaN/);
  assert.match(flameGraph('', 'nothing'), /nothing: 0 samples/);
});
