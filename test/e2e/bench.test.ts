// The bench program as a whole, at its smallest size: every case runs, checks itself and reports.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(import.meta.resolve('#heddle/bench/main.js'));
const UNITS = new Set(['ns', 'tasks/s', 'us', 'ms', 's', 'B', 'x']);

function bench(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', timeout: 110_000 });
}

test('every case works at smoke size and is in the report', () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-test-'));
  try {
    const file = join(folder, 'figures.json');
    const names = (bench('--list').stdout.split('\n\n')[0] as string).trim().split('\n');
    const { status, stderr } = bench('--size', 'smoke', '--json', file);
    assert.equal(status, 0, stderr);
    const report = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    assert.match(String(report.commit), /^([0-9a-f]{40}|unknown)$/);
    assert.equal(typeof report.dirty, 'boolean');
    for (const name of names) {
      const figures = report[name] as { unit: string; median: number; runs: number[] };
      assert.ok(UNITS.has(figures.unit), name);
      assert.equal(figures.runs.length, 1, name);
      assert.ok(Number.isFinite(figures.median), `${name}: ${figures.median}`);
    }
    const rtt = report['e2e.rtt'] as { p99: number };
    assert.ok(Number.isFinite(rtt.p99));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('unknown cases and options are refused with the way out', () => {
  for (const args of [
    ['--only', 'engine.mop'],
    ['--size', 'huge'],
    ['--rounds', '0'],
    ['--what'],
    ['--shape', 'knot'],
    ['--shape', 'fft', '--mode', 'imaginary'],
    ['--shape', 'fft', '--output', '8'],
    ['--shape', 'fft', '--only', 'e2e.map'],
    ['--duration', '10'],
  ]) {
    const { status, stdout, stderr } = bench(...args);
    assert.equal(status, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  }
  assert.match(bench('--only', 'engine.mop').stderr, /there is no case 'engine\.mop'/);
});

test('a shape runs in every mode; sweeps are drawn', () => {
  for (const mode of ['engine', 'zero', 'real']) {
    const { status, stdout, stderr } = bench(
      ...['--size', 'smoke', '--shape', 'fft', '--mode', mode],
      ...['--width', '8', '--steps', '6'],
    );
    assert.equal(status, 0, stderr);
    assert.match(stdout, new RegExp(`^${mode}\\.fft +tasks/s`, 'm'));
  }
  const folder = mkdtempSync(join(tmpdir(), 'heddle-test-'));
  try {
    const { status, stdout, stderr } = bench('--size', 'smoke', '--scale', folder);
    assert.equal(status, 0, stderr);
    const files = stdout.trim().split('\n');
    assert.equal(files.length, 2);
    for (const file of files) assert.match(readFileSync(file, 'utf8'), /^<svg .*<\/svg>\n$/s);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
