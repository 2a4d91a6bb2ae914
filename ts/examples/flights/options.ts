/** Command line of the flights example. */
import { parseArgs } from 'node:util';
import { HeddleError } from '../../errors/index.js';

/** What the user may vary. */
export interface FlightsOptions {
  /** Rows of the input to use; `null`: all of them. */
  readonly rows: number | null;
  /** Output partitions. */
  readonly partitions: number;
  /** Worker processes. */
  readonly workers: number;
  /** Column to order by. */
  readonly by: string;
  /** Print one JSON object instead of text. */
  readonly json: boolean;
}

/** Text of `--help`. */
export const HELP = `Orders three million flights by a column, on worker processes, and proves the result.

usage: npm start -- [options]          (npm -s start -- --json for JSON alone)

  --by COLUMN       date, delay, distance, origin or destination (default: delay)
  --partitions N    output partitions, a Parquet file each (default: 64)
  --workers N       worker processes (default: 2)
  --rows N          only the first N rows of the input (default: all 3,000,000)
  --json            print one JSON object: rows, partitions, tasks, bytesBetweenWorkers, seconds,
                    verified, output, and stages in CPU seconds
  --help            this text

The files are left under heddle-out/ in the current folder; nothing else outlives the command.
`;

/**
 * Reads the command line.
 *
 * @returns the options, or `null` when help was asked for.
 * @throws HeddleError `ERR_ARGUMENT` naming the option that is unfit.
 */
export function parseOptions(args: readonly string[]): FlightsOptions | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  let values: Record<string, string | boolean | undefined>;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        rows: text,
        partitions: text,
        workers: text,
        by: text,
        json: flag,
        help: { ...flag, short: 'h' },
      },
    }));
  } catch (cause) {
    const reason = (cause as Error).message.split('. ')[0];
    throw new HeddleError('ERR_ARGUMENT', `${reason}. See npm start -- --help`, { cause });
  }
  if (values.help === true) return null;
  return {
    rows: values.rows === undefined ? null : whole('rows', values.rows),
    partitions: whole('partitions', values.partitions ?? '64', 65_536),
    workers: whole('workers', values.workers ?? '2', 256),
    by: String(values.by ?? 'delay'),
    json: values.json === true,
  };
}

function whole(name: string, value: string | boolean, most = Number.MAX_SAFE_INTEGER): number {
  const number = /^\d+$/.test(String(value)) ? Number(value) : Number.NaN;
  if (number >= 1 && number <= most) return number;
  throw new HeddleError(
    'ERR_ARGUMENT',
    `--${name} must be a whole number from 1 to ${most}, not '${String(value)}'. See npm start -- --help`,
  );
}
