/** CPU time beside wall time: what a task cost all processes of a case. */

/** CPU time in ns, by process; NaN where the system does not tell. */
export type CpuTimes = Readonly<Record<string, number>>;

/**
 * CPU us per task between two readings: `cpuUs` of all processes, then each one's own as `NAMEUs`.
 *
 * @param tasks tasks run between the readings.
 */
export function perTask(from: CpuTimes, to: CpuTimes, tasks: number): Record<string, number> {
  const used = Object.entries(to).map(
    ([name, nanos]) => [`${name}Us`, (nanos - (from[name] ?? Number.NaN)) / 1_000 / tasks] as const,
  );
  const cpuUs = used.reduce((sum, [, micros]) => sum + micros, 0);
  return { cpuUs, ...Object.fromEntries(used) };
}
