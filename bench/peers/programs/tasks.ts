/** The one task of the comparison, as Heddle's workers import it. */
import { task } from 'heddle';

/** See `PRIME` in `shapes.ts`: kept here as well, so that workers import nothing else. */
const PRIME = 1_000_003;

/** Its own number and the results it reads, summed. */
export const add = task(import.meta.url, 'add', (own: number, ...reads: number[]) => {
  let sum = own;
  for (const read of reads) sum += read;
  return sum % PRIME;
});
