// task(): an ordinary function that also knows where workers find it.
import { createHash } from 'node:crypto';
import { HeddleError } from '../errors/index.js';
import type { ModuleFunction } from './function_body.js';
import { checkTaskOptions, type TaskDefaults } from './options.js';

/** Key of the reference on a task; registered, so that two copies of the package agree. */
export const TASK: unique symbol = Symbol.for('heddle.task') as never;

/** What a task carries beside its code. */
export interface TaskReference {
  readonly body: ModuleFunction;
  readonly defaults: TaskDefaults;
}

/** A function that is shipped by reference: `task()` makes them. Calling it runs it here and now. */
export type Task<A extends unknown[], R> = ((...args: A) => R) & {
  readonly [TASK]: TaskReference;
};

/**
 * Marks an exported function as a task, so that workers import it instead of receiving its source.
 * The function may use anything of its module.
 *
 * @param url `import.meta.url` of the module.
 * @param name the name under which the module exports the result.
 * @param fn the body: may be async, may throw. Generators are not supported.
 * @param defaults options every submission of the task has unless it says otherwise.
 * @returns `fn` itself, carrying the reference.
 * @throws HeddleError ERR_ARGUMENT if an argument is unfit or `fn` is already a task of another name.
 * @example
 * export const square = task(import.meta.url, 'square', (x: number) => x * x);
 */
export function task<A extends unknown[], R>(
  url: string,
  name: string,
  fn: (...args: A) => R,
  defaults: TaskDefaults = {},
): Task<A, R> {
  if (typeof url !== 'string' || url === '') {
    throw new HeddleError('ERR_ARGUMENT', 'task(url, name, fn): url must be import.meta.url');
  }
  if (typeof name !== 'string' || name === '') {
    throw new HeddleError('ERR_ARGUMENT', 'task(url, name, fn): name must be the export name');
  }
  if (typeof fn !== 'function') {
    throw new HeddleError('ERR_ARGUMENT', `task(url, '${name}', fn): fn must be a function`);
  }
  checkTaskOptions(defaults);
  const known = taskReference(fn);
  if (known !== undefined && (known.body.url !== url || known.body.name !== name)) {
    throw new HeddleError(
      'ERR_ARGUMENT',
      `'${name}' is already the task '${known.body.name}' of ${known.body.url}: wrap it in a function of its own`,
    );
  }
  const version = createHash('sha256').update(Function.prototype.toString.call(fn)).digest('hex');
  const reference: TaskReference = { body: { kind: 'module', url, name, version }, defaults };
  return Object.defineProperty(fn, TASK, { value: reference, configurable: true }) as Task<A, R>;
}

/** The reference of a task, or undefined for any other function. */
export function taskReference(fn: unknown): TaskReference | undefined {
  if (typeof fn !== 'function') return undefined;
  return (fn as unknown as { readonly [TASK]?: TaskReference })[TASK];
}
