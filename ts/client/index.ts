// What users import of the client.
export { Client, type ClientNotice, type ClientOptions, type Results } from './client.js';
export type { Completion, CompletionOptions } from './completion.js';
export { Future, type FutureStatus, PartReference } from './future.js';
export { FutureArray, type StreamOptions } from './future_array.js';
export type { GatherOptions } from './gather.js';
export type { TreeOptions, WindowOptions } from './regular.js';
export type { SchedulerInfo, SchedulerStats, WorkerInfo, WorkerStats } from './stats.js';
export type { Computed, Submission } from './submission.js';
export type { Parameters, Template } from './template.js';
export type { WaitOptions } from './wait_options.js';
