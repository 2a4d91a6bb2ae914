// The package's front door.
export * from './client/index.js';
export { LocalCluster, type LocalClusterOptions } from './cluster/index.js';
export * from './diagnostics/index.js';
export {
  ERROR_CODES,
  type ErrorCode,
  HeddleError,
  type HeddleErrorOptions,
  isErrorCode,
  RemoteError,
} from './errors/index.js';
export * from './graph/index.js';
export { ctx, type TaskContext } from './worker/context.js';
export { parts } from './worker/parts.js';
