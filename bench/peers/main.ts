/** `npm run bench:peers`: Heddle beside what people use today, on the same graphs, in one run. */
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compareAll } from './compare.js';
import { markdown } from './results.js';
import { roster } from './roster.js';

const USAGE = `usage: npm run bench:peers -- [options]

Installs Dask, Ray, BullMQ and Redis at pinned versions into .heddle/peers (needs python3 with venv, npm and, for Redis,
Debian's apt or a redis-server on the PATH), runs the same graphs on all of them and on piscina, poolifier and Heddle,
interleaved, and writes bench/RESULTS.md. Takes about a quarter of an hour.

  --only NAME,NAME   just these (default: all): heddle, heddle again, poolifier, piscina, dask, ray, bullmq, hyperqueue
  --rounds N         repetitions (default 5)
  --hyperqueue PATH  HyperQueue's hq binary, where you have one: it is in no package registry
  --out FILE         where the table goes (default bench/RESULTS.md)
  --json FILE        all figures for machines
  --help             this text
`;

interface Options {
  only: string[] | undefined;
  rounds: number;
  hyperqueue: string | undefined;
  out: string;
  json: string | undefined;
}

function options(): Options | undefined {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      hyperqueue: { type: 'string' },
      out: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new TypeError(`--rounds is a whole number of at least 1, not ${values.rounds}`);
  }
  return {
    only: values.only?.split(',').map((name) => name.trim()),
    rounds,
    hyperqueue: values.hyperqueue,
    out: values.out ?? fileURLToPath(new URL('../../../bench/RESULTS.md', import.meta.url)),
    json: values.json,
  };
}

async function main(): Promise<void> {
  const chosen = options();
  if (chosen === undefined) {
    process.stdout.write(USAGE);
    return;
  }
  const all = roster(chosen.hyperqueue);
  const unknown = chosen.only?.find((name) => !all.some((each) => each.name === name));
  if (unknown !== undefined) throw new TypeError(`--only: there is no peer '${unknown}'`);
  const entrants = all.filter(({ name }) => chosen.only?.includes(name) ?? true);
  const comparison = await compareAll(entrants, chosen.rounds, (line) =>
    process.stderr.write(`${line}\n`),
  );
  const text = markdown(comparison);
  writeFileSync(chosen.out, text);
  process.stdout.write(text);
  if (chosen.json !== undefined) {
    writeFileSync(chosen.json, `${JSON.stringify(comparison, null, 2)}\n`);
  }
}

try {
  await main();
} catch (error) {
  const usage = error instanceof TypeError;
  if (usage) process.stderr.write(`${error.message}\n`);
  else console.error(error);
  process.exitCode = usage ? 2 : 1;
}
