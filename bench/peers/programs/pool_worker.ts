/** The one task of the comparison, as piscina's threads run it. */

/** Its own number and the results it reads, summed. */
export default ([own, ...reads]: number[]): number =>
  reads.reduce((sum, read) => sum + read, own ?? 0) % 1_000_003;
