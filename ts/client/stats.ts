// What the scheduler tells of itself.

/** One worker process. */
export interface WorkerInfo {
  /** Its number; never used again while the scheduler lives. */
  readonly proc: number;
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  /** Threads that run tasks. */
  readonly lanes: number;
  /** Where its values are fetched. */
  readonly dataAddress: string;
  /** Tasks sent to it that have not ended. */
  readonly inFlight: number;
}

/** The answer of `client.info()`. */
export interface SchedulerInfo {
  readonly version: string;
  /** Number of this scheduler's life. */
  readonly epoch: number;
  readonly address: string;
  readonly procs: WorkerInfo[];
}

/** One worker process with its totals, as of its last heartbeat. */
export interface WorkerStats extends WorkerInfo {
  /** Bytes of values it holds, and bytes it fetched from other workers so far. */
  readonly storedBytes: number;
  readonly fetchedBytes: number;
  /** CPU nanoseconds: user code, the rest of its lanes, its main thread. */
  readonly cpuComputeNs: number;
  readonly cpuLaneNs: number;
  readonly cpuMainNs: number;
  readonly rssBytes: number;
  /** Layer definitions it holds, counted in each of its threads. */
  readonly layers: number;
  /** How late its event loop was, in microseconds. */
  readonly loopLagUs: number;
  /** Heartbeats it has sent. */
  readonly beats: number;
}

/** The answer of `client.stats()`. Counters are totals since the scheduler started. */
export interface SchedulerStats {
  readonly tasksCompleted: number;
  readonly tasksFailed: number;
  /** Dispatches, repetitions included. */
  readonly attempts: number;
  /** Tasks in each state now. */
  readonly states: Readonly<Record<string, number>>;
  readonly clients: number;
  readonly layers: number;
  /** Bytes of small results the scheduler holds now. */
  readonly inlineBytes: number;
  /** Templates kept, and the bytes they take. */
  readonly templates: number;
  readonly templateBytes: number;
  readonly procs: WorkerStats[];
  readonly scheduler: {
    /** CPU nanoseconds by stage; `cpuIoNs` is libzmq's thread. */
    readonly cpuReceiveNs: number;
    readonly cpuApplyNs: number;
    readonly cpuEncodeNs: number;
    readonly cpuSendNs: number;
    readonly cpuIoNs: number;
    readonly frames: number;
    readonly framesSent: number;
    readonly bytesReceived: number;
    readonly bytesSent: number;
    readonly turns: number;
    /** Reports of attempts that no longer count: normal. */
    readonly stale: number;
    /** Frames and peers refused. */
    readonly rejected: number;
    readonly rssBytes: number;
  };
}
