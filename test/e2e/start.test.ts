// What `npm start` runs: its result, its output, and that it leaves nothing else behind.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { alive, temporaryFolder, until } from './support.js';

const MAIN = fileURLToPath(new URL('../../examples/flights/main.js', import.meta.url));

interface Run {
  readonly pid: number;
  readonly cwd: string;
  readonly temporary: string;
  output: string;
  errors: string;
  readonly ended: Promise<number | string | null>;
  kill(signal: NodeJS.Signals): void;
}

/** Runs the example in folders of its own. */
function start(folder: string, name: string, ...args: string[]): Run {
  const cwd = join(folder, name);
  const temporary = join(folder, `${name}-tmp`);
  mkdirSync(cwd, { recursive: true });
  mkdirSync(temporary, { recursive: true });
  const env = { ...process.env, TMPDIR: temporary };
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const run: Run = {
    pid: child.pid as number,
    cwd,
    temporary,
    output: '',
    errors: '',
    ended: new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal))),
    kill: (signal) => child.kill(signal),
  };
  child.stdout.on('data', (data: Buffer) => {
    run.output += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    run.errors += data.toString();
  });
  return run;
}

const STAGES = ['describe', 'communicate', 'process', 'dispatch', 'compute'];

test('two at once in one folder, one JSON object each, both proven', async () => {
  using folder = temporaryFolder();
  const runs = [
    start(folder.path, 'shared', '--json', '--rows', '40000', '--partitions', '8'),
    start(
      folder.path,
      'shared',
      '--json',
      '--rows',
      '30000',
      '--partitions',
      '5',
      '--by',
      'origin',
    ),
  ];
  const reports = [];
  for (const run of runs) {
    assert.equal(await run.ended, 0, run.errors);
    assert.equal(run.errors, '');
    const report = JSON.parse(run.output);
    reports.push(report);
    assert.equal(report.verified, true);
    assert.deepEqual(Object.keys(report.stages), STAGES);
    for (const stage of STAGES) assert.ok(report.stages[stage] > 0, `${stage} was measured`);
    assert.ok(report.seconds > 0 && report.bytesBetweenWorkers >= 0);
    const files = readdirSync(report.output);
    assert.equal(files.length, report.partitions);
  }
  for (const { temporary } of runs) assert.deepEqual(readdirSync(temporary), []);
  assert.deepEqual(
    reports.map(({ rows, partitions }) => [rows, partitions]),
    [
      [40000, 8],
      [30000, 5],
    ],
  );
  // One row group: inspect, sample, divide, split, merge and write each partition, make the folder, head.
  assert.ok(reports[0].tasks >= 2 * 8 + 5, `${reports[0].tasks} tasks`);
  assert.notEqual(reports[0].output, reports[1].output);
});

test('words for people: first rows, output, tasks, bytes, the four questions', async () => {
  using folder = temporaryFolder();
  const run = start(folder.path, 'text', '--rows', '5000', '--partitions', '3', '--workers', '1');
  assert.equal(await run.ended, 0, run.errors);
  for (const words of [
    /^ +date +delay/,
    /5,000 rows/,
    /tasks; .* MB crossed/,
    /verified by DuckDB/,
  ]) {
    assert.match(run.output, words);
  }
  for (const stage of STAGES) assert.match(run.output, new RegExp(`^ +${stage} `, 'm'));
  assert.match(run.output, /^files: .*heddle-out/m);
  assert.ok(!run.output.includes('█'), 'no progress bar without a terminal');
});

test('help and bad input', async () => {
  using folder = temporaryFolder();
  const help = start(folder.path, 'help', '--help');
  assert.equal(await help.ended, 0);
  for (const option of ['--by', '--partitions', '--workers', '--rows', '--json']) {
    assert.ok(help.output.includes(option), option);
  }
  for (const [args, words] of [
    [['--by', 'delai'], /^ERR_COLUMN_UNKNOWN: .*'delay'/],
    [['--partitions', '0'], /^ERR_ARGUMENT: --partitions/],
    [['--rows', 'many'], /^ERR_ARGUMENT: --rows/],
    [['--bye', 'delay'], /^ERR_ARGUMENT: .*--bye/],
  ] as const) {
    const run = start(folder.path, 'bad', ...args);
    assert.equal(await run.ended, 1);
    assert.match(run.errors, words);
    assert.equal(run.output, '');
    assert.deepEqual(readdirSync(run.cwd), []);
  }
});

/** Processes whose parent is `pid`. */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => parentOf(child) === pid);
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

test('a signal at any moment leaves no process, socket or file', {
  skip: process.platform !== 'linux',
}, async () => {
  using folder = temporaryFolder();
  const moments: [string, (run: Run) => boolean][] = [
    ['workers start', (run) => childrenOf(run.pid).length > 0],
    ['its folder is there', (run) => readdirSync(run.cwd).length > 0],
    ['files are written', (run) => outputs(run).some((name) => name.endsWith('.parquet'))],
  ];
  for (const [i, [moment, reached]] of moments.entries()) {
    const [signal, code] = i % 2 === 0 ? (['SIGINT', 130] as const) : (['SIGTERM', 143] as const);
    const run = start(folder.path, `stop-${i}`, '--json');
    await until(moment, () => reached(run));
    const children = childrenOf(run.pid);
    run.kill(signal);
    assert.equal(await run.ended, code, run.errors);
    await until('workers are gone', () => !children.some(alive));
    assert.deepEqual(readdirSync(run.cwd), [], `${moment}, ${signal}`);
    assert.deepEqual(readdirSync(run.temporary), [], `${moment}, ${signal}`);
    assert.equal(run.output, '');
  }
});

function outputs(run: Run): string[] {
  try {
    return readdirSync(run.cwd, { recursive: true }).map(String);
  } catch {
    return [];
  }
}
