// The `heddle` command whose scheduler's engine fails when it is told to on stdin.
import process from 'node:process';
import { Scheduler } from '#heddle/native/index.js';

const start = Scheduler.start.bind(Scheduler);
Scheduler.start = (options) => {
  const scheduler = start(options);
  process.stdin.once('data', () => scheduler.injectFault());
  process.stdin.unref?.();
  return scheduler;
};
await import('#heddle/daemon/main.js');
