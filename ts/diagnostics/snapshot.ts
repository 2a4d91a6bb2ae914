/** Totals of a cluster and of one client at one moment: what two explanations are subtracted from. */
import { hostname } from 'node:os';
import process from 'node:process';
import type { SchedulerStats, WorkerStats } from '../client/stats.js';
import { type HistogramData, NO_DATA } from './histogram.js';
import { ioThreadNanos } from './io_threads.js';
import type { LargeArgument } from './large_arguments.js';
import type { ClientStages } from './stages.js';

/** Histograms by stage; times in ns. */
export interface StageHistograms {
  /** Client: building layers; encoding frames; a graph's way to the scheduler; taking results in. */
  readonly describe: HistogramData;
  readonly clientEncode: HistogramData;
  readonly transfer: HistogramData;
  readonly decode: HistogramData;
  /** Scheduler: verifying and decoding a frame, the engine on an event, encoding and sending a turn. */
  readonly ingest: HistogramData;
  readonly apply: HistogramData;
  readonly encode: HistogramData;
  readonly send: HistogramData;
  /** Workers: a batch's wait at its lane, half a round trip, waits for inputs, user code, Done frames. */
  readonly queue: HistogramData;
  readonly wire: HistogramData;
  readonly fetch: HistogramData;
  readonly run: HistogramData;
  readonly report: HistogramData;
  /** Sizes: records per worker and turn, records per Done frame, ready rows without a lane. */
  readonly assignRecords: HistogramData;
  readonly doneRecords: HistogramData;
  readonly queuedRows: HistogramData;
}

/** The answer to the question `stages`. */
interface SchedulerStages
  extends Omit<StageHistograms, 'describe' | 'clientEncode' | 'transfer' | 'decode'> {
  readonly activeNs: number;
  readonly queuedRowNs: number;
  readonly idleLanes: number;
  readonly sampledLanes: number;
}

/** Running totals. Times in ns. */
export interface Totals {
  readonly tasksCompleted: number;
  readonly tasksFailed: number;
  readonly attempts: number;
  readonly turns: number;
  readonly bytesToScheduler: number;
  readonly bytesFromScheduler: number;
  readonly bytesBetweenWorkers: number;
  /** Wall time with unfinished work. */
  readonly active: number;
  /** Ready rows without a lane, times the time they were. */
  readonly queuedRows: number;
  readonly idleLanes: number;
  readonly sampledLanes: number;
  /** CPU by thread. */
  readonly describe: number;
  readonly clientEncode: number;
  readonly clientDecode: number;
  readonly receive: number;
  readonly apply: number;
  readonly encode: number;
  readonly send: number;
  readonly schedulerIo: number;
  readonly clientIo: number;
  readonly workerMain: number;
  readonly workerIo: number;
  readonly lanes: number;
  readonly compute: number;
  readonly fusedBefore: number;
  readonly fusedAfter: number;
}

/** Everything at one moment. */
export interface Snapshot {
  readonly totals: Totals;
  readonly histograms: StageHistograms;
  readonly laneCount: number;
  readonly workers: number;
  readonly large: readonly LargeArgument[];
}

/** What a snapshot is taken of. */
export interface Observed {
  stats(): Promise<SchedulerStats>;
  query(what: string): Promise<unknown>;
  /** The client's own stages; undefined for a tool that looks on from outside. */
  readonly stages: ClientStages | undefined;
  /** Lazy calls computed, and the tasks they became. */
  readonly fusion: { readonly before: number; readonly after: number };
}

/** Workers tell of themselves once a second. */
const REPORT_MS = 1_300;
const POLL_MS = 20;

/** Waits until every worker has told how things stand after now, then reads all totals. */
export async function takeSnapshot(of: Observed): Promise<Snapshot> {
  const stats = await freshStats(of);
  const stages = (await of.query('stages')) as SchedulerStages;
  const { stages: own } = of;
  return {
    totals: totalsOf(of, stats, stages),
    histograms: {
      ...stages,
      describe: own?.describe.data() ?? NO_DATA,
      clientEncode: own?.encode.data() ?? NO_DATA,
      transfer: own?.transfer.data() ?? NO_DATA,
      decode: own?.decode.data() ?? NO_DATA,
    },
    laneCount: stats.procs.reduce((lanes, proc) => lanes + proc.lanes, 0),
    workers: stats.procs.length,
    large: own?.large.list() ?? [],
  };
}

async function freshStats(of: Observed): Promise<SchedulerStats> {
  const first = await of.stats();
  const told = new Map(first.procs.map(({ proc, beats }) => [proc, beats]));
  let latest = first;
  for (const since = performance.now(); performance.now() - since < REPORT_MS; ) {
    if (latest.procs.every(({ proc, beats }) => beats > (told.get(proc) ?? -1))) break;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    latest = await of.stats();
  }
  return latest;
}

function totalsOf(of: Observed, stats: SchedulerStats, stages: SchedulerStages): Totals {
  const { procs, scheduler } = stats;
  const sum = (value: (proc: WorkerStats) => number): number =>
    procs.reduce((total, proc) => total + value(proc), 0);
  const here = hostname();
  return {
    tasksCompleted: stats.tasksCompleted,
    tasksFailed: stats.tasksFailed,
    attempts: stats.attempts,
    turns: scheduler.turns,
    bytesToScheduler: scheduler.bytesReceived,
    bytesFromScheduler: scheduler.bytesSent,
    bytesBetweenWorkers: sum(({ fetchedBytes }) => fetchedBytes),
    active: stages.activeNs,
    queuedRows: stages.queuedRowNs,
    idleLanes: stages.idleLanes,
    sampledLanes: stages.sampledLanes,
    describe: of.stages?.describe.sum ?? 0,
    clientEncode: of.stages?.encode.sum ?? 0,
    clientDecode: of.stages?.decode.sum ?? 0,
    receive: scheduler.cpuReceiveNs,
    apply: scheduler.cpuApplyNs,
    encode: scheduler.cpuEncodeNs,
    send: scheduler.cpuSendNs,
    schedulerIo: scheduler.cpuIoNs,
    clientIo: of.stages === undefined ? 0 : ioThreadNanos(process.pid),
    workerMain: sum(({ cpuMainNs }) => cpuMainNs),
    // Of other machines it is not known.
    workerIo: sum(({ pid, host }) => (host === here ? ioThreadNanos(pid) : 0)),
    lanes: sum(({ cpuLaneNs }) => cpuLaneNs),
    compute: sum(({ cpuComputeNs }) => cpuComputeNs),
    fusedBefore: of.fusion.before,
    fusedAfter: of.fusion.after,
  };
}
