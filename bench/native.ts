/** The workloads in the engine's addon, typed. */
import { loadAddon } from '#heddle/native/load.js';

/** Runs one prepared graph through the engine, once. */
export interface EngineRun {
  readonly tasks: number;
  /** Gives the number of tasks completed. */
  run(): number;
  /** Compares every result, which ends the run; gives the engine's digest. */
  verify(): string;
}

/** Counts one prepared graph down, once. */
export interface WalkRun {
  readonly tasks: number;
  /** Gives the number of rows completed. */
  run(): number;
}

/** Takes one prepared graph in, once. */
export interface IngestRun {
  /** Gives the number of rows the engine then knows. */
  run(): number;
}

/** Frames to one worker and back, on the calling thread. */
export interface LoopFloor {
  /** Blocks until at least `records` records were answered; gives their number. */
  run(records: number): number;
}

/** A thread that hands messages from one peer to another. */
export interface RelayFloor {
  stop(): void;
}

/** The engine and the codec between many procs of one lane, without sockets. */
export interface InprocRun {
  readonly tasks: number;
  /** Runs a binary tree; gives the sum of the leaves' numbers 1, 2, … and 1 for each reduction. */
  run(): number;
}

/** Zero-workers on a thread of this process. */
export interface ZeroWorkers {
  /** Why they stopped by themselves: the scheduler said goodbye, or a frame made no sense. Null while they answer. */
  readonly failure: string | null;
  stop(): void;
}

interface Addon {
  BenchEngine: {
    new (shape: 'map' | 'tree' | 'random', tasks: number): EngineRun;
    /** Rows read rows before them; the rows nobody reads are wanted. */
    explicit(offsets: Uint32Array, indices: Uint32Array): EngineRun;
  };
  BenchInproc: new (procs: number, tasks: number) => InprocRun;
  BenchWalk: new (shape: 'tree' | 'random', tasks: number) => WalkRun;
  BenchIngest: new (tasks: number) => IngestRun;
  BenchLoopFloor: new (address: string) => LoopFloor;
  BenchRelayFloor: new (address: string) => RelayFloor;
  BenchZeroWorkers: new (address: string, workers: number, lanes: number) => ZeroWorkers;
  benchWireAssign(records: number): boolean;
}

let loaded: Addon | undefined;

/** The addon; loaded at first use, so that peers can be measured without it. */
export function native(): Addon {
  loaded ??= loadAddon('heddle', 'HEDDLE_NATIVE_PATH') as Addon;
  return loaded;
}
