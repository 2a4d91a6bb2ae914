/** A scheduler process, processes of zero-workers and a client here: a real run of which the tasks alone are missing. */
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'heddle';
import type { CpuTimes } from './cpu.js';
import { Child, cpuNanos, SocketFolder } from './processes.js';

/** Workers one generator process speaks for at most. */
const WORKERS_PER_PROCESS = 378;
const JOIN_MS = 30_000;

/** A running scheduler with zero-workers and one client. */
export class ZeroWorld {
  private constructor(
    readonly client: Client,
    /** Workers that joined. */
    readonly workers: number,
    private readonly scheduler: Child,
    private readonly generators: readonly Child[],
    private readonly folder: SocketFolder,
  ) {}

  /** Starts everything and waits until all workers have joined. */
  static async start(workers: number, lanes = 1): Promise<ZeroWorld> {
    const folder = new SocketFolder();
    const address = folder.address('zero');
    const children = [new Child('../daemon/main.js', ['scheduler', '--bind', address, '--json'])];
    try {
      await (children[0] as Child).firstLine();
      const processes = Math.ceil(workers / WORKERS_PER_PROCESS);
      for (let i = 0; i < processes; i++) {
        const share = Math.floor((workers + i) / processes);
        const args = [address, String(share), String(lanes)];
        children.push(new Child('./zero_worker.js', args));
      }
      const client = await Client.connect(address);
      await joined(client, workers);
      const [scheduler, ...generators] = children as [Child, ...Child[]];
      return new ZeroWorld(client, workers, scheduler, generators, folder);
    } catch (error) {
      await Promise.all(children.map((child) => child.stop()));
      folder.remove();
      throw error;
    }
  }

  /** CPU time used so far by this process, the scheduler's and all zero-workers'. */
  cpu(): CpuTimes {
    const nanos = ({ process: { pid } }: Child): number => cpuNanos(pid as number) ?? Number.NaN;
    return {
      client: cpuNanos(process.pid) ?? Number.NaN,
      scheduler: nanos(this.scheduler),
      workers: this.generators.map(nanos).reduce((a, b) => a + b, 0),
    };
  }

  async close(): Promise<void> {
    await this.client.close();
    await Promise.all([...this.generators, this.scheduler].map((child) => child.stop()));
    this.folder.remove();
  }
}

async function joined(client: Client, workers: number): Promise<void> {
  const deadline = performance.now() + JOIN_MS;
  for (;;) {
    const { procs } = await client.info();
    if (procs.length === workers) return;
    if (performance.now() > deadline) {
      throw new Error(`${procs.length} of ${workers} zero-workers joined within ${JOIN_MS} ms`);
    }
    await sleep(20);
  }
}
