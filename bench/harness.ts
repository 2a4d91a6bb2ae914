/** Runs cases in rotation and collects one figure per case and round. */
import { median } from './stats.js';

/** What a figure counts. For `tasks/s` more is better, for all others less. */
export type Unit = 'ns' | 'tasks/s' | 'us' | 'ms' | 's' | 'B' | 'x';

/** `smoke` finishes in seconds and proves that a case works; `full` gives figures worth comparing. */
export type Size = 'smoke' | 'full';

/** One measurement. */
export interface Sample {
  readonly value: number;
  /** Figures that belong to the same round, such as `p99`. */
  readonly beside?: Readonly<Record<string, number>>;
}

/** A case that is set up: processes are up, data is there, code is warm. */
export interface Session {
  /** Measures once. Throws when a result is wrong. */
  round(): Promise<Sample>;
  /** Ends what the session started. */
  close(): Promise<void>;
}

/** A named benchmark. */
export interface Case {
  readonly name: string;
  readonly unit: Unit;
  open(size: Size): Promise<Session>;
}

/** A case's figures over all rounds. */
export interface Result {
  unit: Unit;
  median: number;
  min: number;
  max: number;
  /** In the order of the rounds. */
  runs: number[];
  /** Medians of figures measured beside, such as `p99`. */
  [beside: string]: unknown;
}

/** Told of progress; writes to wherever the caller wants. */
export type Say = (line: string) => void;

function summary(unit: Unit, samples: readonly Sample[]): Result {
  const runs = samples.map(({ value }) => value);
  const result: Result = {
    unit,
    median: median(runs),
    min: Math.min(...runs),
    max: Math.max(...runs),
    runs,
  };
  for (const name of Object.keys(samples[0]?.beside ?? {})) {
    result[name] = median(samples.map(({ beside }) => beside?.[name] ?? Number.NaN));
  }
  return result;
}

/**
 * Measures every case once per round, each round starting one case later than the one before, so
 * that a slow minute of the machine hits all cases alike and no case always follows the same one.
 *
 * @param rounds number of measurements of each case.
 */
export async function runCases(
  cases: readonly Case[],
  size: Size,
  rounds: number,
  say: Say,
): Promise<Map<string, Result>> {
  const sessions = new Map<Case, Session>();
  const samples = new Map<Case, Sample[]>(cases.map((each) => [each, []]));
  try {
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < cases.length; i++) {
        const each = cases[(i + round) % cases.length] as Case;
        let session = sessions.get(each);
        if (session === undefined) {
          session = await each.open(size);
          sessions.set(each, session);
        }
        const sample = await session.round().catch((cause: unknown) => {
          throw new Error(`${each.name} failed`, { cause });
        });
        samples.get(each)?.push(sample);
        say(`round ${round + 1}/${rounds}  ${each.name}  ${format(sample.value)} ${each.unit}`);
      }
    }
  } finally {
    const closed = await Promise.allSettled([...sessions.values()].map((each) => each.close()));
    for (const each of closed) if (each.status === 'rejected') say(`not closed: ${each.reason}`);
  }
  return new Map(cases.map((each) => [each.name, summary(each.unit, samples.get(each) ?? [])]));
}

/** Three digits are what such figures are good for. */
export function format(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return value >= 1000 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3);
}
