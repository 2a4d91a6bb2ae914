// The client's view of one layer: a state byte and a chunk number per row, no object per row.
import type { HeddleError } from '../errors/index.js';
import { RowState, type UpdateSection } from '../wire/index.js';
import { Chunk } from './chunk.js';
import type { Session } from './session.js';

/** State of a row here: RowState of its last Update, 0 while pending; with RELEASED once it was released. */
export const PENDING = 0;
/** The client gave up the row. */
export const RELEASED = 0x80;

/** Something that waits for rows. Woken after the whole frame that ended its row has been digested. */
export interface Waiter {
  wake(): void;
}

/** Told of runs of rows as they end, are released, or are given up with the session; a row may be told twice. */
export interface RowObserver {
  onEnded(rows: Rows, first: number, count: number): void;
}

const NO_CHUNK = 0;

/** Rows of one layer, as far as this client has been told. */
export class Rows {
  readonly session: Session;
  /** The client's layer number. */
  readonly number: number;
  /** The scheduler's number, once accepted; 0 before. */
  serial = 0;
  #onAccepted: (() => void)[] | undefined;
  /** Rows the layer has. */
  length = 0;
  state: Uint8Array;
  /** Set if the scheduler refused rows: why, by first row refused. */
  #refusals: { first: number; end: number; error: HeddleError }[] | undefined;
  #chunkOf: Uint32Array;
  readonly #chunks: (Chunk | undefined)[] = [undefined];
  readonly #parked = new Map<number, Waiter | Waiter[]>();
  readonly #observers = new Set<RowObserver>();
  #released = 0;
  /** True once no more rows will be appended. */
  closed = false;

  constructor(session: Session, number: number, capacity: number) {
    this.session = session;
    this.number = number;
    this.state = new Uint8Array(capacity);
    this.#chunkOf = new Uint32Array(capacity);
  }

  /** Appends `count` pending rows; gives the first. */
  append(count: number): number {
    const first = this.length;
    this.length += count;
    if (this.length > this.state.length) {
      const capacity = Math.max(64, 2 * this.state.length, this.length);
      const state = new Uint8Array(capacity);
      const chunkOf = new Uint32Array(capacity);
      state.set(this.state);
      chunkOf.set(this.#chunkOf);
      this.state = state;
      this.#chunkOf = chunkOf;
    }
    return first;
  }

  /** The scheduler has taken the layer (or more rows of it) in. */
  accepted(serial: number): void {
    this.serial = serial;
    for (const tell of this.#onAccepted ?? []) tell();
    this.#onAccepted = undefined;
  }

  /** Calls `tell` once the layer is accepted. */
  whenAccepted(tell: () => void): void {
    if (this.serial !== 0) {
      tell();
      return;
    }
    this.#onAccepted ??= [];
    this.#onAccepted.push(tell);
  }

  /** Takes in one section; waiters whose rows ended are added to `woken`. */
  digest(section: UpdateSection, payload: readonly Uint8Array[], woken: Waiter[]): void {
    const starts = section.starts as Uint32Array;
    const counts = section.counts as Uint32Array;
    const state = section.state === RowState.Pending ? PENDING : section.state;
    let chunk = NO_CHUNK;
    if (state !== PENDING) chunk = this.#chunks.push(new Chunk(section, payload)) - 1;
    for (let i = 0; i < starts.length; i++) {
      const start = starts[i] as number;
      const end = Math.min(start + (counts[i] as number), this.length);
      this.#digestRun(start, end, state, chunk);
      if (state === PENDING) continue;
      if (this.#parked.size > 0) this.#unpark(start, end, woken);
      if (this.#observers.size > 0) this.#tell(start, end - start, woken);
    }
    const made = this.#chunks[chunk];
    if (made !== undefined && made.live <= 0) this.#chunks[chunk] = undefined;
  }

  #digestRun(start: number, end: number, state: number, chunk: number): void {
    const { state: states } = this;
    const chunkOf = this.#chunkOf;
    for (let row = start; row < end; row++) {
      const old = chunkOf[row] as number;
      if (old !== NO_CHUNK) this.#drop(old);
      if (((states[row] as number) & RELEASED) !== 0) {
        chunkOf[row] = NO_CHUNK;
        if (chunk !== NO_CHUNK) this.#drop(chunk);
      } else {
        states[row] = state;
        chunkOf[row] = chunk;
      }
    }
  }

  #drop(chunk: number): void {
    const held = this.#chunks[chunk];
    if (held !== undefined && --held.live === 0) this.#chunks[chunk] = undefined;
  }

  /** The outcome of a row; undefined while it is pending or after its release. */
  chunk(row: number): Chunk | undefined {
    return this.#chunks[this.#chunkOf[row] as number];
  }

  /** Ends rows here, without the scheduler: they were refused. */
  refuse(first: number, count: number, error: HeddleError, woken: Waiter[]): void {
    this.#refusals ??= [];
    this.#refusals.push({ first, end: first + count, error });
    for (let row = first; row < first + count; row++) {
      this.state[row] = ((this.state[row] as number) & RELEASED) | RowState.Failed;
    }
    this.#unpark(first, first + count, woken);
    this.#tell(first, count, woken);
  }

  /** The error of a row that failed or was cancelled. */
  error(row: number): Error {
    const refusal = this.#refusals?.find(({ first, end }) => row >= first && row < end);
    if (refusal !== undefined) return refusal.error;
    const chunk = this.chunk(row);
    if (chunk === undefined) throw new Error(`row ${row} of layer ${this.number} has no outcome`);
    return chunk.error(row);
  }

  /** True if no row is pending, released ones apart. */
  ended(first: number, count: number): boolean {
    return !this.state.subarray(first, first + count).includes(PENDING);
  }

  /** True if all of these rows were released. */
  given(first: number, count: number): boolean {
    return this.state.subarray(first, first + count).every((state) => (state & RELEASED) !== 0);
  }

  /** Marks rows released; gives how many were not yet. Their waiters are added to `woken`. */
  release(first: number, count: number, woken: Waiter[]): number {
    let fresh = 0;
    for (let row = first; row < first + count; row++) {
      const state = this.state[row] as number;
      if ((state & RELEASED) !== 0) continue;
      this.state[row] = state | RELEASED;
      fresh++;
      const chunk = this.#chunkOf[row] as number;
      if (chunk !== NO_CHUNK) {
        this.#chunkOf[row] = NO_CHUNK;
        this.#drop(chunk);
      }
    }
    this.#released += fresh;
    if (this.#parked.size > 0) this.#unpark(first, first + count, woken);
    this.#tell(first, count, woken);
    return fresh;
  }

  /** True if nothing can be asked of these rows any more. */
  get spent(): boolean {
    return this.closed && this.#released === this.length;
  }

  /** Wakes `waiter` when `row` ends, is released, or the connection is lost. */
  park(row: number, waiter: Waiter): void {
    const parked = this.#parked.get(row);
    if (parked === undefined) this.#parked.set(row, waiter);
    else if (Array.isArray(parked)) parked.push(waiter);
    else this.#parked.set(row, [parked, waiter]);
  }

  /** Forgets a waiter that no longer waits. */
  unpark(row: number, waiter: Waiter): void {
    const parked = this.#parked.get(row);
    if (parked === waiter) this.#parked.delete(row);
    else if (Array.isArray(parked)) {
      const rest = parked.filter((other) => other !== waiter);
      if (rest.length === 0) this.#parked.delete(row);
      else this.#parked.set(row, rest);
    }
  }

  /** Tells `observer` of rows that end from now on. */
  observe(observer: RowObserver): void {
    this.#observers.add(observer);
  }

  /** Ends `observe`. */
  unobserve(observer: RowObserver): void {
    this.#observers.delete(observer);
  }

  /** Observers are told when the waiters are woken. */
  #tell(first: number, count: number, woken: Waiter[]): void {
    for (const observer of this.#observers) {
      woken.push({ wake: () => observer.onEnded(this, first, count) });
    }
  }

  /** Adds every waiter to `woken`: the connection is lost. */
  wakeAll(woken: Waiter[]): void {
    for (const parked of this.#parked.values()) {
      if (Array.isArray(parked)) woken.push(...parked);
      else woken.push(parked);
    }
    this.#parked.clear();
    this.#tell(0, 0, woken);
  }

  #unpark(start: number, end: number, woken: Waiter[]): void {
    const take = (row: number, parked: Waiter | Waiter[]): void => {
      this.#parked.delete(row);
      if (Array.isArray(parked)) woken.push(...parked);
      else woken.push(parked);
    };
    if (this.#parked.size < end - start) {
      for (const [row, parked] of this.#parked) if (row >= start && row < end) take(row, parked);
      return;
    }
    for (let row = start; row < end; row++) {
      const parked = this.#parked.get(row);
      if (parked !== undefined) take(row, parked);
    }
  }
}
