/** CPU time of the calling thread. */
import { threadCpuNanos } from '../native/index.js';

/** A clock of CPU nanoseconds. */
export interface CpuClock {
  /** False without the native addon: the clock then shows wall time, which is not less. */
  readonly exact: boolean;
  nanos(): number;
}

/** The calling thread's clock. */
export function threadCpuClock(): CpuClock {
  try {
    threadCpuNanos();
    return { exact: true, nanos: threadCpuNanos };
  } catch {
    return { exact: false, nanos: () => performance.now() * 1e6 };
  }
}
