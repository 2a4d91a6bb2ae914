/** Figures for people. */

/** Microseconds, in a unit that suits their size. */
export function formatMicros(us: number): string {
  if (us >= 1e6) return `${digits(us / 1e6)} s`;
  if (us >= 1e3) return `${digits(us / 1e3)} ms`;
  if (us >= 1 || us === 0) return `${digits(us)} us`;
  return `${digits(us * 1e3)} ns`;
}

/** Bytes, in a unit that suits their size. */
export function formatBytes(bytes: number): string {
  for (const [unit, size] of [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    if (bytes >= size) return `${digits(bytes / size)} ${unit}`;
  }
  return `${Math.round(bytes)} B`;
}

/** Three digits at least. */
function digits(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
