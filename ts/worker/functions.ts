/**
 * The functions one lane knows, by the scheduler's function serial. A module is imported once, a
 * source compiled once; a failure is remembered too, so that a broken function costs its tasks one
 * error each.
 */
import { createRequire } from 'node:module';
import { HeddleError } from '../errors/index.js';
import {
  type ChainFunction,
  decodeFunctionBody,
  type ModuleFunction,
  SOURCE_PARAMETERS,
  type SourceFunction,
} from '../graph/function_body.js';
import { ctx } from './context.js';
import { fusedBody } from './fused.js';

/** Milliseconds a module may take to be imported: its top level may wait for something. */
const LOAD_MS = 60_000;

/** A task body. */
export type Body = (...args: never[]) => unknown;

/** A function a lane was told of. Exactly one of the last three is set once it is loaded. */
export interface KnownFunction {
  readonly name: string;
  readonly bytes: Uint8Array;
  body: Body | null;
  error: Error | null;
  loading: Promise<void> | null;
}

/** Functions by serial. */
export class FunctionCache {
  readonly #known = new Map<number, KnownFunction>();

  /** Remembers a definition; the work is done at first use. */
  define(serial: number, name: string, bytes: Uint8Array): void {
    if (this.#known.has(serial)) return;
    this.#known.set(serial, { name, bytes, body: null, error: null, loading: null });
  }

  /** Forgets a function; its module stays imported. */
  forget(serial: number): void {
    this.#known.delete(serial);
  }

  /** The function of a serial, if it was defined. */
  get(serial: number): KnownFunction | undefined {
    return this.#known.get(serial);
  }

  /**
   * Stands in for a function nobody defined: each of its records fails with an error that says so.
   */
  unknown(serial: number): KnownFunction {
    const error = new HeddleError('ERR_INTERNAL', `function ${serial} was never defined here`);
    const known = { name: '', bytes: new Uint8Array(0), body: null, error, loading: null };
    this.#known.set(serial, known);
    return known;
  }

  /** Loads a function; afterwards its body or its error is set. Never rejects. */
  load(known: KnownFunction): Promise<void> {
    known.loading ??= within(LOAD_MS, load(known.bytes), known.name).then(
      (body) => {
        known.body = body;
      },
      (error: unknown) => {
        known.error = error instanceof Error ? error : new Error(String(error));
      },
    );
    return known.loading;
  }
}

async function within<T>(ms: number, promise: Promise<T>, name: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const text = `the module of '${name}' was not imported within ${ms} ms: what does it await?`;
    timer = setTimeout(() => reject(new HeddleError('ERR_TASK_MODULE', text)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function load(bytes: Uint8Array): Promise<Body> {
  const body = decodeFunctionBody(bytes);
  return body.kind === 'chain' ? chainBody(body) : loadBody(body);
}

async function loadBody(body: ModuleFunction | SourceFunction): Promise<Body> {
  return body.kind === 'module' ? importBody(body) : compileBody(body);
}

async function chainBody({ functions, steps }: ChainFunction): Promise<Body> {
  const bodies = await Promise.all(functions.map(loadBody));
  return fusedBody(
    steps.map((step) => bodies[step] as Body),
    steps.map((step) => functions[step]?.name ?? ''),
  );
}

async function importBody({ url, name }: ModuleFunction): Promise<Body> {
  let module: Record<string, unknown>;
  try {
    module = (await import(url)) as Record<string, unknown>;
  } catch (cause) {
    if (cause instanceof HeddleError && cause.code === 'ERR_CLUSTER_IN_WORKER') throw cause;
    throw new HeddleError('ERR_TASK_MODULE', importProblem(url, cause), { cause });
  }
  const found = module[name];
  if (typeof found === 'function') return found as Body;
  const exports = Object.keys(module).filter((key) => typeof module[key] === 'function');
  throw new HeddleError(
    'ERR_TASK_MODULE',
    `${url} has no exported function '${name}' (it has: ${exports.join(', ') || 'none'}). ` +
      'Export the task under the name given to task().',
  );
}

function importProblem(url: string, cause: unknown): string {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const code = (cause as { code?: unknown } | null)?.code;
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' || /\.[cm]?tsx?$/.test(url)) {
    return (
      `the worker cannot import ${url}: ${reason}. TypeScript modules need Node 22.18 or later, ` +
      'or a loader such as NODE_OPTIONS="--import tsx"; or import the compiled module.'
    );
  }
  return `the worker cannot import ${url}: ${reason}`;
}

const nameShim = (fn: unknown): unknown => fn;

function compileBody({ name, source }: SourceFunction): Body {
  try {
    const make = new Function(...SOURCE_PARAMETERS, `"use strict"; return (${source}\n);`);
    const made: unknown = make(nameShim, createRequire(`${process.cwd()}/`), ctx);
    if (typeof made !== 'function') throw new TypeError('the source is not a function expression');
    return made as Body;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HeddleError(
      'ERR_TASK_SERIALIZATION',
      `the source of '${name}' does not compile: ${reason}`,
      {
        cause,
      },
    );
  }
}
