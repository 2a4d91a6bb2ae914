/** `heddle scheduler`: the scheduler's thread in a process of its own. */
import process from 'node:process';
import { PACKAGE_VERSION } from '../client/version.js';
import { HeddleError } from '../errors/index.js';
import { Scheduler } from '../native/index.js';

/** Where the scheduler listens unless told otherwise. */
export const DEFAULT_HOST = '127.0.0.1';
/** Its port. */
export const DEFAULT_PORT = 8786;

/** How often the process looks whether the scheduler's thread still lives, in ms. */
const WATCH_MS = 500;

/** Parsed options of the command. */
export interface SchedulerCommand {
  /** Interface to listen on, when `bind` is empty. */
  readonly host: string;
  /** Port, 0 for any free one, when `bind` is empty. */
  readonly port: number;
  /** Whole addresses instead of host and port. */
  readonly bind: readonly string[];
  /** Print one JSON object instead of text. */
  readonly json: boolean;
  /** Files for a record and a trace of the run. */
  readonly record?: string;
  readonly trace?: string;
}

/**
 * Runs a scheduler until a signal.
 *
 * @throws HeddleError as {@link Scheduler.start} (of the files, too), and `ERR_ENGINE_POISONED` if the engine stops.
 */
export async function runScheduler(command: SchedulerCommand): Promise<void> {
  const bind =
    command.bind.length > 0
      ? command.bind
      : [
          `tcp://${command.host.includes(':') ? `[${command.host}]` : command.host}:${command.port}`,
        ];
  // From here on a signal waits for the start to finish, so that it never leaves a socket file behind.
  const stopped = untilSignal();
  const { record, trace } = command;
  const files = { record, trace };
  const scheduler = Scheduler.start({ bind, packageVersion: PACKAGE_VERSION, ...files });
  try {
    announce(scheduler, command.json);
    if ((record ?? trace) !== undefined) tellSpoolFailure(scheduler, stopped.over);
    await Promise.race([stopped.signal, untilFailed(scheduler, stopped.over)]);
  } finally {
    stopped.over.abort();
    scheduler.stop();
  }
}

function announce(scheduler: Scheduler, json: boolean): void {
  const address = scheduler.addresses[0] ?? '';
  const worker = `npx heddle worker --connect ${address}`;
  if (json) {
    const { addresses, epoch } = scheduler;
    process.stdout.write(
      `${JSON.stringify({ address, addresses, epoch, pid: process.pid, worker })}\n`,
    );
    return;
  }
  process.stdout.write(
    `Scheduler listening on ${scheduler.addresses.join(' and ')}\n` +
      `Start a worker in another terminal with:\n\n  ${worker}\n\n` +
      `Connect a client with: await Client.connect('${address}')\n` +
      'Stop with Ctrl-C.\n',
  );
}

/** Says once on stderr that a record or trace has ended before the run: at the latest when the scheduler has stopped. */
function tellSpoolFailure(scheduler: Scheduler, over: AbortController): void {
  const look = (): void => {
    const { spoolFailure } = scheduler;
    if (spoolFailure === undefined) return;
    clearInterval(timer);
    over.signal.removeEventListener('abort', last);
    process.stderr.write(`heddle: ${spoolFailure.message} [${spoolFailure.code}]\n`);
  };
  const last = (): void => {
    // The last of a file is written while the scheduler stops.
    scheduler.stop();
    look();
    clearInterval(timer);
  };
  const timer = setInterval(look, WATCH_MS);
  over.signal.addEventListener('abort', last, { once: true });
}

/** Resolves at the first SIGINT or SIGTERM, until `over` is aborted. */
function untilSignal(): { signal: Promise<void>; over: AbortController } {
  const over = new AbortController();
  const signal = new Promise<void>((resolve) => {
    const onSignal = () => resolve();
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.once(name, onSignal);
      over.signal.addEventListener('abort', () => process.removeListener(name, onSignal));
    }
  });
  return { signal, over };
}

/** Rejects when the scheduler's thread fails; its timer keeps the process alive meanwhile. */
function untilFailed(scheduler: Scheduler, over: AbortController): Promise<never> {
  return new Promise((_resolve, reject) => {
    const timer = setInterval(() => {
      if (scheduler.state !== 'failed') return;
      const what =
        'Start it again, and report this message; clients have to submit their work again.';
      reject(new HeddleError('ERR_ENGINE_POISONED', `${scheduler.failure}. ${what}`));
    }, WATCH_MS);
    over.signal.addEventListener('abort', () => clearInterval(timer));
  });
}
