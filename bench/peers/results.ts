/** The comparison as the page people read: bench/RESULTS.md. */
import { cpus, totalmem } from 'node:os';
import { format } from '../harness.js';
import { median } from '../stats.js';
import type { Cell, Comparison } from './compare.js';
import { SHAPES } from './shapes.js';

const GIB = 2 ** 30;
/** Ratios nearer to 1 than the noise of the run say nothing. */
const NOISE_LEAST = 1.1;

function cells(comparison: Comparison, shape: string, tasks: number): Cell[] {
  return comparison.cells.filter((each) => each.shape === shape && each.tasks === tasks);
}

function heddleOf(all: readonly Cell[]): number | undefined {
  const own = all.filter(({ peer }) => peer.startsWith('heddle')).flatMap(({ micros }) => micros);
  return own.length === 0 ? undefined : median(own);
}

function table(comparison: Comparison, shape: string, tasks: number): string[] {
  const all = cells(comparison, shape, tasks);
  if (all.length === 0) return [];
  const heddle = heddleOf(all);
  const lines = [
    '| | us per task | least – greatest | tasks/s | CPU us per task | times Heddle |',
    '|---|---:|---:|---:|---:|---:|',
  ];
  const sorted = [...all].sort((a, b) => (median(a.micros) || 1e12) - (median(b.micros) || 1e12));
  for (const { peer, micros, cpuMicros, unable } of sorted) {
    if (unable !== undefined) {
      lines.push(`| ${peer} | cannot: ${unable} | | | | |`);
      continue;
    }
    const value = median(micros);
    const spread = `${format(Math.min(...micros))} – ${format(Math.max(...micros))}`;
    const times = heddle === undefined ? '' : format(value / heddle);
    const rate = format(1e6 / value);
    lines.push(
      `| ${peer} | ${format(value)} | ${spread} | ${rate} | ${format(median(cpuMicros))} | ${times} |`,
    );
  }
  return lines;
}

/** How far apart two sets of runs of the same program are, at worst over all shapes. */
function noise(comparison: Comparison): number | undefined {
  const ratios = comparison.cells
    .filter(({ peer }) => peer === 'heddle')
    .flatMap((own) => {
      const again = cells(comparison, own.shape, own.tasks).find(
        ({ peer }) => peer === 'heddle again',
      );
      if (again === undefined) return [];
      const ratio = median(again.micros) / median(own.micros);
      return [Math.max(ratio, 1 / ratio)];
    });
  return ratios.length === 0 ? undefined : Math.max(...ratios);
}

/** Rows in which somebody is faster than Heddle by more than the noise. */
function losses(comparison: Comparison): string[] {
  const least = Math.max(NOISE_LEAST, noise(comparison) ?? 1);
  const lines: string[] = [];
  for (const { shape, tasks, large } of SHAPES) {
    for (const size of large === undefined ? [tasks] : [tasks, large]) {
      const all = cells(comparison, shape, size);
      const heddle = heddleOf(all);
      if (heddle === undefined) continue;
      for (const { peer, micros } of all) {
        const value = median(micros);
        if (!peer.startsWith('heddle') && heddle / value > least) {
          lines.push(
            `- \`${shape}\`, ${format(size)}: ${peer} ${format(value)} us, Heddle ${format(heddle)} us ` +
              `(${format(heddle / value)} times as long).`,
          );
        }
      }
    }
  }
  return lines.length > 0 ? lines : ['- Nothing in this run by more than its noise.'];
}

/** The whole page. */
export function markdown(comparison: Comparison): string {
  const { rounds, versions, missing } = comparison;
  const processors = cpus();
  const measured = noise(comparison);
  const lines = [
    '# Results beside peers',
    '',
    'Written by `npm run bench:peers`; how it is measured: [README.md](README.md). Absolute figures belong to one',
    'machine; ratios within a table are what to look at.',
    '',
    `- Machine: ${processors.length} × ${processors[0]?.model ?? 'unknown'}, ${format(totalmem() / GIB)} GiB, Linux.`,
    `- Two workers each. ${rounds} rounds, peers taking turns; medians, with least and greatest.`,
    ...Object.entries(versions).map(([name, version]) => `- ${name}: ${version}.`),
    ...Object.entries(missing).map(([name, reason]) => `- ${name}: not run. ${reason}.`),
    measured === undefined
      ? '- Noise: not measured (Heddle ran once per round).'
      : `- Noise: Heddle's two sets of runs differ by a factor of ${format(measured)} at worst.`,
    '',
    '## What Heddle loses',
    '',
    ...losses(comparison),
    '',
  ];
  for (const { shape, tasks, large, what } of SHAPES) {
    for (const size of large === undefined ? [tasks] : [tasks, large]) {
      const rows = table(comparison, shape, size);
      if (rows.length === 0) continue;
      lines.push(`## ${shape}, ${size.toLocaleString('en-US')}`, '', `${what}.`, '', ...rows, '');
    }
  }
  return `${lines.join('\n').trimEnd()}\n`;
}
