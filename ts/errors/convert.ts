// Errors that come out of the native addons.
import { isErrorCode } from './codes.js';
import { HeddleError } from './heddle_error.js';

/**
 * The addons' errors say `CODE: text` (or carry a code of the table); this makes them {@link HeddleError}.
 * Anything else is a fault of ours: `ERR_INTERNAL`, with the original as cause.
 */
export function toHeddleError(thrown: unknown): HeddleError {
  if (thrown instanceof HeddleError) return thrown as HeddleError;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const match = /^(ERR_[A-Z_]+): ([\s\S]*)$/.exec(message);
  if (match !== null && isErrorCode(match[1])) {
    return new HeddleError(match[1], match[2] as string, { cause: thrown });
  }
  const code: unknown = thrown instanceof Error ? (thrown as { code?: unknown }).code : undefined;
  if (isErrorCode(code)) return new HeddleError(code, message, { cause: thrown });
  return new HeddleError('ERR_INTERNAL', message, { cause: thrown });
}
