/** `heddle worker`: a worker process in this terminal. */
import process from 'node:process';
import { runWorker, type WorkerOptions } from '../worker/index.js';

/** Parsed options of the command. */
export interface WorkerCommand
  extends Pick<
    WorkerOptions,
    'connect' | 'lanes' | 'name' | 'dataBind' | 'reconnect' | 'memory' | 'timeout'
  > {
  /** Print JSON lines instead of text. */
  readonly json: boolean;
}

/**
 * Runs a worker until a signal, the scheduler's goodbye or its loss.
 *
 * @throws HeddleError what `runWorker` throws, and the error of a connection that did not end well.
 */
export async function runWorkerCommand({ json, ...options }: WorkerCommand): Promise<void> {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, onSignal);
  const say = (event: object, text: string) => {
    process.stdout.write(`${json ? JSON.stringify(event) : text}\n`);
  };
  const { graceful, error } = await runWorker({
    ...options,
    signal: stop.signal,
    onReady: (ready) => {
      const { proc, lanes, dataAddress } = ready;
      const text = `Worker ${proc} serves ${options.connect} with ${lanes} lanes, values at ${dataAddress}`;
      say({ event: 'ready', pid: process.pid, ...ready }, text);
    },
  });
  if (!graceful) throw error;
  say({ event: 'stopped', reason: error.message }, `Worker stopped: ${error.message}`);
}
