/** The all-to-all exchange on real data. */
import { readParquet } from 'heddle/dataframe';
import { joinCluster, leaveCluster } from '../cluster.js';
import { FILES, permutedFlights } from '../dataset.js';
import type { Case, Session, Size } from '../harness.js';

const ROWS: Record<Size, number> = { smoke: 30_000, full: 3_000_000 };
const TIMEOUT_MS = 300_000;

/** Reads the permuted files, orders them by date, computes every partition's length. */
export const shuffle: Case = {
  name: 'shuffle.setindex',
  unit: 's',
  async open(size): Promise<Session> {
    const folder = await permutedFlights(ROWS[size]);
    const { client } = await joinCluster();
    return {
      async round() {
        const start = performance.now();
        const flights = await readParquet(client, folder, { timeout: TIMEOUT_MS });
        using sorted = flights.setIndex('date', { partitions: FILES });
        const lengths = await sorted.lengths({ timeout: TIMEOUT_MS });
        const value = (performance.now() - start) / 1_000;
        const rows = lengths.reduce((sum, length) => sum + length, 0);
        if (lengths.length !== FILES || rows !== ROWS[size]) {
          throw new Error(`${rows} rows in ${lengths.length} partitions came back`);
        }
        checkDivisions(await sorted.divisions({ timeout: TIMEOUT_MS }));
        return { value };
      },
      close: leaveCluster,
    };
  },
};

function checkDivisions(divisions: readonly unknown[] | null): void {
  const keys = divisions?.map((key) => Number(key)) ?? [];
  const ordered = keys.every((key, i) => i === 0 || (keys[i - 1] as number) <= key);
  if (keys.length !== FILES + 1 || !ordered || keys[0] === keys[FILES]) {
    throw new Error(`the divisions are not ${FILES + 1} keys in order`);
  }
}
