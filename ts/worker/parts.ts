/**
 * Results of several parts, each of which can be the input of another task without moving the
 * others.
 */
import { HeddleError } from '../errors/index.js';
import { PartsValue } from '../wire/index.js';

/**
 * Returns several values from one task as separately fetchable parts.
 *
 * @param values the parts, usually byte arrays; a consumer names one by its position.
 * @throws HeddleError `ERR_ARGUMENT` if `values` is not an array.
 * @example
 * export const split = task(import.meta.url, 'split', (rows: Uint8Array) => parts(slices(rows,
 * 64)));
 */
export function parts(values: readonly unknown[]): PartsValue {
  if (!Array.isArray(values)) throw new HeddleError('ERR_ARGUMENT', 'parts(values): not an array');
  return new PartsValue(values);
}
