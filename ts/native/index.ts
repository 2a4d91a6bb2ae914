/**
 * The engine's native addon, typed: an embedded scheduler, and a clock of the calling thread's CPU.
 * The addon is loaded at first use, so modules that merely mention it can be imported without it.
 */
import { RECORDING } from '../diagnostics/stages.js';
import { HeddleError, isErrorCode } from '../errors/index.js';
import { loadAddon } from './load.js';
import { profileIfAsked, type Sampler } from './profile.js';

/** How thoroughly the engine checks its own state while it runs. */
export type CheckLevel = 'light' | 'touched' | 'full';

/** Options of {@link Scheduler.start}. */
export interface SchedulerOptions {
  /**
   * Addresses to listen on: `tcp://127.0.0.1:PORT` (port `0` or `*`: any free one) or
   * `ipc:///absolute/path`. Anything another machine could reach is refused.
   */
  readonly bind: readonly string[];
  /** Version told to peers. Default: none. */
  readonly packageVersion?: string;
  /** Silence after which a peer is lost, in ms. Default 4000. */
  readonly peerDeadlineMs?: number;
  /** Longest time a lost client's demand is kept, in ms. Default 30000; clients may ask for less. */
  readonly clientGraceMs?: number;
  /** Wait before clients are told that work waits for workers, in ms. Default 1000. */
  readonly noWorkersNoticeMs?: number;
  /** File that every input of the engine is recorded to, for {@link replayRecord}. Default: none. */
  readonly record?: string | undefined;
  /** File that a trace of tasks and transfers is written to, for Perfetto. Default: none. */
  readonly trace?: string | undefined;
  /** Default `light`; `full` is for tests: it scans all state after every event. */
  readonly check?: CheckLevel;
}

/** `running`, `stopped` (by `stop()`), or `failed`: the engine found itself inconsistent. */
export type SchedulerState = 'running' | 'stopped' | 'failed';

/** Versions compiled into the addon. */
export interface NativeVersions {
  /** Version of the Rust engine. */
  readonly engine: string;
  /** Protocol `major.minor`. */
  readonly protocol: string;
  /** Version of the libzmq inside the addon. */
  readonly libzmq: string;
}

// What the addon takes: every field present, no defaults on that side.
interface NativeOptions {
  bind: string[];
  packageVersion: string;
  peerDeadlineMs: number;
  clientGraceMs: number;
  noWorkersNoticeMs: number;
  check: CheckLevel;
  stages: boolean;
  record: string;
  trace: string;
}

interface NativeScheduler {
  readonly addresses: string[];
  readonly epoch: number;
  readonly state: SchedulerState;
  readonly failure: string;
  readonly spoolFailure: string;
  injectFault(): void;
  stop(): void;
}

interface NativeAddon extends Sampler {
  Scheduler: { start(options: NativeOptions): NativeScheduler };
  threadCpuNanos(): number;
  replay(file: string, packageVersion: string): Promise<ReplayReport>;
  versions(): NativeVersions;
}

let loaded: NativeAddon | undefined;

function addon(): NativeAddon {
  loaded ??= loadAddon('heddle', 'HEDDLE_NATIVE_PATH') as NativeAddon;
  return loaded;
}

/** Native messages begin with their code: `ERR_X: text`. Gives back the typed error. */
export function nativeError(error: unknown): HeddleError {
  const text = error instanceof Error ? error.message : String(error);
  const split = text.indexOf(': ');
  const code = split < 0 ? '' : text.slice(0, split);
  if (isErrorCode(code)) return new HeddleError(code, text.slice(split + 2), { cause: error });
  return new HeddleError('ERR_INTERNAL', text, { cause: error });
}

/**
 * A scheduler on a thread of its own in this process. User code and the event loop do not slow it
 * down, and it does not keep the process alive: it ends with it.
 *
 * @example
 * using scheduler = Scheduler.start({ bind: ['tcp://127.0.0.1:0'] });
 * console.log(scheduler.addresses[0]);
 */
export class Scheduler implements Disposable {
  readonly #native: NativeScheduler;
  /** Addresses bound, with real ports, in the order asked for. */
  readonly addresses: readonly string[];
  /** Number of this scheduler's life: random, never 0. */
  readonly epoch: number;

  private constructor(native: NativeScheduler) {
    this.#native = native;
    this.addresses = Object.freeze([...native.addresses]);
    this.epoch = native.epoch;
  }

  /**
   * Binds the addresses and starts the thread.
   *
   * @throws HeddleError `ERR_ADDRESS_INVALID`, `ERR_ADDRESS_NOT_LOOPBACK`, `ERR_ADDRESS_IN_USE`,
   *   `ERR_ARGUMENT` or `ERR_NATIVE_MISSING`; of a record that cannot be written, `ERR_FILE_MISSING`,
   *   `ERR_DISK_FULL` or `ERR_IO`.
   */
  static start(options: SchedulerOptions): Scheduler {
    const native = addon();
    profileIfAsked(native);
    try {
      return new Scheduler(
        native.Scheduler.start({
          bind: [...options.bind],
          packageVersion: options.packageVersion ?? '',
          peerDeadlineMs: milliseconds('peerDeadlineMs', options.peerDeadlineMs ?? 4_000),
          clientGraceMs: milliseconds('clientGraceMs', options.clientGraceMs ?? 30_000),
          noWorkersNoticeMs: milliseconds('noWorkersNoticeMs', options.noWorkersNoticeMs ?? 1_000),
          check: options.check ?? 'light',
          stages: RECORDING,
          record: options.record ?? '',
          trace: options.trace ?? '',
        }),
      );
    } catch (error) {
      throw error instanceof HeddleError ? error : nativeError(error);
    }
  }

  /** What the thread does now. */
  get state(): SchedulerState {
    return this.#native.state;
  }

  /** Why the state is `failed`; empty otherwise. */
  get failure(): string {
    return this.#native.failure;
  }

  /** Why the record or the trace has ended before the run, if one has; the run goes on all the same. */
  get spoolFailure(): HeddleError | undefined {
    const failure = this.#native.spoolFailure;
    return failure === '' ? undefined : nativeError(failure);
  }

  /**
   * Makes the thread fail in its next turn as a defect of the engine would: for tests of what follows.
   * @internal
   */
  injectFault(): void {
    this.#native.injectFault();
  }

  /** Says goodbye to every peer, ends the thread and closes the sockets. Repeatable. */
  stop(): void {
    this.#native.stop();
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}

function milliseconds(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= 0x7fff_ffff) return value;
  throw new HeddleError('ERR_ARGUMENT', `${name} must be a whole number of ms, not ${value}`);
}

/** What a replay did. */
export interface ReplayReport {
  /** Inputs of the engine, and those that came as frames. */
  readonly events: number;
  readonly frames: number;
  /** Turns of the recorded loop. */
  readonly turns: number;
  readonly tasksCompleted: number;
  readonly tasksFailed: number;
  /** Bytes of the file. */
  readonly bytes: number;
  /** The engine's digest at the end, in hexadecimal; equal to the recorded one. */
  readonly digest: string;
  /** Nanoseconds: reading the file, decoding frames, the engine, encoding what would have been sent. */
  readonly readNs: number;
  readonly decodeNs: number;
  readonly applyNs: number;
  readonly encodeNs: number;
}

/**
 * Repeats a recorded run offline, on a thread of its own.
 *
 * @param packageVersion version that the file must be of.
 * @throws HeddleError `ERR_FILE_MISSING`, `ERR_IO`, `ERR_RECORD_VERSION`, `ERR_RECORD_TRUNCATED`, `ERR_RECORD_CORRUPT`,
 *   `ERR_RECORD_DIVERGED` if the end is not the recorded one.
 */
export async function replayRecord(file: string, packageVersion: string): Promise<ReplayReport> {
  try {
    const native = addon();
    profileIfAsked(native);
    return await native.replay(file, packageVersion);
  } catch (error) {
    throw error instanceof HeddleError ? error : nativeError(error);
  }
}

/** CPU time the calling thread has used so far, in ns. About 0.3 us per call: once per batch. */
export function threadCpuNanos(): number {
  return addon().threadCpuNanos();
}

/** Versions of what is compiled into the addon. */
export function nativeVersions(): NativeVersions {
  return addon().versions();
}
