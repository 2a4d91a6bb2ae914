/** A run by the workshop's four questions: where the CPU time went, what a task cost beyond its own, what to change. */
import { readFileSync, writeFileSync } from 'node:fs';
import { PACKAGE_VERSION } from '../client/version.js';
import { HeddleError } from '../errors/index.js';
import { advise } from './advice.js';
import { difference, type HistogramData } from './histogram.js';
import type { LargeArgument } from './large_arguments.js';
import { renderExplanation } from './render.js';
import type { Observed } from './snapshot.js';
import { type Snapshot, type StageHistograms, type Totals, takeSnapshot } from './snapshot.js';

/** Says what a saved file is. */
const FORMAT = 'heddle-run';

/** CPU seconds by question, over all threads that served it. */
export interface Questions {
  /** 1. Where is the graph generated: the client's building of layers. */
  readonly describe: number;
  /** 2. How does it reach the scheduler, and results the client: encoding, receiving, decoding, both sides' I/O. */
  readonly communicate: number;
  /** 3. How is it processed: the engine. */
  readonly process: number;
  /** 4. How do tasks reach workers: the scheduler's encoding and sending, workers' main and I/O threads, and their
   * lanes outside user code. */
  readonly dispatch: number;
}

/** One thing that costs time. */
export interface Cost {
  readonly name: string;
  readonly seconds: number;
}

/** A sentence on what to change, with the reason in figures. */
export interface Advice {
  /** Stable: `tasks-too-small`, `argument-too-large`, `transfer-bound`, `lanes-starved`, `queue-long`,
   * `scheduler-busy`. */
  readonly about: string;
  readonly text: string;
}

/** The figures of an explanation, as `save` writes them. */
export interface ExplanationData {
  readonly format: typeof FORMAT;
  readonly version: string;
  readonly tasks: number;
  readonly failed: number;
  readonly attempts: number;
  readonly workers: number;
  readonly lanes: number;
  /** Wall seconds with unfinished work. */
  readonly activeSeconds: number;
  readonly questions: Questions;
  /** CPU seconds of user code. */
  readonly compute: number;
  /** CPU microseconds per task beyond user code. */
  readonly overheadUs: number;
  /** Mean wall microseconds of user code per task. */
  readonly runUs: number;
  readonly costs: readonly Cost[];
  /** Share of the scheduler thread's time that was CPU, while work was unfinished. */
  readonly engineBusy: number;
  /** Share of the lanes' time that neither user code nor Heddle used, while work was unfinished. */
  readonly lanesIdle: number;
  /** Share of lanes without a record while others were ready. */
  readonly starved: number;
  /** Mean number of ready rows without a lane. */
  readonly queued: number;
  readonly bytes: {
    readonly toScheduler: number;
    readonly fromScheduler: number;
    readonly betweenWorkers: number;
  };
  /** Calls before and tasks after fusion; equal where nothing fused. */
  readonly fusion: { readonly before: number; readonly after: number };
  readonly large: readonly LargeArgument[];
  readonly stages: StageHistograms;
  readonly advice: readonly Advice[];
}

/**
 * Where the time of a run went. Its `toString()` is for people.
 *
 * @example
 * const before = await client.explain();
 * await client.gather(client.map(work, items));
 * console.log(`${await client.explain({ since: before })}`);
 */
export class Explanation {
  readonly data: ExplanationData;
  readonly #snapshot: Snapshot | undefined;

  private constructor(data: ExplanationData, snapshot?: Snapshot) {
    this.data = data;
    this.#snapshot = snapshot;
  }

  /**
   * Explains what happened until now. Takes up to a second: every worker's next report is waited for.
   *
   * @param since an earlier explanation of the same client: only what came after it counts.
   * @internal
   */
  static async of(observed: Observed, since?: Explanation): Promise<Explanation> {
    if (since !== undefined && since.#snapshot === undefined) {
      throw new HeddleError(
        'ERR_ARGUMENT',
        'option since: an explanation read from a file has no totals to subtract',
      );
    }
    const later = await takeSnapshot(observed);
    const earlier = since === undefined ? undefined : since.#snapshot;
    return new Explanation(explain(later, earlier), later);
  }

  /**
   * Reads a file that {@link save} wrote.
   * @throws HeddleError ERR_FILE_MISSING, ERR_ARGUMENT
   */
  static load(file: string): Explanation {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (cause) {
      const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
      throw new HeddleError(
        'ERR_FILE_MISSING',
        `${file} cannot be read (${reason}): client.explain() writes such files with save(file)`,
        { cause },
      );
    }
    const data = parse(text) as Partial<ExplanationData> | undefined;
    if (data?.format !== FORMAT || data.version !== PACKAGE_VERSION) {
      const other =
        data?.format === FORMAT
          ? `is of heddle ${data.version}, this is ${PACKAGE_VERSION}`
          : 'is no saved run';
      throw new HeddleError(
        'ERR_ARGUMENT',
        `${file} ${other}: write it with (await client.explain()).save(file)`,
      );
    }
    return new Explanation(data as ExplanationData);
  }

  /**
   * Writes the figures as JSON, for `heddle explain FILE`.
   * @throws HeddleError ERR_IO
   */
  save(file: string): void {
    try {
      writeFileSync(file, `${JSON.stringify(this.data)}\n`);
    } catch (cause) {
      throw new HeddleError('ERR_IO', `${file} cannot be written: ${String(cause)}`, { cause });
    }
  }

  /** The figures. */
  toJSON(): ExplanationData {
    return this.data;
  }

  /** The report, for people. */
  toString(): string {
    return renderExplanation(this.data);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const SECOND = 1e9;

function explain(later: Snapshot, earlier: Snapshot | undefined): ExplanationData {
  const t = subtract(later.totals, earlier?.totals);
  const stages = subtractStages(later.histograms, earlier?.histograms);
  const questions: Questions = {
    describe: t.describe / SECOND,
    communicate:
      (t.clientEncode + t.clientDecode + t.clientIo + t.receive + t.schedulerIo) / SECOND,
    process: t.apply / SECOND,
    dispatch: (t.encode + t.send + t.workerMain + t.workerIo + t.lanes) / SECOND,
  };
  const { describe, communicate, process, dispatch } = questions;
  const tasks = t.tasksCompleted + t.tasksFailed;
  const engine = t.receive + t.apply + t.encode + t.send;
  const laneTime = t.active * later.laneCount;
  const figures = {
    format: FORMAT,
    version: PACKAGE_VERSION,
    tasks,
    failed: t.tasksFailed,
    attempts: t.attempts,
    workers: later.workers,
    lanes: later.laneCount,
    activeSeconds: t.active / SECOND,
    questions,
    compute: t.compute / SECOND,
    overheadUs: tasks === 0 ? 0 : ((describe + communicate + process + dispatch) * 1e6) / tasks,
    runUs: stages.run.count === 0 ? 0 : stages.run.sum / stages.run.count / 1000,
    costs: costsOf(t),
    engineBusy: share(engine, t.active),
    lanesIdle: laneTime === 0 ? 0 : 1 - share(t.compute + t.lanes, laneTime),
    starved: share(t.idleLanes, t.sampledLanes),
    queued: t.active === 0 ? 0 : t.queuedRows / t.active,
    bytes: {
      toScheduler: t.bytesToScheduler,
      fromScheduler: t.bytesFromScheduler,
      betweenWorkers: t.bytesBetweenWorkers,
    },
    fusion: { before: t.fusedBefore, after: t.fusedAfter },
    large: later.large,
    stages,
  } as const;
  return { ...figures, advice: advise(figures) };
}

/** Every thread's part, the greatest first. */
function costsOf(t: Totals): Cost[] {
  const costs: [string, number][] = [
    ['client: describing graphs', t.describe],
    ['client: encoding frames', t.clientEncode],
    ['client: decoding results', t.clientDecode],
    ['client: I/O thread', t.clientIo],
    ['scheduler: receiving, verifying, decoding', t.receive],
    ['scheduler: engine', t.apply],
    ['scheduler: encoding', t.encode],
    ['scheduler: sending', t.send],
    ['scheduler: I/O threads', t.schedulerIo],
    ['workers: main threads', t.workerMain],
    ['workers: I/O threads', t.workerIo],
    ['workers: lanes outside user code', t.lanes],
  ];
  return costs
    .map(([name, ns]) => ({ name, seconds: ns / SECOND }))
    .sort((a, b) => b.seconds - a.seconds);
}

function share(part: number, whole: number): number {
  return whole <= 0 ? 0 : Math.min(1, part / whole);
}

/** A worker that left took its totals with it: nothing counts as less than 0. */
function subtract(later: Totals, earlier: Totals | undefined): Totals {
  if (earlier === undefined) return later;
  const entries = Object.entries(later).map(([name, value]: [string, number]) => [
    name,
    Math.max(0, value - earlier[name as keyof Totals]),
  ]);
  return Object.fromEntries(entries) as Totals;
}

const STAGES = [
  ...([
    'describe',
    'clientEncode',
    'transfer',
    'decode',
    'ingest',
    'apply',
    'encode',
    'send',
  ] as const),
  ...(['queue', 'wire', 'fetch', 'run', 'report'] as const),
  ...(['assignRecords', 'doneRecords', 'queuedRows'] as const),
] satisfies readonly (keyof StageHistograms)[];

function subtractStages(
  later: StageHistograms,
  earlier: StageHistograms | undefined,
): StageHistograms {
  const entries = STAGES.map((name): [string, HistogramData] => [
    name,
    earlier === undefined ? later[name] : difference(later[name], earlier[name]),
  ]);
  return Object.fromEntries(entries) as unknown as StageHistograms;
}
