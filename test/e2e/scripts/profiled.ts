// A small run, for `heddle profile` and `heddle trace`.
import { LocalCluster } from 'heddle';

const cluster = await LocalCluster.start({ workers: 1 });
try {
  const client = await cluster.connect();
  const items = Float64Array.from({ length: 100_000 }, (_, i) => i);
  for (let round = 0; round < 3; round++) {
    const futures = client.map((x: number) => x + 1, items);
    await client.gather(futures);
    client.release(futures);
  }
} finally {
  await cluster.close();
}
