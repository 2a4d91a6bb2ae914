/**
 * Results of a lane on their way to the main thread: numbers in a column, small bytes in a ring,
 * the rest stored.
 */
import { Codec, type EncodedParts, encodeError, encodeResult, joinParts } from '../wire/index.js';
import { type LaneMemory, ResultFlag, Word } from './lane_memory.js';
import type { FromLane, LateOutcome, StoredBytes } from './messages.js';
import type { HeldValue } from './section.js';

const RING_FULL_WAIT_MS = 50;
/** Small results kept at hand for records of this lane that read them, a power of two. */
const KEPT = 512;
const NOT_RETRYABLE: ReadonlySet<unknown> = new Set([
  'ERR_TASK_MODULE',
  'ERR_TASK_SERIALIZATION',
  'ERR_RESULT_SERIALIZATION',
  'ERR_CLUSTER_IN_WORKER',
  'ERR_PROTOCOL',
  'ERR_TASK_WAIT',
]);

/** A result that the lane does not have at hand. */
export const ABSENT = Symbol('absent');

/** Writes the results of one lane. */
export class ResultWriter {
  #tail = 0;
  readonly #kept: ({ readonly row: number; readonly value: HeldValue } | undefined)[] = [];

  constructor(
    private readonly memory: LaneMemory,
    private readonly post: (message: FromLane, move: ArrayBuffer[]) => void,
    private readonly wakeMain: () => void,
  ) {}

  /** Records what a body returned. A value that cannot be encoded makes the record fail. */
  value(slot: number, value: unknown): void {
    const { memory } = this;
    const row = memory.row(slot);
    if (typeof value === 'number') {
      memory.numbers[row] = value;
      memory.flags[row] = Codec.F64;
    } else if (value === undefined) {
      memory.flags[row] = Codec.Undefined;
    } else {
      this.#encoded(slot, row, value);
    }
  }

  #encoded(slot: number, row: number, value: unknown): void {
    try {
      const encoded = encodeResult(value);
      if (encoded.codec === Codec.Parts) {
        this.#store(slot, row, storedParts(encoded as EncodedParts));
        return;
      }
      const { codec, bytes } = encoded as { codec: number; bytes: Uint8Array };
      if (bytes.length > this.memory.inlineBytesMax) {
        this.#store(slot, row, { codec, memory: copyOf(bytes), parts: null });
      } else {
        this.#inline(row, bytes);
        this.memory.flags[row] = codec;
        this.#kept[row % KEPT] = { row, value: { codec, bytes: new Uint8Array(bytes) } };
      }
    } catch (error) {
      this.failure(slot, error);
    }
  }

  /** The result of a row's record, which this lane has run: a number, nothing, or bytes; {@link ABSENT} if it is not here. */
  local(row: number): number | undefined | HeldValue | typeof ABSENT {
    const flags = this.memory.flags[row] as number;
    if (flags === Codec.F64) return this.memory.numbers[row] as number;
    if (flags === Codec.Undefined) return undefined;
    const kept = this.#kept[row % KEPT];
    const here = kept?.row === row && kept.value.codec === flags;
    return here ? kept.value : ABSENT;
  }

  /** The record did not run: an input that was to be here is not. */
  deferred(slot: number): void {
    this.memory.flags[this.memory.row(slot)] = Codec.Undefined | ResultFlag.Deferred;
  }

  /** Records what a body threw. */
  failure(slot: number, thrown: unknown): void {
    const { memory } = this;
    const row = memory.row(slot);
    this.#inline(row, encodeError(thrown).bytes);
    memory.flags[row] =
      Codec.Error | ResultFlag.Failed | (isRetryable(thrown) ? 0 : ResultFlag.Final);
  }

  /** The outcome of a slot follows: its body waits for tasks it submitted, `startedMs` after the epoch it began. */
  seceded(slot: number, startedMs: number): void {
    const row = this.memory.row(slot);
    this.memory.numbers[row] = startedMs;
    this.memory.flags[row] = Codec.Undefined | ResultFlag.Seceded;
  }

  /** Posts the outcome of a slot that had seceded. */
  late(slot: number, failed: boolean, value: unknown): void {
    const message = failed ? lateFailure(slot, value) : this.#lateValue(slot, value);
    const memory = message.stored?.memory ?? (message.bytes.buffer as ArrayBuffer);
    this.post(message, [memory]);
    this.wakeMain();
  }

  #lateValue(slot: number, value: unknown): LateOutcome {
    try {
      const encoded = encodeResult(value);
      const common = { type: 'late', slot, failed: false, retryable: false } as const;
      if (encoded.codec === Codec.Parts) {
        const stored = storedParts(encoded as EncodedParts);
        return { ...common, codec: Codec.Parts, bytes: new Uint8Array(0), stored };
      }
      const { codec, bytes } = encoded as { codec: number; bytes: Uint8Array };
      if (bytes.length <= this.memory.inlineBytesMax) {
        return { ...common, codec, bytes: new Uint8Array(bytes), stored: null };
      }
      const stored = { codec, memory: copyOf(bytes), parts: null };
      return { ...common, codec, bytes: new Uint8Array(0), stored };
    } catch (error) {
      return lateFailure(slot, error);
    }
  }

  #store(slot: number, row: number, value: StoredBytes): void {
    this.memory.sizes[row] = value.memory.byteLength;
    this.post({ type: 'value', slot, value }, [value.memory]);
    this.memory.flags[row] = value.codec | ResultFlag.Stored;
  }

  /** Copies bytes to the result ring, in one piece; waits for room if the main thread is behind. */
  #inline(row: number, bytes: Uint8Array): void {
    const { control, resultBytes, sizes, positions } = this.memory;
    const capacity = resultBytes.length;
    let at = this.#tail;
    const offset = at % capacity;
    if (offset + bytes.length > capacity) at = (at + capacity - offset) >>> 0;
    for (;;) {
      const head = Atomics.load(control, Word.RESULT_HEAD);
      if ((at + bytes.length - head) >>> 0 <= capacity) break;
      this.wakeMain();
      Atomics.wait(control, Word.RESULT_HEAD, head, RING_FULL_WAIT_MS);
    }
    resultBytes.set(bytes, at % capacity);
    this.#tail = (at + bytes.length) >>> 0;
    sizes[row] = bytes.length;
    positions[row] = at;
  }
}

function lateFailure(slot: number, thrown: unknown): LateOutcome {
  const bytes = new Uint8Array(encodeError(thrown).bytes);
  const retryable = isRetryable(thrown);
  return { type: 'late', slot, failed: true, retryable, codec: Codec.Error, bytes, stored: null };
}

function isRetryable(thrown: unknown): boolean {
  return !NOT_RETRYABLE.has((thrown as { code?: unknown } | null | undefined)?.code);
}

/** Memory of its own for bytes that user code or a pool may still hold. */
function copyOf(bytes: Uint8Array): ArrayBuffer {
  const memory = Buffer.allocUnsafeSlow(bytes.length);
  memory.set(bytes);
  return memory.buffer as ArrayBuffer;
}

function storedParts(encoded: EncodedParts): StoredBytes {
  const whole = joinParts(encoded);
  const parts = new Uint32Array(encoded.parts.length * 3);
  let end = 8 + encoded.parts.length * 8;
  for (const [i, part] of encoded.parts.entries()) {
    const at = (end + 7) & ~7;
    end = at + part.bytes.length;
    parts.set([part.codec, at, part.bytes.length], i * 3);
  }
  return { codec: Codec.Parts, memory: whole.buffer as ArrayBuffer, parts };
}
