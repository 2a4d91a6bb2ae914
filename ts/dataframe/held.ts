/**
 * Partitions in workers' memory. Each is a value of two parts, its bytes and its number of rows, so that asking for
 * the length of a frame moves no rows.
 */
import { type FutureArray, PartReference } from '../client/index.js';
import { kernels } from '../native/kernels.js';
import type { PartsValue } from '../wire/index.js';
import { parts } from '../worker/parts.js';

const BYTES = 0;
const ROWS = 1;

/** What a task returns that makes a partition. Runs in workers. */
export function heldPartition(partition: Uint8Array): PartsValue {
  return parts([partition, kernels().rowCount(partition)]);
}

/** Handles of partitions that tasks made with {@link heldPartition}. */
export class HeldPartitions {
  readonly #futures: FutureArray<PartsValue>;

  constructor(futures: FutureArray<PartsValue>) {
    this.#futures = futures;
  }

  /** Number of partitions. */
  get length(): number {
    return this.#futures.length;
  }

  /** The partitions' bytes, as arguments. */
  sources(): PartReference<Uint8Array>[] {
    return Array.from(this.#futures, (future) => new PartReference<Uint8Array>(future, BYTES));
  }

  /** The partitions' numbers of rows, as arguments. */
  rows(): PartReference<number>[] {
    return Array.from(this.#futures, (future) => new PartReference<number>(future, ROWS));
  }

  /** Gives the partitions up. */
  release(): void {
    this.#futures.release();
  }
}
