// Tasks that submit tasks.
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ctx, type Future, task } from 'heddle';

const url = import.meta.url;

/** Fibonacci numbers, one task per call. */
export const fib = task(url, 'fib', async (n: number): Promise<number> => {
  if (n < 2) return n;
  const { client } = ctx;
  const [a, b] = [client.submit(fib, n - 1), client.submit(fib, n - 2)];
  return (await a.result()) + (await b.result());
});

/** The same, with a mark as soon as one call has waited. */
export const markedFib = task(
  url,
  'markedFib',
  async (n: number, mark: string): Promise<number> => {
    if (n < 2) {
      await sleep(2);
      return n;
    }
    const { client } = ctx;
    const parts = await client.gather([
      client.submit(markedFib, n - 1, mark),
      client.submit(markedFib, n - 2, mark),
    ]);
    if (!existsSync(mark)) writeFileSync(mark, 'x');
    return parts[0] + parts[1];
  },
);

export const square = task(url, 'square', (x: number) => x * x);
export const bytesOf = task(url, 'bytesOf', (n: number) => new Uint8Array(n).fill(7));
export const lengthOf = task(url, 'lengthOf', (bytes: Uint8Array) => bytes.length);

/** Every way to submit. */
export const ways = task(url, 'ways', async (n: number) => {
  const { client } = ctx;
  const mapped = client.map(
    square,
    Array.from({ length: n }, (_, i) => i),
  );
  const total = (await client.gather(mapped)).reduce((a, b) => a + b, 0);
  const large = client.submit(bytesOf, 50_000);
  const length = await client.submit(lengthOf, large).result();
  const fetched = (await large.result()).length;
  const scattered = client.scatter(new Uint8Array(20_000));
  const put = await client.submit(lengthOf, scattered).result();
  let completed = 0;
  for await (const future of client.asCompleted(mapped)) if (future.status === 'done') completed++;
  return { total, length, fetched, put, completed, runKey: ctx.runKey };
});

export const fails = task(url, 'fails', (text: string): never => {
  const cause = Object.assign(new Error('root'), { code: 'E_ROOT' });
  throw Object.assign(new RangeError(text, { cause }), { code: 'E_CHILD' });
});

/** What a parent sees of a child that fails. */
export const catches = task(url, 'catches', async () => {
  try {
    await ctx.client.submit(fails, 'out of range').result();
    return 'nothing';
  } catch (error) {
    const { name, message, code, cause } = error as Error & { code: string };
    return { name, message, code, cause: (cause as { code?: string }).code };
  }
});

export const passesOn = task(url, 'passesOn', async () =>
  ctx.client.submit(fails, 'not caught').result(),
);

/** Runs until it is aborted, and leaves a mark at both ends. */
export const lingers = task(url, 'lingers', async (mark: string): Promise<string> => {
  writeFileSync(`${mark}.began`, 'x');
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, 30_000);
    ctx.signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  writeFileSync(`${mark}.ended`, 'x');
  return 'done';
});

/** Waits for a child that lingers. */
export const parent = task(url, 'parent', async (mark: string) =>
  ctx.client.submit(lingers, mark).result(),
);

/** Submits a child that lingers, and does not wait for it. */
export const deserter = task(url, 'deserter', async (mark: string) => {
  void ctx.client.submit(lingers, mark);
  while (!existsSync(`${mark}.began`)) await sleep(5);
  return 'left';
});

/** Ends its lane after it has waited for a child; the second time it does not. */
export const leaves = task(url, 'leaves', async (once: string) => {
  const value = await ctx.client.submit(square, 3).result();
  if (!existsSync(once)) {
    writeFileSync(once, 'x');
    process.exit(9);
  }
  return value;
});

export const gives = task(url, 'gives', (): Future<number> => ctx.client.submit(square, 2));

export const impatient = task(url, 'impatient', (n: number) => {
  const child = ctx.client.submit(square, n);
  void child.result();
  return 'too early';
});

export const keyed = task(url, 'keyed', () => ctx.client.with({ key: 'k' }));

/** What ctx says before and after waits, among others that do the same. */
export const remembers = task(url, 'remembers', async (i: number) => {
  const before = ctx.runKey;
  const value = await ctx.client.submit(square, i).result();
  const between = ctx.runKey;
  await sleep(1);
  return before === between && ctx.runKey === before && value === i * i;
});

/** Logs in which order it ran. */
export const order = task(url, 'order', (file: string, what: string) => {
  writeFileSync(file, what, { flag: 'a' });
});

/** Submits work in one turn; the child with no priority of its own comes last. */
export const heir = task(url, 'heir', async (file: string) => {
  const { client } = ctx;
  const others = Array.from({ length: 20 }, () =>
    client.with({ priority: 3 }).submit(order, file, 'other '),
  );
  await client.gather([...others, client.submit(order, file, 'child ')]);
});
