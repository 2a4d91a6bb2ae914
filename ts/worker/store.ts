/**
 * Values this process holds for others: results over the inline limit, and scattered values. One
 * home per value.
 */
import { WHOLE_VALUE } from '../wire/columns.js';
import type { StoredBytes } from './messages.js';
import type { HeldValue } from './section.js';

interface Entry {
  readonly attempt: number;
  readonly value: StoredBytes;
  /** The value as an input; the same object each time, so that a run names it once. */
  readonly whole: HeldValue;
}

/** Values by layer serial and index; each has the attempt that made it. */
export class Store {
  readonly #layers = new Map<number, Map<number, Entry>>();
  #bytes = 0;
  #values = 0;

  /** Bytes of all values. */
  get bytes(): number {
    return this.#bytes;
  }

  get values(): number {
    return this.#values;
  }

  /** Keeps a value; one of an earlier attempt gives way. */
  put(serial: number, index: number, attempt: number, value: StoredBytes): void {
    let layer = this.#layers.get(serial);
    if (layer === undefined) {
      layer = new Map();
      this.#layers.set(serial, layer);
    }
    const old = layer.get(index);
    if (old !== undefined) {
      this.#bytes -= old.whole.bytes.length;
      this.#values--;
    }
    const whole = { codec: value.codec, bytes: new Uint8Array(value.memory) };
    layer.set(index, { attempt, value, whole });
    this.#bytes += whole.bytes.length;
    this.#values++;
  }

  /** A value or one of its parts; undefined if it is not here. */
  get(serial: number, index: number, attempt: number, part: number): HeldValue | undefined {
    const entry = this.#layers.get(serial)?.get(index);
    if (entry === undefined || entry.attempt !== attempt) return undefined;
    if (part === WHOLE_VALUE) return entry.whole;
    const { parts, memory } = entry.value;
    if (parts === null || part * 3 >= parts.length) return undefined;
    const [codec, at, bytes] = parts.subarray(part * 3, part * 3 + 3) as unknown as number[];
    return { codec: codec as number, bytes: new Uint8Array(memory, at, bytes) };
  }

  /** Drops the values of rows `start` up to `start + count` that `attempt` made. */
  free(serial: number, start: number, count: number, attempt: number): void {
    const layer = this.#layers.get(serial);
    if (layer === undefined) return;
    // Whichever is shorter, the range or what is here: a hostile count costs nothing.
    if (count > layer.size) {
      for (const index of layer.keys()) {
        if (index >= start && index < start + count) this.#drop(layer, index, attempt);
      }
    } else {
      for (let index = start; index < start + count; index++) this.#drop(layer, index, attempt);
    }
    if (layer.size === 0) this.#layers.delete(serial);
  }

  /** Drops what is left of a layer. */
  forget(serial: number): void {
    const layer = this.#layers.get(serial);
    if (layer === undefined) return;
    for (const { whole } of layer.values()) this.#bytes -= whole.bytes.length;
    this.#values -= layer.size;
    this.#layers.delete(serial);
  }

  /** Drops everything: a new incarnation begins empty. */
  clear(): void {
    this.#layers.clear();
    this.#bytes = 0;
    this.#values = 0;
  }

  #drop(layer: Map<number, Entry>, index: number, attempt: number): void {
    const entry = layer.get(index);
    if (entry === undefined || entry.attempt !== attempt) return;
    layer.delete(index);
    this.#bytes -= entry.whole.bytes.length;
    this.#values--;
  }
}
