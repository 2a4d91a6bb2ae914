/** Options of a worker process, from code or from the command line. */
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { HeddleError } from '../errors/index.js';
import { limits } from '../wire/index.js';

/** Options of `runWorker`. */
export interface WorkerOptions {
  /** Address of the scheduler: `tcp://HOST:PORT` or `ipc://PATH`. */
  readonly connect: string;
  /** Lanes, each of which runs one task at a time. Default: the cores of the machine. */
  readonly lanes?: number | undefined;
  /** What tools call this worker. Default: `worker-PID`. */
  readonly name?: string | undefined;
  /** Where values are served. Default: beside an ipc scheduler, else any free loopback port. */
  readonly dataBind?: string | undefined;
  /**
   * Connect again, with an empty store, when the scheduler is lost. Default false: the worker ends.
   */
  readonly reconnect?: boolean | undefined;
  /** Bytes of values the process may hold for clients' scattered data. Default: 4 GiB. */
  readonly memory?: number | undefined;
  /** Milliseconds a scheduler may take to answer. Default 10000. */
  readonly timeout?: number | undefined;
  /** Longest busy wait of a lane for more work, in microseconds. Default 40. */
  readonly spinUs?: number | undefined;
  /** Ends the worker when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Told once the scheduler has taken the worker. */
  readonly onReady?: ((ready: WorkerReady) => void) | undefined;
}

/** What is known once a worker serves. */
export interface WorkerReady {
  readonly proc: number;
  readonly epoch: number;
  readonly dataAddress: string;
  readonly lanes: number;
}

/** Options with every default filled in. */
export interface ResolvedOptions {
  readonly connect: string;
  readonly lanes: number;
  readonly name: string;
  readonly dataBind: string;
  readonly reconnect: boolean;
  readonly memory: number;
  readonly heapMb: number | undefined;
  readonly timeout: number;
  readonly spinUs: number;
}

const MEMORY_BYTES = 4 * 1024 ** 3;
const HEAP_MB_MIN = 256;
const CONNECT_MS = 10_000;
const SPIN_US = 40;
/** Paths of Unix sockets are limited to about 107 bytes. */
const IPC_PATH_BYTES_MAX = 100;

/**
 * Checks options and fills in defaults.
 *
 * @throws HeddleError `ERR_ARGUMENT`, `ERR_ADDRESS_INVALID` or `ERR_ADDRESS_NOT_LOOPBACK`.
 */
export function resolveOptions(options: WorkerOptions): ResolvedOptions {
  const { connect, memory } = options;
  checkAddress(connect);
  const lanes = options.lanes ?? Math.min(availableParallelism(), limits.LANES_PER_PROC_MAX);
  checkInteger('lanes', lanes, 1, limits.LANES_PER_PROC_MAX);
  const timeout = options.timeout ?? CONNECT_MS;
  checkInteger('timeout', timeout, 1, 0x7fff_ffff);
  if (memory !== undefined) checkInteger('memory', memory, 1, Number.MAX_SAFE_INTEGER);
  const dataBind = options.dataBind ?? defaultDataBind(connect);
  checkLoopback(dataBind);
  const perLane = memory === undefined ? undefined : Math.ceil(memory / lanes / 1024 ** 2);
  return {
    connect,
    lanes,
    name: options.name ?? `worker-${process.pid}`,
    dataBind,
    reconnect: options.reconnect ?? false,
    memory: memory ?? MEMORY_BYTES,
    heapMb: perLane === undefined ? undefined : Math.max(HEAP_MB_MIN, perLane),
    timeout,
    spinUs: options.spinUs ?? SPIN_US,
  };
}

function defaultDataBind(connect: string): string {
  if (!connect.startsWith('ipc://')) return 'tcp://127.0.0.1:*';
  const name = `heddle-data-${process.pid}`;
  const beside = join(dirname(connect.slice('ipc://'.length)), name);
  return `ipc://${Buffer.byteLength(beside) <= IPC_PATH_BYTES_MAX ? beside : join(tmpdir(), name)}`;
}

function checkAddress(address: string): void {
  if (typeof address === 'string' && /^(?:tcp:\/\/[^/\s]+:\d{1,5}|ipc:\/\/\S.*)$/.test(address))
    return;
  throw new HeddleError(
    'ERR_ADDRESS_INVALID',
    `'${String(address)}' is not an address: expected tcp://HOST:PORT or ipc://PATH`,
  );
}

function checkLoopback(address: string): void {
  if (
    /^ipc:\/\/\S/.test(address) ||
    /^tcp:\/\/(?:127(?:\.\d{1,3}){3}|localhost|\[::1\]):(?:\d{1,5}|\*)$/.test(address)
  ) {
    return;
  }
  throw new HeddleError(
    'ERR_ADDRESS_NOT_LOOPBACK',
    `'${address}' would serve values to the network without encryption: bind ipc://PATH or tcp://127.0.0.1:PORT`,
  );
}

function checkInteger(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new HeddleError(
    'ERR_ARGUMENT',
    `${name} must be an integer from ${min} to ${max}, not ${String(value)}`,
  );
}
