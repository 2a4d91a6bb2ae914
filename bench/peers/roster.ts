/** Who takes part, and how each is started. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bullmq, type Found, python, redis } from './install.js';
import { Peer } from './peer.js';

/** A peer that runs, and how to end it with all that was started for it. */
export interface Open {
  readonly peer: Peer;
  close(): Promise<void>;
}

/** One that takes part. */
export interface Entrant {
  readonly name: string;
  /** Runs the large sizes, too. */
  readonly fast: boolean;
  /** Installs what is missing and gives a way to start it, or why there is none. */
  prepare(): Found<() => Promise<Open>>;
}

const REDIS_START_MS = 10_000;
/** Ray puts sockets below its folder, whose path the system limits: so a short one. */
const scratch = (): string => mkdtempSync(join(tmpdir(), 'hb-'));
const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true });
const program = (name: string): string =>
  fileURLToPath(new URL(`programs/${name}`, import.meta.url));
/** Python programs are not compiled: they are run where they were written. */
const script = (name: string): string =>
  fileURLToPath(new URL(`../../../bench/peers/programs/${name}`, import.meta.url));

async function open(command: string, args: string[], folder?: string): Promise<Open> {
  // Ray leaves files in the home folder: it gets one of its own.
  const env = folder === undefined ? process.env : { ...process.env, HOME: folder };
  const peer = new Peer(command, args, env);
  const close = async (): Promise<void> => {
    await peer.stop();
    if (folder !== undefined) remove(folder);
  };
  return { peer, close };
}

const node = (name: string, fast: boolean, args: readonly string[]): Entrant => ({
  name,
  fast,
  prepare: () => ({ ok: () => open(process.execPath, [...args]) }),
});

function pythonPeer(name: string): Entrant {
  return {
    name,
    fast: false,
    prepare() {
      const found = python();
      if ('missing' in found) return found;
      return {
        ok: () => {
          const folder = scratch();
          return open(found.ok, [script(`${name}_peer.py`), folder], folder);
        },
      };
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function listening(port: number): Promise<void> {
  const deadline = performance.now() + REDIS_START_MS;
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const up = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (up) return;
    if (performance.now() > deadline) throw new Error('redis-server did not start');
    await sleep(50);
  }
}

async function openBullMQ(
  folder: string,
  server: { command: string; env: NodeJS.ProcessEnv },
): Promise<Open> {
  const port = await freePort();
  const data = scratch();
  // Nothing is kept on disk: the fastest Redis there is.
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn(server.command, [...args, '--dir', data], {
    env: server.env,
    stdio: 'ignore',
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    remove(data);
  };
  try {
    await listening(port);
    const peer = new Peer(
      process.execPath,
      [program('bullmq.js'), folder, String(port)],
      {
        ...process.env,
      },
      child.pid,
    );
    const close = async (): Promise<void> => {
      await peer.stop();
      await stop();
    };
    return { peer, close };
  } catch (error) {
    await stop();
    throw error;
  }
}

const bull: Entrant = {
  name: 'bullmq',
  fast: false,
  prepare() {
    const folder = bullmq();
    if ('missing' in folder) return folder;
    const server = redis();
    if ('missing' in server) return server;
    return { ok: () => openBullMQ(folder.ok, server.ok) };
  },
};

const hyperqueue = (binary: string | undefined): Entrant => ({
  name: 'hyperqueue',
  fast: false,
  prepare() {
    if (binary === undefined) {
      return {
        missing:
          'its binary is in no package registry: --hyperqueue PATH runs it. Published: 191,000 tasks/s with workers ' +
          'that answer at once on nodes of 128 cores; measured on a 2-core machine: 50,400 (version 0.18, independent tasks)',
      };
    }
    return {
      ok: () => {
        const folder = scratch();
        return open(process.execPath, [program('hyperqueue.js'), binary, folder], folder);
      },
    };
  },
});

/** Everybody, Heddle twice: how far its two figures differ is the noise of the run. */
export function roster(hq: string | undefined): readonly Entrant[] {
  return [
    node('heddle', true, [program('heddle.js')]),
    node('poolifier', true, [program('pools.js'), 'poolifier']),
    pythonPeer('dask'),
    node('heddle again', true, [program('heddle.js')]),
    node('piscina', true, [program('pools.js'), 'piscina']),
    pythonPeer('ray'),
    bull,
    hyperqueue(hq),
  ];
}
