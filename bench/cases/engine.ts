/** The engine, the wire and their floors, without sockets: one batch call of the addon per round. */
import type { Case, Sample, Session, Size } from '../harness.js';
import { native } from '../native.js';
import { timeOnce } from '../time.js';

const TASKS: Record<Size, number> = { smoke: 20_000, full: 1_000_000 };

/** Times one call over `tasks` tasks. */
async function perTask(tasks: number, call: () => void): Promise<Sample> {
  return { value: ((await timeOnce(call)) * 1e9) / tasks };
}

/** A case whose every round prepares a new run, outside of the measured time. */
function addonCase(
  name: string,
  round: (tasks: number, session: { digest?: string }) => Promise<Sample>,
): Case {
  return {
    name,
    unit: 'ns',
    async open(size): Promise<Session> {
      const session = {};
      return { round: () => round(TASKS[size], session), close: async () => {} };
    },
  };
}

function expect(what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${what}: ${actual} instead of ${expected}`);
}

function engine(shape: 'map' | 'tree' | 'random'): Case {
  return addonCase(`engine.${shape}`, async (asked, session) => {
    const run = new (native().BenchEngine)(shape, asked);
    let completed = 0;
    const sample = await perTask(run.tasks, () => {
      completed = run.run();
    });
    expect('tasks completed', completed, run.tasks);
    const digest = run.verify();
    session.digest ??= digest;
    expect('digest of an equal run', digest, session.digest);
    return sample;
  });
}

function walk(shape: 'tree' | 'random'): Case {
  return addonCase(`floor.walk.${shape}`, async (asked) => {
    const run = new (native().BenchWalk)(shape, asked);
    let completed = 0;
    const sample = await perTask(run.tasks, () => {
      completed = run.run();
    });
    expect('rows completed', completed, run.tasks);
    return sample;
  });
}

const ingest = addonCase('ingest.csr', async (tasks) => {
  const run = new (native().BenchIngest)(tasks);
  let taken = 0;
  const sample = await perTask(tasks, () => {
    taken = run.run();
  });
  expect('rows taken in', taken, tasks);
  return sample;
});

const wire = addonCase('wire.assign', async (tasks) => {
  // Whole frames of 256 records.
  const records = tasks - (tasks % 256);
  const { benchWireAssign } = native();
  let right = false;
  const sample = await perTask(records, () => {
    right = benchWireAssign(records);
  });
  expect('records read back', right, true);
  return sample;
});

/** In the order of the report. */
export const NATIVE_CASES: readonly Case[] = [
  engine('map'),
  engine('tree'),
  engine('random'),
  walk('tree'),
  walk('random'),
  ingest,
  wire,
];
