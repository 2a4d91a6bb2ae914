// Errors that cross a process boundary: a plain record on the wire, the nearest class on arrival.
import { type ErrorCode, isErrorCode } from './codes.js';
import { HeddleError } from './heddle_error.js';

/** An error as it travels: the Error codec is this record in msgpack. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly code?: string | number | undefined;
  /** A record if the cause was an error, else the value as it was. */
  readonly cause?: unknown;
  /** True if `cause` is itself an {@link ErrorRecord}. */
  readonly causeIsError?: boolean | undefined;
  /** Own enumerable properties that are plain data. */
  readonly props?: Readonly<Record<string, unknown>> | undefined;
}

/** User code threw. `name`, `message`, `stack` and `cause` are those of the error in the worker. */
export class RemoteError extends HeddleError<string> {
  /** Class name of the error in the worker; also `name`. */
  readonly remoteName: string;

  constructor(remoteName: string, message: string, code: string = 'ERR_TASK_FAILED') {
    super(code, message);
    this.remoteName = remoteName;
    hidden(this, 'name', remoteName);
  }
}

const CAUSES_MAX = 8;
const PROPS_MAX = 32;
const TEXT_CHARS_MAX = 10_000;
const RESERVED = new Set([
  'name',
  'message',
  'stack',
  'code',
  'cause',
  'remoteName',
  '__proto__',
  'constructor',
]);

type ErrorClass = new (message?: string) => Error;
const BUILT_IN: ReadonlyMap<string, ErrorClass> = new Map<string, ErrorClass>([
  ['EvalError', EvalError],
  ['RangeError', RangeError],
  ['ReferenceError', ReferenceError],
  ['SyntaxError', SyntaxError],
  ['TypeError', TypeError],
  ['URIError', URIError],
]);

/** The record of anything thrown. Never throws: hostile getters and proxies give a record that says so. */
export function toErrorRecord(thrown: unknown, depth = 0): ErrorRecord {
  try {
    return describe(thrown, depth);
  } catch {
    return { name: 'Error', message: 'threw a value that cannot be read', code: 'ERR_TASK_FAILED' };
  }
}

function describe(thrown: unknown, depth: number): ErrorRecord {
  if (!(thrown instanceof Error)) {
    return {
      name: 'NonError',
      message: `threw ${clip(show(thrown))}`,
      props: { thrown: plain(thrown) },
    };
  }
  const error = thrown as Error & { code?: unknown };
  const hasCause = error.cause !== undefined && depth < CAUSES_MAX;
  const causeIsError = hasCause && error.cause instanceof Error;
  return {
    name: clip(String(error.name)),
    message: clip(String(error.message)),
    stack: error.stack === undefined ? undefined : clip(String(error.stack)),
    code: typeof error.code === 'string' || typeof error.code === 'number' ? error.code : undefined,
    cause: hasCause
      ? causeIsError
        ? toErrorRecord(error.cause, depth + 1)
        : plain(error.cause)
      : undefined,
    causeIsError: causeIsError || undefined,
    props: ownProps(error),
  };
}

/**
 * The error a record stands for: Heddle's own codes become {@link HeddleError}, JavaScript's built-in
 * classes themselves, everything else {@link RemoteError}. Each has a `code`.
 */
export function fromErrorRecord(record: ErrorRecord, depth = 0): Error {
  const name = typeof record.name === 'string' ? record.name : 'Error';
  const message = typeof record.message === 'string' ? record.message : '';
  const code = typeof record.code === 'number' ? String(record.code) : record.code;
  const error = construct(name, message, typeof code === 'string' ? code : undefined);
  if (typeof record.stack === 'string') hidden(error, 'stack', record.stack);
  if (record.cause !== undefined && record.cause !== null) {
    const nested = record.causeIsError === true && depth < CAUSES_MAX;
    hidden(
      error,
      'cause',
      nested ? fromErrorRecord(record.cause as ErrorRecord, depth + 1) : record.cause,
    );
  }
  for (const [key, value] of Object.entries(record.props ?? {})) {
    if (!RESERVED.has(key)) defineValue(error, key, value, true);
  }
  return error;
}

function construct(name: string, message: string, code: string | undefined): Error {
  const builtIn = BUILT_IN.get(name);
  if (builtIn !== undefined) {
    const error = new builtIn(message);
    defineValue(error, 'code', code ?? 'ERR_TASK_FAILED', true);
    return error;
  }
  if (isErrorCode(code) && code !== 'ERR_TASK_FAILED')
    return new HeddleError<ErrorCode>(code, message);
  return new RemoteError(name, message, code);
}

function ownProps(error: Error): Record<string, unknown> | undefined {
  let props: Record<string, unknown> | undefined;
  let left = PROPS_MAX;
  for (const key of Object.keys(error)) {
    if (RESERVED.has(key)) continue;
    if (left-- === 0) break;
    const value = plain((error as unknown as Record<string, unknown>)[key]);
    if (value === undefined) continue;
    props ??= Object.create(null) as Record<string, unknown>;
    props[key] = value;
  }
  return props;
}

/** Scalars as they are; other values if JSON can carry them within the text limit; else undefined. */
function plain(value: unknown): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'string') return clip(value);
  if (typeof value !== 'object') return undefined;
  try {
    const text = JSON.stringify(value);
    return text.length > TEXT_CHARS_MAX ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    return JSON.stringify(value) ?? Object.prototype.toString.call(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

function clip(text: string): string {
  return text.length <= TEXT_CHARS_MAX ? text : `${text.slice(0, TEXT_CHARS_MAX)}…`;
}

function hidden(target: object, key: string, value: unknown): void {
  defineValue(target, key, value, false);
}

function defineValue(target: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true });
}
