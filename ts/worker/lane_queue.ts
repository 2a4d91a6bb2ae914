/**
 * The main thread's writing end of a lane: runs into the ring, values and definitions through the
 * port.
 */
import type { MessagePort } from 'node:worker_threads';
import { HeddleError } from '../errors/index.js';
import { PER_RECORD } from '../wire/index.js';
import { ahead, type LaneMemory, SLOTS, Word } from './lane_memory.js';
import { EntryKind, HEAD_WORDS, Head, layoutOf, type RunLayout, writeRun } from './lane_section.js';
import type { ToLane } from './messages.js';
import type { HeldValue, Run } from './section.js';

const STUB_BYTES = HEAD_WORDS * 4;
/** Definitions a lane is told at once to forget. */
const FORGET_BATCH = 64;

/** Functions and layers the process was told of; a lane gets them before its first use. */
export interface Definitions {
  readonly functions: ReadonlyMap<number, { readonly name: string; readonly body: Uint8Array }>;
  readonly layers: ReadonlyMap<
    number,
    {
      readonly name: string;
      readonly function: number;
      readonly template: Uint8Array | null;
      readonly dataCodec: number;
    }
  >;
}

/** Queues runs in one thread of a lane. */
export class LaneQueue {
  readonly #knownFunctions = new Set<number>();
  readonly #knownLayers = new Set<number>();
  /** Definitions no record needs any more, which the lane still has. */
  #staleLayers: number[] = [];
  #staleFunctions: number[] = [];
  #nextSlot = 0;
  #tail = 0;
  #nextMessage = 1;

  constructor(
    private readonly memory: LaneMemory,
    private readonly port: MessagePort,
    private readonly definitions: Definitions,
  ) {}

  /**
   * Queues a run and wakes the lane.
   *
   * @param uncollected slot of the oldest record whose result is still in the columns; undefined:
   * there is none.
   * @returns the slot of the first record, or -1 if there is no room.
   */
  push(run: Run, uncollected: number | undefined): number {
    const { memory } = this;
    const count = run.to - run.from;
    const consumed = Atomics.load(memory.control, Word.CONSUMED) >>> 0;
    const waits = uncollected !== undefined && ahead(uncollected, consumed) < 0;
    if (ahead(this.#nextSlot, waits ? uncollected : consumed) + count > SLOTS) return -1;
    const layout = layoutOf(run);
    const external = layout.bytes > memory.sectionBytes.length / 4;
    const at = this.#reserve(external ? STUB_BYTES : layout.bytes);
    if (at < 0) return -1;
    this.#define(run);
    const values =
      run.held === null || run.held.values.length === 0 ? 0 : this.#postValues(run.held.values);
    const slot = this.#nextSlot;
    for (let s = slot; s !== slot + count; s++) memory.claims[memory.row(s)] = 0;
    if (external) this.#writeExternal(run, layout, at, slot, values);
    else writeRun(run, layout, memory.sectionWords, memory.sectionBytes, at, slot, values);
    this.#nextSlot = (slot + count) >>> 0;
    Atomics.store(memory.control, Word.SECTION_TAIL, this.#tail | 0);
    if (memory.wakeLane()) this.port.postMessage({ type: 'wake' } satisfies ToLane);
    return slot;
  }

  /** Slot that the next record gets if `records` of at most `bytes` all have room, else -1; see {@link push}. */
  nextSlot(records: number, bytes: number, uncollected: number | undefined): number {
    const { control, sectionBytes } = this.memory;
    const consumed = Atomics.load(control, Word.CONSUMED) >>> 0;
    const waits = uncollected !== undefined && ahead(uncollected, consumed) < 0;
    if (ahead(this.#nextSlot, waits ? uncollected : consumed) + records > SLOTS) return -1;
    const used = (this.#tail - (Atomics.load(control, Word.SECTION_HEAD) >>> 0)) >>> 0;
    return used + bytes > sectionBytes.length / 2 ? -1 : this.#nextSlot;
  }

  /** True until another record is queued in the row of a slot. */
  isAtHand(slot: number): boolean {
    return ahead(this.#nextSlot, slot) < SLOTS / 2;
  }

  /** Layer definitions the lane has. */
  get layers(): number {
    return this.#knownLayers.size + this.#staleLayers.length;
  }

  /** Lets the lane drop definitions once it has passed all that is queued now. */
  forget(layers: Iterable<number>, functions: Iterable<number>): void {
    for (const serial of layers)
      if (this.#knownLayers.delete(serial)) this.#staleLayers.push(serial);
    for (const serial of functions)
      if (this.#knownFunctions.delete(serial)) this.#staleFunctions.push(serial);
    if (this.#staleLayers.length + this.#staleFunctions.length < FORGET_BATCH) return;
    this.port.postMessage({
      type: 'forget',
      layers: this.#staleLayers,
      functions: this.#staleFunctions,
      after: this.#tail,
    } satisfies ToLane);
    this.#staleLayers = [];
    this.#staleFunctions = [];
  }

  /** Contiguous room in the section ring; gives its byte offset, or -1. Advances the tail. */
  #reserve(bytes: number): number {
    const { control, sectionBytes, sectionWords } = this.memory;
    const capacity = sectionBytes.length;
    const head = Atomics.load(control, Word.SECTION_HEAD) >>> 0;
    const offset = this.#tail % capacity;
    const gap = offset + bytes > capacity ? capacity - offset : 0;
    if (((this.#tail - head) >>> 0) + gap + bytes > capacity) return -1;
    if (gap > 0) {
      sectionWords[(offset >>> 2) + Head.BYTES] = gap;
      sectionWords[(offset >>> 2) + Head.KIND] = EntryKind.Skip;
    }
    this.#tail = (this.#tail + gap + bytes) >>> 0;
    return gap > 0 ? 0 : offset;
  }

  #writeExternal(run: Run, layout: RunLayout, at: number, slot: number, values: number): void {
    const memory = new ArrayBuffer(layout.bytes);
    writeRun(run, layout, new Uint32Array(memory), new Uint8Array(memory), 0, slot, values);
    const { sectionWords } = this.memory;
    sectionWords[(at >>> 2) + Head.BYTES] = STUB_BYTES;
    sectionWords[(at >>> 2) + Head.KIND] = EntryKind.External;
    const id = this.#nextMessage++;
    sectionWords[(at >>> 2) + Head.VALUES] = id;
    this.port.postMessage({ type: 'section', id, memory } satisfies ToLane, [memory]);
  }

  /** Sends copies of values a run takes as inputs; gives the number of the message. */
  #postValues(values: readonly HeldValue[]): number {
    const table = new Uint32Array(values.length * 3);
    let end = 0;
    for (const [i, { codec, bytes }] of values.entries()) {
      const at = (end + 7) & ~7;
      table.set([codec, at, bytes.length], i * 3);
      end = at + bytes.length;
    }
    const all = Buffer.allocUnsafeSlow(end);
    for (const [i, { bytes }] of values.entries()) all.set(bytes, table[i * 3 + 1]);
    const id = this.#nextMessage++;
    const memory = all.buffer as ArrayBuffer;
    this.port.postMessage({ type: 'values', id, memory, table } satisfies ToLane, [memory]);
    return id;
  }

  /** Sends the lane what it needs to know of a run's layer and functions. */
  #define({ section, from, to }: Run): void {
    const layer = this.definitions.layers.get(section.serial);
    if (layer === undefined)
      throw new HeddleError('ERR_PROTOCOL', `layer ${section.serial} was not defined`);
    if (!this.#knownLayers.has(section.serial)) {
      this.#knownLayers.add(section.serial);
      this.port.postMessage({ type: 'layer', serial: section.serial, ...layer } satisfies ToLane);
    }
    if (layer.function !== PER_RECORD) this.#defineFunction(layer.function);
    if (section.functions !== undefined) {
      let last = -1;
      for (let k = from; k < to; k++) {
        const serial = section.functions[k] as number;
        if (serial !== last) this.#defineFunction(serial);
        last = serial;
      }
    }
  }

  #defineFunction(serial: number): void {
    if (this.#knownFunctions.has(serial)) return;
    const known = this.definitions.functions.get(serial);
    if (known === undefined) return; // The lane fails its records with an error that says so.
    this.#knownFunctions.add(serial);
    this.port.postMessage({ type: 'function', serial, ...known } satisfies ToLane);
  }
}
