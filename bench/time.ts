/** Times one call with Benchmark.js, and tasks in flight by hand. */
import Benchmark from 'benchmark';

/**
 * Seconds that one synchronous call takes. Benchmark.js is held to a single measured call (its
 * deferred form makes no trial call first), because a call here is a batch of up to a million tasks
 * over state that only fits one run; repetition is the harness's rounds.
 */
export async function timeOnce(call: () => void): Promise<number> {
  let failure: unknown;
  const bench = new Benchmark(
    (deferred: Benchmark.Deferred) => {
      try {
        call();
      } catch (error) {
        failure = error;
      }
      deferred.resolve();
    },
    // The least time is in s; any call reaches it, so that the first call is the sample.
    { defer: true, async: true, initCount: 1, minSamples: 1, minTime: 1e-9, maxTime: 0, delay: 0 },
  );
  await new Promise<void>((resolve) => {
    bench.on('complete', () => resolve());
    bench.run();
  });
  if (failure !== undefined) throw failure;
  return bench.stats.mean;
}

/**
 * Keeps `width` calls in flight until `count` were made, and checks each answer.
 *
 * @returns calls per s.
 */
export async function inFlight(
  count: number,
  width: number,
  call: (input: number) => Promise<unknown>,
): Promise<number> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const input = next++;
      const output = await call(input);
      if (output !== input) throw new Error(`input ${input} came back as ${String(output)}`);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: width }, lane));
  return (count * 1_000) / (performance.now() - start);
}
