/**
 * CPU time of the I/O threads of npm `zeromq`, which no clock inside those processes reads. Linux alone says it
 * (`/proc`); elsewhere it is not measured and counts as nothing.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** How libzmq names them; the scheduler's own have a prefix of theirs and are in its statistics. */
const NAME = /^ZMQbg\/(IO|Reaper)/;

/** CPU nanoseconds so far of the I/O threads of a process; 0 if it is gone. */
export function ioThreadNanos(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  let nanos = 0;
  for (const thread of entries(tasks)) {
    if (!NAME.test(text(`${tasks}/${thread}/comm`))) continue;
    // The first number of schedstat: nanoseconds spent on a CPU.
    nanos += Number.parseInt(text(`${tasks}/${thread}/schedstat`), 10) || 0;
  }
  return nanos;
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // The process is gone, or this is not Linux.
  }
}

function text(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return ''; // The thread ended meanwhile.
  }
}
