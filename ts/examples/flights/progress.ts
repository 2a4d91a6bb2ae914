/** A progress bar on standard error, for terminals only. */
import process from 'node:process';

const CELLS = 32;
const REDRAW_MS = 100;

/** Draws how many of `total` steps are done, as `done` tells; `stop()` wipes the bar away. */
export function showProgress(total: number, done: () => Promise<number>): { stop(): void } {
  const { stderr } = process;
  if (!stderr.isTTY) return { stop: () => undefined };
  let asking = false;
  let stopped = false;
  const draw = async (): Promise<void> => {
    if (asking) return;
    asking = true;
    try {
      const share = Math.min(1, (await done()) / total);
      const filled = Math.round(share * CELLS);
      const bar = `${'█'.repeat(filled)}${'░'.repeat(CELLS - filled)}`;
      if (!stopped) stderr.write(`\r${bar} ${String(Math.floor(share * 100)).padStart(3)} %`);
    } catch {
      // The job itself reports what went wrong with the cluster.
    } finally {
      asking = false;
    }
  };
  const timer = setInterval(() => void draw(), REDRAW_MS);
  return {
    stop() {
      if (stopped) return;
      stopped = true;
      clearInterval(timer);
      stderr.write(`\r${' '.repeat(CELLS + 8)}\r`);
    },
  };
}
