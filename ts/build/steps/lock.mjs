// One build at a time per clone: two `npm start` on a fresh clone must not install over each other.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { root, say } from './process.mjs';

const folder = join(root, '.heddle');
const path = join(folder, 'build.lock');

function holder() {
  try {
    return Number(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function take() {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

/** Removes a dead process's lock. The rename makes sure that only one of several waiters does. */
function clear(pid) {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
    // Another waiter was faster and this is its new lock: put it back.
    if (Number(readFileSync(aside, 'utf8')) !== pid) renameSync(aside, path);
    else rmSync(aside);
  } catch {
    // Somebody else cleared it.
  }
}

/** Runs `work` while no other build of this clone runs. The lock goes with the process, however it ends. */
export async function locked(work) {
  mkdirSync(folder, { recursive: true });
  for (let waiting = false; !take(); ) {
    const pid = holder();
    if (pid !== undefined && pid > 0 && !alive(pid)) clear(pid);
    else {
      if (!waiting)
        say(`another build of this clone is under way (process ${pid ?? '?'}): waiting for it`);
      waiting = true;
      await sleep(200);
    }
  }
  const release = () => rmSync(path, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}
