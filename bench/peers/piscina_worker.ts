/** Piscina's worker: the same no-op as Heddle's. */
export default (x: number): number => x;
