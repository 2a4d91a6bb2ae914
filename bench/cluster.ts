/** The one cluster all end-to-end cases share: a scheduler in this process, two workers, one client. */
import { type Client, LocalCluster } from 'heddle';

/** Workers of every end-to-end case and of every peer. */
export const WORKERS = 2;

/** A cluster and how many sessions use it. */
interface Shared {
  readonly cluster: LocalCluster;
  readonly client: Client;
}

let shared: Promise<Shared> | undefined;
let users = 0;

async function start(): Promise<Shared> {
  const cluster = await LocalCluster.start({ workers: WORKERS });
  return { cluster, client: await cluster.connect() };
}

/** The shared cluster, started for its first user. Pair with {@link leaveCluster}. */
export function joinCluster(): Promise<Shared> {
  users++;
  shared ??= start();
  return shared;
}

/** The last user to leave closes the cluster. */
export async function leaveCluster(): Promise<void> {
  if (--users > 0) return;
  const last = shared;
  shared = undefined;
  await (await last)?.cluster.close();
}

/** Tasks the scheduler says it has completed. */
export async function tasksCompleted(client: Client): Promise<number> {
  return Number((await client.stats()).tasksCompleted);
}
