/** An explanation as text. */
import type { ExplanationData } from './explanation.js';
import { formatBytes, formatMicros } from './format.js';
import { type HistogramData, mean, quantile } from './histogram.js';
import type { StageHistograms } from './snapshot.js';

const BAR = 24;
/** Costs below this share of the greatest are not listed. */
const COST_SHARE = 0.02;

/** Stages whose histograms are times in ns, as they follow each other, and what one entry is. */
const TIMED: readonly [keyof StageHistograms, string, string][] = [
  ['describe', 'describe', 'per call'],
  ['clientEncode', 'encode', 'per frame, client'],
  ['transfer', 'transfer', 'per graph, until it was accepted'],
  ['ingest', 'ingest', 'per frame'],
  ['apply', 'apply', 'per frame'],
  ['encode', 'encode', 'per turn, scheduler'],
  ['send', 'send', 'per turn'],
  ['wire', 'wire', 'one way, scheduler to worker'],
  ['fetch', 'fetch', 'per task that waited for inputs'],
  ['queue', 'queue', 'per batch, at its lane'],
  ['run', 'run', 'per task'],
  ['report', 'report', 'per Done frame'],
  ['decode', 'decode', 'per Update or gather'],
];
const SIZED: readonly [keyof StageHistograms, string][] = [
  ['assignRecords', 'records per Assign'],
  ['doneRecords', 'records per Done'],
  ['queuedRows', 'ready tasks without a lane'],
];

/** The report of `heddle explain`. */
export function renderExplanation(run: ExplanationData): string {
  return [
    ...headLines(run),
    '',
    ...questionLines(run),
    '',
    ...costLines(run),
    '',
    ...stageLines(run),
    '',
    ...sizeLines(run),
    '',
    ...adviceLines(run),
    '',
  ].join('\n');
}

function headLines(run: ExplanationData): string[] {
  const { tasks, failed, attempts, workers, lanes, activeSeconds, fusion } = run;
  const again = attempts > tasks ? `, ${attempts - tasks} sent again or not ended` : '';
  const lines = [
    `${tasks} tasks (${failed} failed${again}) on ${workers} workers with ${lanes} lanes, work for ${formatMicros(activeSeconds * 1e6)}.`,
  ];
  if (fusion.before > fusion.after) {
    lines.push(`${fusion.before} lazy calls were fused into ${fusion.after} tasks.`);
  }
  return lines;
}

function questionLines({
  questions,
  compute,
  overheadUs,
  runUs,
  tasks,
}: ExplanationData): string[] {
  const rows: [string, number][] = [
    ['1 describe     building the graph', questions.describe],
    ['2 communicate  client <-> scheduler', questions.communicate],
    ['3 process      the engine', questions.process],
    ['4 dispatch     scheduler <-> workers', questions.dispatch],
    ['  compute      user code', compute],
  ];
  const most = Math.max(...rows.map(([, seconds]) => seconds));
  const lines = rows.map(([name, seconds]) => {
    const bar = '#'.repeat(most === 0 ? 0 : Math.round((seconds / most) * BAR));
    const each = tasks === 0 ? '' : `${formatMicros((seconds * 1e6) / tasks)}/task`;
    return `  ${name.padEnd(38)} ${formatMicros(seconds * 1e6).padStart(9)} ${each.padStart(14)}  ${bar}`.trimEnd();
  });
  return [
    'CPU time by question',
    ...lines,
    `  overhead ${formatMicros(overheadUs)} per task, beside ${formatMicros(runUs)} of user code.`,
  ];
}

function costLines({ costs }: ExplanationData): string[] {
  const most = costs[0]?.seconds ?? 0;
  if (most === 0) return ['Nothing has cost anything yet.'];
  return costs
    .filter(({ seconds }) => seconds >= most * COST_SHARE)
    .map(({ name, seconds }, i) => {
      const head = i === 0 ? 'Biggest cost' : '';
      return `${head.padEnd(14)}${name.padEnd(44)}${formatMicros(seconds * 1e6).padStart(9)}`;
    });
}

function stageLines({ stages }: ExplanationData): string[] {
  const column = (text: string): string => text.padStart(10);
  const line = (name: string, data: HistogramData, unit: string): string =>
    `  ${name.padEnd(9)}${String(data.count).padStart(9)}` +
    [mean(data), quantile(data, 0.5), quantile(data, 0.99), data.max]
      .map((ns) => column(formatMicros(ns / 1000)))
      .join('') +
    `  ${unit}`;
  return [
    `Stages     ${'count'.padStart(9)}${['mean', 'p50', 'p99', 'max'].map(column).join('')}`,
    ...TIMED.filter(([stage]) => stages[stage].count > 0).map(([stage, name, unit]) =>
      line(name, stages[stage], unit),
    ),
  ];
}

function sizeLines({ stages, bytes, engineBusy, lanesIdle }: ExplanationData): string[] {
  const sizes = SIZED.filter(([stage]) => stages[stage].count > 0).map(
    ([stage, name]) =>
      `  ${name.padEnd(28)} mean ${mean(stages[stage]).toFixed(1)}, p99 ${Math.round(quantile(stages[stage], 0.99))}, max ${stages[stage].max}`,
  );
  return [
    'Sizes',
    ...sizes,
    `  ${'bytes to the scheduler'.padEnd(28)} ${formatBytes(bytes.toScheduler)}, from it ${formatBytes(bytes.fromScheduler)}, between workers ${formatBytes(bytes.betweenWorkers)}`,
    `  ${'while work was unfinished'.padEnd(28)} engine ${(engineBusy * 100).toFixed(0)} % busy, lanes ${(lanesIdle * 100).toFixed(0)} % idle`,
  ];
}

function adviceLines({ advice }: ExplanationData): string[] {
  if (advice.length === 0) return ['Advice: none. Nothing stands out.'];
  return ['Advice', ...advice.map(({ text }) => `  - ${text}`)];
}
