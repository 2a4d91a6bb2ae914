#!/usr/bin/env node
/**
 * Entry of a worker process. Prints nothing unless something is wrong.
 *
 * Exit codes: 0 stopped or the scheduler said goodbye; 2 wrong options; else as `exit_codes.ts` has
 * them for the error: 70 the scheduler's engine failed, 75 the scheduler was lost.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { exitCodeOf } from '../errors/exit_codes.js';
import { HeddleError } from '../errors/index.js';
import type { WorkerOptions } from './options.js';
import { runWorker } from './run.js';

const EXIT_USAGE = 2;
/** Milliseconds between the loss of an embedded scheduler and the end of its process. */
const PARENT_MS = 300;

function optionsFromArgs(args: string[]): WorkerOptions & { parentPipe: boolean } {
  const { values } = parseArgs({
    args,
    options: {
      connect: { type: 'string' },
      lanes: { type: 'string' },
      name: { type: 'string' },
      'data-bind': { type: 'string' },
      reconnect: { type: 'boolean', default: false },
      'parent-pipe': { type: 'boolean', default: false },
      memory: { type: 'string' },
    },
  });
  const number = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : Number(text);
  return {
    connect: values.connect ?? '',
    lanes: number(values.lanes),
    name: values.name,
    dataBind: values['data-bind'],
    reconnect: values.reconnect,
    memory: number(values.memory),
    parentPipe: values['parent-pipe'],
  };
}

async function main(): Promise<number> {
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  const options = optionsFromArgs(process.argv.slice(2));
  if (options.parentPipe) {
    // The parent holds the other end: it closes when the parent dies, however it dies.
    process.stdin
      .on('end', () => stop.abort())
      .on('error', () => stop.abort())
      .resume();
  }
  const { graceful, error } = await runWorker({ ...options, signal: stop.signal });
  // A parent that ends takes its scheduler along: which of the two is noticed first means nothing.
  if (!graceful && options.parentPipe && !stop.signal.aborted) {
    await sleep(PARENT_MS, undefined, { signal: stop.signal }).catch(() => {});
  }
  if (graceful || stop.signal.aborted) return 0;
  process.stderr.write(`heddle worker: ${error.code}: ${error.message}\n`);
  return exitCodeOf(error.code);
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const text = error instanceof HeddleError ? `${error.code}: ${error.message}` : String(error);
    process.stderr.write(`heddle worker: ${text}\n`);
    process.exit(EXIT_USAGE);
  },
);
