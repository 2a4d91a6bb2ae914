// Errors: one base class, one table of codes. Knows nobody.
export { ERROR_CODES, type ErrorCode, isErrorCode } from './codes.js';
export { HeddleError, type HeddleErrorOptions } from './heddle_error.js';
export { didYouMean, nearestNames } from './nearest.js';
export { refusal } from './refusal.js';
export { type ErrorRecord, fromErrorRecord, RemoteError, toErrorRecord } from './remote.js';
