/** `npm run bench`: the command line of the harness. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { CASES } from './cases/index.js';
import { format, type Result, runCases } from './harness.js';
import { instructions } from './instructions.js';
import { type Order, readOptions, USAGE, UsageError } from './options.js';
import { plotScale } from './plots.js';
import { SHAPES } from './shapes.js';
import { compare } from './targets.js';

/** The commit measured, and whether the tree differs from it; `unknown` outside a clone. */
function revision(): { commit: string; dirty: boolean } {
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    return {
      commit: git('rev-parse', 'HEAD').trim(),
      dirty: git('status', '--porcelain').trim() !== '',
    };
  } catch {
    return { commit: 'unknown', dirty: true };
  }
}

function table(results: ReadonlyMap<string, Result>): string {
  const rows = [...results].map(([name, { unit, median, min, max, runs: _, ...beside }]) => {
    const extra = Object.entries(beside).map(([key, value]) => `${key} ${format(Number(value))}`);
    return [name, unit, format(median), format(min), format(max), extra.join(', ')];
  });
  const head = ['case', 'unit', 'median', 'min', 'max', 'beside'];
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (row: string[]): string =>
    row
      .map((cell, i) =>
        i >= 2 && i <= 4 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [head, ...rows].map(line).join('\n');
}

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

function list(): string {
  const shapes = SHAPES.map(({ name, what }) => `  ${name.padEnd(16)}${what}`);
  return [...CASES.map(({ name }) => name), '', 'shapes, for --shape:', ...shapes].join('\n');
}

async function run({ cases, size, rounds, json }: Order & { do: 'run' }): Promise<void> {
  const results = await runCases(cases, size, rounds, say);
  print(table(results));
  // Smoke sizes prove that cases work; their figures mean nothing.
  const verdicts = size === 'full' ? compare(results) : [];
  if (verdicts.length > 0) print(`\n${verdicts.join('\n')}`);
  if (json !== undefined) {
    const report = { ...Object.fromEntries(results), ...revision() };
    writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  }
}

async function main(): Promise<void> {
  const order = readOptions();
  switch (order.do) {
    case 'help':
      return print(USAGE.trimEnd());
    case 'list':
      return print(list());
    case 'instructions':
      return print(instructions().join('\n'));
    case 'scale':
      return print((await plotScale(order.folder, order.size, say)).join('\n'));
    case 'run':
      return run(order);
  }
}

try {
  await main();
} catch (error) {
  // A flag that does not exist is told by parseArgs as a TypeError with a code.
  const usage =
    error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  if (usage) process.stderr.write(`${(error as Error).message}\n`);
  else console.error(error);
  process.exitCode = usage ? 2 : 1;
}
