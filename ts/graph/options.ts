// Options of tasks and their bounds.
import { HeddleError } from '../errors/index.js';
import { KEY_BYTES_MAX } from '../wire/generated/limits.js';

/** Options a task may have from its definition. */
export interface TaskDefaults {
  /** How often a failed attempt is repeated. Default 0. */
  readonly retries?: number | undefined;
  /** Higher runs first, among what is ready. An integer; default 0. */
  readonly priority?: number | undefined;
  /** Milliseconds one attempt may run before it fails with ERR_TASK_TIMEOUT. Default: no limit. */
  readonly timeout?: number | undefined;
}

/** Options of one submission: `client.with(options)`. */
export interface TaskOptions extends TaskDefaults {
  /**
   * Identity of the work within a client: while its future is held, the same key with the same function, arguments
   * and options gives that future and runs nothing; with others it is refused (ERR_KEY_CONFLICT). For `submit` alone.
   */
  readonly key?: string | undefined;
  /** Cancels the tasks when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether `compute` runs a line of lazy calls, each read by the next alone, as one task. Default true. A fused task is
   * retried as a whole; give `false` where single calls are long or their retries dear.
   */
  readonly fuse?: boolean | undefined;
  /** What tools call the tasks. Default: the function's name. */
  readonly name?: string | undefined;
}

const RETRIES_MAX = 0xffff;
const PRIORITY_MAX = 0x7fffffff;
const TIMEOUT_MS_MAX = 0x7fffffff;

/** @throws HeddleError ERR_ARGUMENT naming the option that is unfit. */
export function checkTaskOptions(options: TaskOptions): void {
  checkInteger('retries', options.retries, 0, RETRIES_MAX);
  checkInteger('priority', options.priority, -PRIORITY_MAX, PRIORITY_MAX);
  checkInteger('timeout', options.timeout, 1, TIMEOUT_MS_MAX);
  const { key, signal, name, fuse } = options;
  if (fuse !== undefined && typeof fuse !== 'boolean') {
    throw new HeddleError('ERR_ARGUMENT', 'option fuse must be true or false');
  }
  if (key !== undefined && (typeof key !== 'string' || key === '')) {
    throw new HeddleError('ERR_ARGUMENT', 'option key must be a non-empty string');
  }
  if (key !== undefined && Buffer.byteLength(key) > KEY_BYTES_MAX) {
    throw new HeddleError('ERR_LIMIT_EXCEEDED', `option key has more than ${KEY_BYTES_MAX} bytes`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new HeddleError('ERR_ARGUMENT', 'option signal must be an AbortSignal');
  }
  if (name !== undefined && typeof name !== 'string') {
    throw new HeddleError('ERR_ARGUMENT', 'option name must be a string');
  }
}

function checkInteger(name: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return;
  throw new HeddleError(
    'ERR_ARGUMENT',
    `option ${name} must be an integer from ${min} to ${max}, not ${String(value)}`,
  );
}
