// Tasks that misbehave, and tasks of an exchange.
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ctx, parts, task } from 'heddle';

const url = import.meta.url;

export const identity = task(url, 'identity', (x: number) => x);
export const next = task(url, 'next', (x: number) => x + 1);

/** Does what its name says: always, or once if a file is given that it leaves behind. */
export const hazard = task(url, 'hazard', async (what: string, once?: string): Promise<string> => {
  if (once !== undefined) {
    if (existsSync(once)) return `${what}, then not`;
    writeFileSync(once, 'x');
  }
  switch (what) {
    case 'exit':
      process.exit(7);
      break;
    case 'uncaught':
      setTimeout(() => {
        throw new RangeError('thrown by a timer');
      }, 1);
      await sleep(60_000);
      break;
    case 'rejection':
      void Promise.reject(new Error('nobody listens'));
      break;
    case 'nothing':
      throw undefined;
    case 'getter':
      throw Object.defineProperty({}, 'message', {
        get() {
          throw new Error('hostile getter');
        },
      });
    case 'deep': {
      let error = new Error('x'.repeat(100_000));
      for (let i = 0; i < 100; i++) error = new Error(`level ${i}`, { cause: error });
      throw error;
    }
    default:
      break;
  }
  return 'went through';
});

/** Blocks its lane for good. */
export const spin = task(url, 'spin', (_: number): number => {
  for (;;);
});

export const bytesOf = task(url, 'bytesOf', (seed: number) =>
  Uint8Array.from({ length: 20_000 }, (_, i) => (i * seed) & 255),
);

/**
 * Row `input` of an exchange: one slice per output, each of another size. Slow, so that all lanes
 * get rows.
 */
export const scatterRow = task(url, 'scatterRow', async (input: number, outputs: number) => {
  await sleep(20);
  return parts(
    Array.from({ length: outputs }, (_, output) =>
      new Uint8Array(1_000 + 37 * output).fill(input + output),
    ),
  );
});

/** What one output received: bytes and the sum of the first byte of each slice. */
export const collectRow = task(url, 'collectRow', (...slices: Uint8Array[]) => [
  slices.reduce((sum, slice) => sum + slice.length, 0),
  slices.reduce((sum, slice) => sum + (slice[0] as number) + (slice.at(-1) as number), 0),
]);

export const runKeyOf = task(url, 'runKeyOf', (until: number) => {
  if (ctx.attempt < until) throw new Error(ctx.runKey);
  return ctx.runKey;
});

/** Changes its input; whoever else reads the value must not notice. */
export const vandal = task(url, 'vandal', (bytes: Uint8Array) => {
  const before = bytes[1] as number;
  bytes.fill(0);
  return before;
});
