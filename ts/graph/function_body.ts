// What a DefineFunction body holds: JSON in UTF-8, opaque to the scheduler, read by the lanes.
import { createHash } from 'node:crypto';
import { HeddleError } from '../errors/index.js';
import { FUNCTION_BODY_BYTES_MAX } from '../wire/generated/limits.js';

/** A task named by module and export: the lane imports the module once and takes the export. */
export interface ModuleFunction {
  readonly kind: 'module';
  /** Import specifier, normally a `file:` URL. */
  readonly url: string;
  /** Export of the module. */
  readonly name: string;
  /** Hash of the function's source: a changed function is another function. */
  readonly version: string;
}

/**
 * A function shipped as source: an expression to be compiled with the parameters
 * {@link SOURCE_PARAMETERS}, strict, once per lane.
 */
export interface SourceFunction {
  readonly kind: 'source';
  readonly name: string;
  readonly source: string;
}

/** Several functions one after the other, each given what the one before returned: see `fuse.ts`. */
export interface ChainFunction {
  readonly kind: 'chain';
  readonly name: string;
  readonly functions: readonly (ModuleFunction | SourceFunction)[];
  /** Positions in `functions`, a call each. */
  readonly steps: readonly number[];
}

/** Every way of naming a function. */
export type FunctionBody = ModuleFunction | SourceFunction | ChainFunction;

/**
 * Names an inline function may use without declaring them, beside the globals: esbuild's name shim
 * (`(f) => f`), CommonJS `require`, and the running task's `ctx`.
 */
export const SOURCE_PARAMETERS = ['__name', 'require', 'ctx'] as const;

/**
 * The bytes of a body.
 * @throws HeddleError ERR_LIMIT_EXCEEDED if they are more than the protocol takes.
 */
export function encodeFunctionBody(body: FunctionBody): Uint8Array {
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  if (bytes.length > FUNCTION_BODY_BYTES_MAX) {
    throw new HeddleError(
      'ERR_LIMIT_EXCEEDED',
      `the source of '${body.name}' has ${bytes.length} bytes, more than FUNCTION_BODY_BYTES_MAX ` +
        `(${FUNCTION_BODY_BYTES_MAX}): move it into a module and export it with task()`,
    );
  }
  return bytes;
}

/**
 * The body in `bytes`.
 * @throws HeddleError ERR_PROTOCOL if they are not one.
 */
export function decodeFunctionBody(bytes: Uint8Array): FunctionBody {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new HeddleError('ERR_PROTOCOL', 'a function body is not JSON', { cause });
  }
  return bodyOf(value);
}

function bodyOf(value: unknown): FunctionBody {
  const { kind, name, url, version, source, functions, steps } = (value ?? {}) as Record<
    string,
    unknown
  >;
  if (kind === 'module' && typeof name === 'string' && typeof url === 'string') {
    return { kind, name, url, version: typeof version === 'string' ? version : '' };
  }
  if (kind === 'source' && typeof name === 'string' && typeof source === 'string') {
    return { kind, name, source };
  }
  if (
    kind === 'chain' &&
    typeof name === 'string' &&
    Array.isArray(functions) &&
    Array.isArray(steps)
  ) {
    const bodies = functions.map(bodyOf).filter((body) => body.kind !== 'chain');
    const sound = steps.every((step) => Number.isInteger(step) && bodies[step] !== undefined);
    if (sound && steps.length > 0) return { kind, name, functions: bodies, steps };
  }
  throw new HeddleError('ERR_PROTOCOL', 'a function body names no module, source or chain');
}

/** SHA-256, the identity of a body. */
export function hashBody(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}
