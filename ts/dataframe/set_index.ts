/**
 * `setIndex` in plain task form: sample, divide, split, merge. With n inputs and p outputs that is
 * 2n + p + 1 tasks; output j depends on part j of every split, so only that part travels.
 */
import type { Client, Future } from '../client/index.js';
import type { Arg } from '../graph/index.js';
import type { Source } from '../native/kernels.js';
import { HeldPartitions } from './held.js';
import { divideSamples, mergePartition, samplePartition, splitPartition } from './tasks.js';

/** Keys drawn per output partition: keeps sizes of partitions within some 6 % of each other. */
const DRAWS_PER_OUTPUT = 256;
/** Fewest keys drawn from an input, so that few outputs are cut well too. */
const DRAWS_MIN = 64;

/** What an exchange leaves: the outputs, and the keys between them. */
export interface Exchanged {
  readonly outputs: HeldPartitions;
  readonly divisions: Future<Uint8Array>;
}

/** Submits the exchange. Samples and splits are given up at once: tasks alone keep them. */
export function exchange(
  client: Client,
  inputs: readonly Arg<Source>[],
  column: string,
  partitions: number,
  schema: Uint8Array,
): Exchanged {
  const draws = Math.max(DRAWS_MIN, Math.ceil((DRAWS_PER_OUTPUT * partitions) / inputs.length));
  const samples = client.map(samplePartition, inputs, column, draws);
  const divisions = client.submit(divideSamples, samples, partitions);
  samples.release();
  const splits = client.map(splitPartition, inputs, column, divisions);
  const slices = Array.from({ length: partitions }, (_, j) => splits.part(j));
  const outputs = new HeldPartitions(client.map(mergePartition, slices, schema, column));
  splits.release();
  return { outputs, divisions };
}
