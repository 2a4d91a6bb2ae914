/**
 * What a client and a worker record of their own stages, always: once per call, frame or batch, never per task.
 * `HEDDLE_STAGES=off` in the environment turns recording off, here and in the scheduler, to measure what it costs.
 */
import process from 'node:process';
import { BUCKETS, Histogram } from './histogram.js';
import { LargeArguments } from './large_arguments.js';

/** False where the environment says `HEDDLE_STAGES=off`. */
export const RECORDING = process.env.HEDDLE_STAGES !== 'off';

/** One call in so many is timed where a call submits one task; a prime, so that no rhythm of calls meets it. */
const SAMPLE = 61;

/** Milliseconds since `since`, a value of `performance.now()`, in nanoseconds. */
function nanosSince(since: number): number {
  return (performance.now() - since) * 1e6;
}

/** A client's stages. Times are in ns. */
export class ClientStages {
  /** Building the layers of one call, encoding aside. */
  readonly describe = new Histogram();
  /** Encoding one frame. */
  readonly encode = new Histogram();
  /** From the sending of a graph to the scheduler's answer. */
  readonly transfer = new Histogram();
  /** Taking one frame of the scheduler in, or decoding the results of one gather. */
  readonly decode = new Histogram();
  /** Graphs sent and not answered: when. */
  readonly #sent = new Map<number, number>();
  /** Tasks submitted. */
  tasks = 0;
  readonly large = new LargeArguments();
  /** Bytes of graphs sent. */
  bytesSent = 0;
  #encodedNs = 0;
  #calls = 0;
  #sampledNs = 0;
  #decoding = false;

  /** Times a call that describes work: its encoding is told apart. */
  describing<R>(call: () => R): R {
    if (!RECORDING) return call();
    const since = performance.now();
    const encoded = this.#encodedNs;
    try {
      return call();
    } finally {
      this.describe.record(nanosSince(since) - (this.#encodedNs - encoded));
    }
  }

  /** Begins a call that submits one task: one in {@link SAMPLE} is timed, and stands for all. */
  sample(): number {
    if (!RECORDING || ++this.#calls < SAMPLE) return 0;
    this.#calls = 0;
    this.#sampledNs = this.#encodedNs;
    return performance.now();
  }

  /** Ends a call that {@link sample} chose. */
  sampled(since: number): void {
    this.describe.record(nanosSince(since) - (this.#encodedNs - this.#sampledNs), SAMPLE);
  }

  /** Times the encoding of a frame. */
  encoding<P extends readonly Uint8Array[]>(call: () => P): P {
    if (!RECORDING) return call();
    const since = performance.now();
    const parts = call();
    const ns = nanosSince(since);
    this.encode.record(ns);
    this.#encodedNs += ns;
    for (const part of parts) this.bytesSent += part.length;
    return parts;
  }

  /** Times work on what came. */
  decoding<R>(call: () => R): R {
    // Results may be decoded while the frame that brought them is taken in.
    if (!RECORDING || this.#decoding) return call();
    this.#decoding = true;
    const since = performance.now();
    try {
      return call();
    } finally {
      this.#decoding = false;
      this.decode.record(nanosSince(since));
    }
  }

  /** A graph of so many tasks was sent. */
  sent(graph: number, tasks: number): void {
    this.tasks += tasks;
    if (RECORDING) this.#sent.set(graph, performance.now());
  }

  /** A graph was accepted or refused. */
  answered(graph: number): void {
    const since = this.#sent.get(graph);
    if (since === undefined) return;
    this.#sent.delete(graph);
    this.transfer.record(nanosSince(since));
  }
}

/** Stages of a worker, by their numbers in heartbeats. The scheduler has the same list. */
export const WORKER_STAGES = ['queue', 'wire', 'fetch', 'run', 'report', 'doneRecords'] as const;

/** A worker's stages. Times are in ns. */
export class WorkerStages {
  /** From the arrival of a batch at its lane until its results were collected, user code aside. */
  readonly queue = new Histogram();
  /** Half of a heartbeat's way to the scheduler and back. */
  readonly wire = new Histogram();
  /** Waiting of records for inputs on other workers. */
  readonly fetch = new Histogram();
  /** User code: the mean of each batch, counted once per task. */
  readonly run = new Histogram();
  /** Building one Done frame. */
  readonly report = new Histogram();
  /** Records in one Done frame. */
  readonly doneRecords = new Histogram();

  /** A batch of `records` has ended. */
  ended(records: number, queuedMs: number, runUs: number): void {
    const runNs = runUs * 1000;
    this.queue.record(Math.max(0, (performance.now() - queuedMs) * 1e6 - runNs));
    this.run.record(runNs / records, records);
  }

  /** The cells that are not 0, for a heartbeat. */
  cells(): { stageCells: Uint32Array; stageCounts: Uint32Array } | undefined {
    if (!RECORDING) return undefined;
    const cells: number[] = [];
    const counts: number[] = [];
    for (const [stage, name] of WORKER_STAGES.entries()) {
      const histogram = this[name];
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        const count = histogram.counts[bucket] as number;
        if (count === 0) continue;
        cells.push(stage * BUCKETS + bucket);
        counts.push(Math.min(count, 0xffff_ffff));
      }
    }
    return { stageCells: Uint32Array.from(cells), stageCounts: Uint32Array.from(counts) };
  }
}
