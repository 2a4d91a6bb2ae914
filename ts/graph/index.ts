// What users import to describe work.
export { LazyNode, lazy } from './lazy.js';
export type { TaskDefaults, TaskOptions } from './options.js';
export { Param, param, type Shape } from './param.js';
export { Range, range } from './range.js';
export { type Task, type TaskReference, task } from './task.js';
export type { Arg, Args, LazyArgs, RowArgs } from './types.js';
