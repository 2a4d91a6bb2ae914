// Options of everything that waits.
import { HeddleError } from '../errors/index.js';

/** How long to wait. */
export interface WaitOptions {
  /** Milliseconds until ERR_TIMEOUT (ERR_NO_WORKERS if no worker is connected then). Default: no limit. */
  readonly timeout?: number | undefined;
  /** Stops the waiting, not the task: rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Longest delay of a Node timer, in milliseconds. */
const TIMER_MS_MAX = 0x7fff_ffff;

/** @throws HeddleError ERR_ARGUMENT naming the option that is unfit. */
export function checkWaitOptions(options: WaitOptions): void {
  const { timeout, signal } = options;
  if (
    timeout !== undefined &&
    !(typeof timeout === 'number' && timeout >= 0 && timeout <= TIMER_MS_MAX)
  ) {
    throw new HeddleError(
      'ERR_ARGUMENT',
      `option timeout must be milliseconds from 0 to ${TIMER_MS_MAX}, not ${String(timeout)}`,
    );
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new HeddleError('ERR_ARGUMENT', 'option signal must be an AbortSignal');
  }
}
