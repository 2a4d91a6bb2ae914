/** A lane's thread as the main thread holds it: the worker, its port and the memory they share. */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { HeddleError } from '../errors/index.js';
import { LaneMemory } from './lane_memory.js';
import type { LaneStart } from './messages.js';

/** Options shared by the threads of a process. */
export interface ThreadOptions {
  /** Longest busy wait of a lane for more work, in microseconds. */
  readonly spinUs: number;
  /** Old-space limit of a lane's heap in MiB; undefined: Node's default. */
  readonly heapMb: number | undefined;
}

/** One thread, from its start to its death. */
export class LaneThread {
  readonly memory = LaneMemory.allocate();
  readonly port: MessagePort;
  /** Resolves when the thread takes records, and when it is dead. */
  readonly settled: Promise<void>;
  /** Resolves with why the thread died: an uncaught error, or one that tells the exit code. */
  readonly died: Promise<Error>;
  readonly #worker: Worker;
  readonly #started = performance.now();
  #ready = false;
  #dead = false;

  constructor(lane: number, { spinUs, heapMb }: ThreadOptions) {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    const start: LaneStart = { memory: this.memory.shared, port: port2, spinUs };
    const worker = new Worker(new URL('./lane.js', import.meta.url), {
      workerData: start,
      transferList: [port2],
      name: `heddle lane ${lane}`,
      ...(heapMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMb } }),
    });
    this.#worker = worker;
    let fault: Error | undefined;
    worker.on('error', (error: Error) => {
      fault = error;
    });
    this.died = new Promise((resolve) => {
      worker.once('exit', (code) => {
        this.#dead = true;
        resolve(fault ?? exited(code));
      });
    });
    const ready = new Promise<void>((resolve) => {
      worker.once('message', () => {
        this.#ready = true;
        resolve();
      });
    });
    this.settled = Promise.race([ready, this.died.then(() => {})]);
  }

  /** True once the thread has said that it takes records. */
  get isReady(): boolean {
    return this.#ready;
  }

  get isDead(): boolean {
    return this.#dead;
  }

  /** Milliseconds since the thread was started. */
  get ageMs(): number {
    return performance.now() - this.#started;
  }

  /** Ends the thread, whatever it does. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }
}

function exited(code: number): HeddleError {
  return new HeddleError(
    'ERR_TASK_EXITED',
    `the task ended its lane (exit code ${code}): return or throw instead`,
  );
}
