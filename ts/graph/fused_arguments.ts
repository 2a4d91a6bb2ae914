// Arguments of a task that makes several calls: those of the first call as they are, then one byte string per later
// call, an encoded argument list whose only input is what the call before returned.
import { Dep, encodeArgs } from '../wire/index.js';
import type { Chain } from './fuse.js';
import { replaceReferences } from './inputs.js';

/**
 * The argument list of the task; a chain of one call has that call's.
 * @throws HeddleError ERR_ARGUMENT_SERIALIZATION
 */
export function argumentsOf(chain: Chain): readonly unknown[] {
  const [first, ...later] = chain;
  const args = first?.args ?? [];
  if (later.length === 0) return args;
  // What is read is the call before: `chainsOf` lets nothing else through.
  const previous = new Dep(0);
  return [
    args,
    ...later.map((node) =>
      encodeArgs(node.args.map((arg) => replaceReferences(arg, () => previous))),
    ),
  ];
}
