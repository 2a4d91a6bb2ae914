// What a scheduler's Reject means to the peer that receives it.
import { isErrorCode } from './codes.js';
import { HeddleError } from './heddle_error.js';

/**
 * The error of a Reject: its code if the table has it, and words that say who refused or failed.
 *
 * @param address where the scheduler listens.
 */
export function refusal(
  address: string,
  code: string | undefined,
  reason = 'no reason given',
): HeddleError {
  if (code === 'ERR_ENGINE_POISONED') {
    return new HeddleError(
      code,
      `the scheduler at ${address} failed: ${reason}. Start it again, submit the work again and report this message`,
    );
  }
  const known = isErrorCode(code) ? code : 'ERR_PROTOCOL';
  return new HeddleError(known, `the scheduler at ${address} refused: ${reason}`);
}
