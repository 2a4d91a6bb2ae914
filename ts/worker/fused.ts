/** Runs the calls of a fused task one after the other. */
import { decodeArgs } from '../wire/index.js';
import { enterStep } from './context.js';
import type { Body } from './functions.js';
import { isThenable } from './thenable.js';

/**
 * A body that makes `steps` calls. Its arguments: the first call's list, then an encoded list per later call (see
 * `graph/fused_arguments.ts`).
 *
 * @param names of the calls, for errors
 */
export function fusedBody(steps: readonly Body[], names: readonly string[]): Body {
  const call = (at: number, args: readonly unknown[]): unknown => {
    enterStep(at);
    try {
      return (steps[at] as (...args: unknown[]) => unknown)(...args);
    } catch (error) {
      throw placed(error, at, names);
    }
  };
  const finish = async (
    pending: PromiseLike<unknown>,
    from: number,
    later: readonly Uint8Array[],
  ): Promise<unknown> => {
    let value: unknown;
    let at = from;
    try {
      value = await pending;
      while (at + 1 < steps.length) {
        const args = decodeArgs(later[at] as Uint8Array, [value]);
        at++;
        enterStep(at);
        value = await (steps[at] as (...args: unknown[]) => unknown)(...args);
      }
    } catch (error) {
      throw placed(error, at, names);
    }
    return value;
  };
  const run = (first: readonly unknown[], ...later: readonly Uint8Array[]): unknown => {
    let value = call(0, first);
    for (let at = 0; at + 1 < steps.length; at++) {
      if (isThenable(value)) return finish(value, at, later);
      value = call(at + 1, decodeArgs(later[at] as Uint8Array, [value]));
    }
    return value;
  };
  return run as Body;
}

/** An error's stack says which call of the task it came from. */
function placed(error: unknown, at: number, names: readonly string[]): unknown {
  if (error instanceof Error && Object.isExtensible(error)) {
    error.stack = `${error.stack ?? error.message}\n    in '${names[at]}', call ${at + 1} of ${names.length} fused into one task`;
  }
  return error;
}
