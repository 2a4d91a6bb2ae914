/** `npm start`: set_index on three million flights, end to end. */
import { constants } from 'node:os';
import process from 'node:process';
import { HeddleError } from '../../errors/index.js';
import { runFlights } from './job.js';
import { HELP, parseOptions } from './options.js';
import { describeReport, describeRows } from './report.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === null) {
    process.stdout.write(HELP);
    return;
  }
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    process.exitCode = 128 + constants.signals[signal];
    // A second signal does not wait for an orderly end; exit handlers still clean up.
    if (stop.signal.aborted) process.exit();
    stop.abort(new HeddleError('ERR_CANCELLED', `stopped by ${signal}`));
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    const { report, head } = await runFlights(options, stop.signal);
    const text = options.json
      ? JSON.stringify(report)
      : `${describeRows(head)}\n\n${describeReport(report)}`;
    process.stdout.write(`${text}\n`);
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}

try {
  await main();
} catch (error) {
  process.exitCode ||= 1;
  const known = error instanceof HeddleError;
  process.stderr.write(known ? `${error.code}: ${error.message}\n` : `${(error as Error).stack}\n`);
}
