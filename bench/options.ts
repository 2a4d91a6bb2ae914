/** The command line of the harness: what it says, checked. */
import { parseArgs } from 'node:util';
import { adhocCase, MODES, type Mode } from './cases/adhoc.js';
import { CASES } from './cases/index.js';
import type { Case, Size } from './harness.js';
import { SHAPES, shapeNamed } from './shapes.js';

/** What `--help` prints. */
export const USAGE = `usage: npm run bench -- [options]

Committed cases, interleaved, and how they stand against their targets:
  --only NAME,NAME   run just these (default: all)
  --size SIZE        smoke: seconds, proves that the cases work; full (default): figures
  --rounds N         measurements of each case (default: 5; smoke: 1)
  --json FILE        write the figures, the commit and whether the tree was dirty
  --list             print the names of all cases and shapes

One graph of your choice instead:
  --shape NAME       ${SHAPES.map(({ name }) => name).join(', ')}
  --mode MODE        engine: the engine alone; zero: real client and sockets, workers that answer at once;
                     real (default): two Node workers, every task checks the producers of its inputs
  --width N          rows of a layer (default: 100)
  --steps N          layers; shapes that shrink have width x steps leaves (default: 100)
  --duration US      real: average length of a task's body (default: 0)
  --imbalance 0|1|2  real: all alike; evenly from 0 to twice; one in eight takes all (default: 0)
  --output BYTES     real: size of a result, 16 to 1048576 (default: 16)
  --workers N        zero: worker processes (default: 2)

Sweeps:
  --scale FOLDER     cost per task against workers (1 to 1,512) and tasks (10k to 10M): two SVG charts in FOLDER
  --instructions     instructions per task of the engine, counted by valgrind where it is installed

For example, how short tasks of a stencil may be before overhead is half of the time:
  npm run bench -- --only metg.stencil_1d,peer.poolifier.metg
and what a random graph costs without any work in it:
  npm run bench -- --shape random-nearest --mode zero --width 1000

What each case measures and how: bench/README.md
`;

/** A command line that makes no sense; its message is one line. */
export class UsageError extends Error {}

/** What to do. */
export type Order =
  | { readonly do: 'help' | 'list' | 'instructions' }
  | { readonly do: 'scale'; readonly folder: string; readonly size: Size }
  | {
      readonly do: 'run';
      readonly cases: readonly Case[];
      readonly size: Size;
      readonly rounds: number;
      readonly json: string | undefined;
    };

const OUTPUT_BYTES_MAX = 1 << 20;

const OPTIONS = {
  only: { type: 'string' },
  size: { type: 'string', default: 'full' },
  rounds: { type: 'string' },
  json: { type: 'string' },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
  shape: { type: 'string' },
  mode: { type: 'string' },
  width: { type: 'string' },
  steps: { type: 'string' },
  duration: { type: 'string' },
  imbalance: { type: 'string' },
  output: { type: 'string' },
  workers: { type: 'string' },
  scale: { type: 'string' },
  instructions: { type: 'boolean', default: false },
} as const;

type Values = { readonly [K in keyof typeof OPTIONS]?: string | boolean | undefined };

function chosen(only: string): readonly Case[] {
  return only.split(',').map((name) => {
    const found = CASES.find((each) => each.name === name.trim());
    if (found === undefined) throw new UsageError(`there is no case '${name}': see --list`);
    return found;
  });
}

function whole(
  values: Values,
  name: keyof Values,
  absent: number,
  least: number,
  most: number,
): number {
  const given = values[name];
  if (given === undefined) return absent;
  const value = Number(given);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new UsageError(`--${name} is a whole number from ${least} to ${most}, not '${given}'`);
  }
  return value;
}

/** The case that `--shape` and its companions describe; undefined without `--shape`. */
function wished(values: Values): Case | undefined {
  const companions = [
    'mode',
    'width',
    'steps',
    'duration',
    'imbalance',
    'output',
    'workers',
  ] as const;
  if (values.shape === undefined) {
    const stray = companions.find((name) => values[name] !== undefined);
    if (stray !== undefined) throw new UsageError(`--${stray} goes with --shape`);
    return undefined;
  }
  const shape = shapeNamed(String(values.shape));
  if (shape === undefined) throw new UsageError(`there is no shape '${values.shape}': see --list`);
  const mode = String(values.mode ?? 'real');
  if (!MODES.some((known) => known === mode)) {
    throw new UsageError(`--mode is ${MODES.join(', ')}, not '${mode}'`);
  }
  return adhocCase({
    shape,
    mode: mode as Mode,
    size: {
      width: whole(values, 'width', 100, 1, 1_000_000),
      steps: whole(values, 'steps', 100, 1, 1_000_000),
    },
    durationUs: whole(values, 'duration', 0, 0, 1_000_000),
    imbalance: whole(values, 'imbalance', 0, 0, 2) as 0 | 1 | 2,
    bytes: whole(values, 'output', 16, 16, OUTPUT_BYTES_MAX),
    workers: whole(values, 'workers', 2, 1, 1_512),
  });
}

/**
 * Reads the command line.
 * @throws UsageError, or parseArgs' own TypeError for an option that does not exist
 */
export function readOptions(): Order {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return { do: 'help' };
  if (values.list) return { do: 'list' };
  const { size } = values;
  if (size !== 'smoke' && size !== 'full') throw new UsageError('--size is smoke or full');
  if (values.instructions) return { do: 'instructions' };
  if (values.scale !== undefined) return { do: 'scale', folder: values.scale, size };
  const own = wished(values);
  if (own !== undefined && values.only !== undefined) {
    throw new UsageError('--only names committed cases, --shape makes one: give one of them');
  }
  const cases = own ? [own] : values.only === undefined ? CASES : chosen(values.only);
  const rounds = whole(values, 'rounds', size === 'smoke' ? 1 : 5, 1, 1_000);
  return { do: 'run', cases, size, rounds, json: values.json };
}
