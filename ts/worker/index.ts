// The worker process and what task bodies may use of it.
export { ctx, isTaskLane, type TaskContext } from './context.js';
export type { Ending } from './control.js';
export type { WorkerOptions, WorkerReady } from './options.js';
export { parts } from './parts.js';
export { runWorker } from './run.js';
