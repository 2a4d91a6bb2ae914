// Base of every error Heddle raises.
import type { ErrorCode } from './codes.js';

const BRAND = Symbol.for('heddle.error');

/** Options of {@link HeddleError}. */
export interface HeddleErrorOptions {
  /** What led to this error. */
  readonly cause?: unknown;
}

/**
 * Base class. Switch on `code`, never on the text.
 *
 * `instanceof` goes by a registered symbol, so it holds between two copies of the package in one process.
 *
 * @example
 * try { await future.result({ timeout: 5_000 }); }
 * catch (e) { if (e instanceof HeddleError && e.code === 'ERR_TIMEOUT') retryLater(); else throw e; }
 */
export class HeddleError<Code extends string = ErrorCode> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: HeddleErrorOptions) {
    super(message, options);
    this.code = code;
  }

  static {
    const proto = HeddleError.prototype;
    Object.defineProperty(proto, 'name', {
      value: 'HeddleError',
      writable: true,
      configurable: true,
    });
    Object.defineProperty(proto, BRAND, { value: true });
    Object.defineProperty(HeddleError, Symbol.hasInstance, { value: hasInstance });
  }
}

/** Subclasses keep the ordinary test: the brand only says "some Heddle error". */
function hasInstance(this: unknown, value: unknown): boolean {
  if (this !== HeddleError) return Function.prototype[Symbol.hasInstance].call(this, value);
  return typeof value === 'object' && value !== null && BRAND in value;
}
