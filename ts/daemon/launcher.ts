/**
 * Ends this process when the npm that started it is gone.
 *
 * `npx heddle …` and `npm start` run a command as npm → sh → node. A SIGTERM to npm ends npm and the shell, a SIGKILL
 * npm alone, and neither reaches the command: without this it would serve on with nobody left to stop it.
 *
 * Only a command that npm runs itself is watched, not what a user's program started by npm starts in turn. Found by
 * /proc, so on Linux alone; no other system is supported so far.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';

/** How often the parents are looked at, in ms; about 30 us of CPU each. */
const WATCH_MS = 500;

/** A process and the one that started it. */
interface Link {
  readonly name: string;
  readonly parent: number;
}

/** What /proc says of a process; undefined once it is gone, or where there is no /proc. */
function linkOf(pid: number): Link | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name stands in parentheses and may hold some itself.
    const end = stat.lastIndexOf(')');
    const parent = Number(stat.slice(end + 2).split(' ')[1]);
    return { name: stat.slice(stat.indexOf('(') + 1, end), parent };
  } catch {
    return undefined;
  }
}

const isNpm = (link: Link | undefined): boolean => link !== undefined && /^np[mx]/.test(link.name);
const isShell = ({ name }: Link): boolean => /^(?:sh|ash|bash|dash|ksh|zsh|busybox)$/.test(name);

/**
 * Sends this process SIGTERM, once, when the npm that runs it is gone. Does nothing if none does. Its timer does not
 * keep the process alive.
 */
export function endWithLauncher(): void {
  if (process.env.npm_command === undefined) return;
  const { ppid } = process;
  const parent = linkOf(ppid);
  if (parent === undefined) return;
  // Some shells become the command they run, others stay in between.
  const shell = isShell(parent);
  if (!isNpm(shell ? linkOf(parent.parent) : parent)) return;
  const timer = setInterval(() => {
    // A dead process is no parent any more, even while nobody has collected it.
    if (process.ppid === ppid && (!shell || linkOf(ppid)?.parent === parent.parent)) return;
    clearInterval(timer);
    process.stderr.write('heddle: the npm that started this process is gone: stopping\n');
    process.kill(process.pid, 'SIGTERM');
  }, WATCH_MS);
  timer.unref();
}
