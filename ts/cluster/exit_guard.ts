// Nothing of a cluster outlives its process: children, sockets and temporary folders go when the process exits, throws
// or is told to stop. SIGKILL alone cannot be answered; workers then end because their parent's pipe closes.
import process from 'node:process';

type Cleanup = () => void;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const cleanups = new Set<Cleanup>();

/** Runs `cleanup`, which must be synchronous, when the process ends; the result takes it back. */
export function beforeExit(cleanup: Cleanup): () => void {
  if (cleanups.size === 0) install();
  cleanups.add(cleanup);
  return () => {
    cleanups.delete(cleanup);
    if (cleanups.size === 0) uninstall();
  };
}

function install(): void {
  process.on('exit', runAll);
  for (const signal of SIGNALS) process.on(signal, onSignal);
}

function uninstall(): void {
  process.off('exit', runAll);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

function runAll(): void {
  const all = [...cleanups];
  cleanups.clear();
  uninstall();
  for (const cleanup of all) cleanup();
}

function onSignal(signal: NodeJS.Signals): void {
  // A program with handlers of its own decides what the signal means, and closes what it opened.
  if (process.listenerCount(signal) > 1) return;
  runAll();
  process.kill(process.pid, signal);
}
