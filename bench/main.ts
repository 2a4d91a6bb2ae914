/** `npm run bench`: the command line of the harness. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CASES } from './cases/index.js';
import { type Case, format, type Result, runCases, type Size } from './harness.js';
import { compare } from './targets.js';

const USAGE = `usage: npm run bench -- [options]

  --only NAME,NAME   run just these cases, interleaved (default: all)
  --size SIZE        smoke: seconds, proves that the cases work; full (default): figures
  --rounds N         measurements of each case (default: 5; smoke: 1)
  --json FILE        write the figures, the commit and whether the tree was dirty
  --list             print the names of all cases
  --help             this text

Cases: ${CASES.map(({ name }) => name).join(', ')}
What each measures and how: bench/README.md
`;

class UsageError extends Error {}

interface Options {
  readonly cases: readonly Case[];
  readonly size: Size;
  readonly rounds: number;
  readonly json: string | undefined;
}

function chosen(only: string | undefined): readonly Case[] {
  if (only === undefined) return CASES;
  return only.split(',').map((name) => {
    const found = CASES.find((each) => each.name === name.trim());
    if (found === undefined) {
      throw new UsageError(`there is no case '${name}': see --list`);
    }
    return found;
  });
}

function options(): Options | 'help' | 'list' {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      size: { type: 'string', default: 'full' },
      rounds: { type: 'string' },
      json: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.list) return 'list';
  const { size } = values;
  if (size !== 'smoke' && size !== 'full') throw new UsageError(`--size is smoke or full`);
  const rounds = Number(values.rounds ?? (size === 'smoke' ? 1 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) throw new UsageError('--rounds is a whole number');
  return { cases: chosen(values.only), size, rounds, json: values.json };
}

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

async function main(): Promise<void> {
  const parsed = options();
  if (parsed === 'help') {
    process.stdout.write(USAGE);
    return;
  }
  if (parsed === 'list') {
    process.stdout.write(`${CASES.map(({ name }) => name).join('\n')}\n`);
    return;
  }
  const { cases, size, rounds, json } = parsed;
  const results = await runCases(cases, size, rounds, (text) => process.stderr.write(`${text}\n`));
  process.stdout.write(`${table(results)}\n`);
  // Smoke sizes prove that cases work; their figures mean nothing.
  const verdicts = size === 'full' ? compare(results) : [];
  if (verdicts.length > 0) process.stdout.write(`\n${verdicts.join('\n')}\n`);
  if (json !== undefined) {
    const report = { ...Object.fromEntries(results), ...revision() };
    writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
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
