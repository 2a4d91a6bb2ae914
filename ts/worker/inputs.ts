/**
 * Inputs of records that do not travel with them: in this process's store, on another process, or
 * not made yet by a record that runs here (sent ahead). Records wait here until theirs are at hand.
 */
import { type AssignSection, WHOLE_VALUE } from '../wire/index.js';
import { ASIDE } from './asides.js';
import { findBackwards } from './lane_batch.js';
import { SLOTS } from './lane_memory.js';
import type { Peers, Wanted } from './peers.js';
import { type HeldInputs, type HeldValue, INLINE, LOCAL, type Run, sliceRun } from './section.js';
import type { Store } from './store.js';

/** Copies of other workers' values kept in case more records want them. */
const COPIES_BYTES_MAX = 64 * 1024 * 1024;

const NOTHING: readonly number[] = [];

/** One input as a section names it. */
interface InputName {
  readonly serial: number;
  readonly index: number;
  readonly attempt: number;
  readonly part: number;
  readonly proc: number;
}

/** A record with inputs still to come. */
interface Parked {
  readonly run: Run;
  readonly held: HeldBuilder;
  /** Since when, in ms of `performance.now()`. */
  readonly sinceMs: number;
  missing: number;
  over: boolean;
}

/** One value that parked records wait for. */
interface Need {
  readonly name: InputName;
  readonly waiters: { readonly parked: Parked; readonly position: number }[];
}

/** What becomes of records. */
export interface InputEvents {
  /** All inputs of a run are at hand. */
  ready(run: Run): void;
  /** An input cannot be had; the record does not run. */
  missing(run: Run, serial: number, index: number, proc: number): void;
  /** True if a record that will make the value is queued or running here. */
  expected(serial: number, index: number, attempt: number): boolean;
  /** Slot of a record that a lane will have run before anything queued now, and whose result will count; or -1. */
  slotOf(lane: number, serial: number, index: number, attempt: number): number;
  /** An inline result of this process that was collected a short while ago, if it is still at hand. */
  recent(serial: number, index: number, attempt: number): HeldValue | undefined;
  /** Slot that the next record gets in a lane if all of a run have room, else -1. */
  nextSlot(run: Run): number;
  /** How long a record waited for its inputs. */
  waited(ms: number): void;
  /** A value came from another process; it was asked for at `sinceMs`, of `performance.now()`. */
  fetched(proc: number, bytes: number, sinceMs: number): void;
}

/** Finds inputs. */
export class Inputs {
  /** This process. */
  proc = 0;
  readonly #needs = new Map<string, Need>();
  /** Needs for results of records of this process, by the record. */
  readonly #local = new Map<string, Need[]>();
  readonly #copies = new Copies();
  readonly #parked = new Set<Parked>();

  constructor(
    private readonly store: Store,
    private readonly peers: Peers,
    private readonly events: InputEvents,
  ) {}

  /** Records that wait for inputs. */
  get waiting(): number {
    return this.#parked.size;
  }

  /** True while a record waits for the result of another record of this process. */
  get wantsResults(): boolean {
    return this.#local.size > 0;
  }

  /**
   * Takes a whole section: hands on what is ready, in runs as long as possible, and parks the rest.
   *
   * @param handed finds what the lane has or will have by then.
   */
  admit(whole: Run, handed = this.#handed(whole)): void {
    const { section } = whole;
    const fetches = new Map<number, Wanted[]>();
    let rest = whole;
    let group = new HeldBuilder();
    let dep = whole.depFrom;
    const close = (k: number): void => {
      if (k > rest.from)
        this.events.ready({ ...sliceRun(rest, rest.from, k), held: group.finish() });
      rest = sliceRun(rest, k, whole.to);
      group = new HeldBuilder();
    };
    for (let k = whole.from; k < whole.to; k++) {
      const deps = section.depCounts?.[k] ?? 0;
      const absent: number[] = [];
      const found = this.#lookUp(section, dep, deps, absent);
      const local = absent.length === 0 ? NOTHING : handed(rest.from, k, dep, absent);
      if (local !== null) {
        group.add(found);
        for (const [i, row] of local.entries()) group.local(deps, absent[i] as number, row);
      } else {
        close(k);
        const parked = this.#park(sliceRun(rest, k, k + 1), found);
        for (const position of absent)
          this.#need(nameOf(section, dep + position), parked, position, fetches);
        rest = sliceRun(rest, k + 1, whole.to);
      }
      dep += deps;
    }
    close(whole.to);
    for (const [proc, wanted] of fetches) this.peers.fetch(proc, wanted);
  }

  /** Takes a record whose lane did not have an input that it was to have. */
  admitDeferred(run: Run): void {
    this.admit(run, () => null);
  }

  /**
   * Finds rows of absent inputs that the lane of a run makes itself, before: it hands them over without the main
   * thread. The function takes the first record that is not queued yet, the record, its first input and which are
   * absent.
   */
  #handed(
    whole: Run,
  ): (from: number, k: number, dep: number, absent: number[]) => readonly number[] | null {
    const { section } = whole;
    if (section.lane >= ASIDE) return () => null;
    return (from, k, dep, absent) => {
      const next = this.events.nextSlot(whole);
      if (next < 0) return null;
      const rows: number[] = [];
      for (const position of absent) {
        const { serial, index, attempt, part, proc } = nameOf(section, dep + position);
        if (proc !== this.proc || part !== WHOLE_VALUE) return null;
        const here =
          serial === section.serial ? findBackwards(section, from, k, index, attempt) : -1;
        const slot =
          here >= 0
            ? (next + here - from) >>> 0
            : this.events.slotOf(section.lane, serial, index, attempt);
        if (slot < 0) return null;
        rows.push(slot % SLOTS);
      }
      return rows;
    };
  }

  /** A record of this process has made its value: records sent ahead may start. */
  made(serial: number, index: number, attempt: number, inline: HeldValue | null): void {
    const key = recordKey(serial, index, attempt);
    const needs = this.#local.get(key);
    if (needs === undefined) return;
    this.#local.delete(key);
    for (const need of needs) {
      const { part } = need.name;
      const whole = part === WHOLE_VALUE ? inline : null;
      this.#settle(need, whole ?? this.store.get(serial, index, attempt, part));
    }
  }

  /** True if a record waits here. */
  has(serial: number, index: number, attempt: number): boolean {
    return this.#find(serial, index, attempt) !== undefined;
  }

  /** Takes back a record that waits; true if it did. */
  retract(serial: number, index: number, attempt: number): boolean {
    const parked = this.#find(serial, index, attempt);
    if (parked === undefined) return false;
    this.#finish(parked);
    return true;
  }

  /** Drops the waiting records of a lane that died: the scheduler sends them again. */
  dropLane(lane: number): void {
    for (const parked of this.#parked) {
      if (parked.run.section.lane !== lane) continue;
      parked.over = true;
      this.#parked.delete(parked);
    }
  }

  /** Drops the waiting records of layers that are gone. */
  forget(layers: ReadonlySet<number>): void {
    for (const parked of this.#parked) {
      if (layers.has(parked.run.section.serial)) this.#finish(parked);
    }
  }

  /** Forgets everything. */
  clear(): void {
    for (const parked of this.#parked) parked.over = true;
    this.#parked.clear();
    this.#needs.clear();
    this.#local.clear();
    this.#copies.clear();
  }

  #find(serial: number, index: number, attempt: number): Parked | undefined {
    for (const parked of this.#parked) {
      const { section, from } = parked.run;
      const found = section.indices?.[from] ?? section.first + from;
      const itsAttempt = section.attempts?.[from] ?? 1;
      if (section.serial === serial && found === index && itsAttempt === attempt) return parked;
    }
    return undefined;
  }

  #lookUp(s: AssignSection, dep: number, deps: number, absent: number[]): (HeldValue | null)[] {
    const found: (HeldValue | null)[] = [];
    for (let i = 0; i < deps; i++) {
      const proc = s.depProcs?.[dep + i] ?? 0;
      if (proc === 0) {
        found.push(null);
        continue;
      }
      const name = nameOf(s, dep + i);
      const value =
        proc === this.proc
          ? this.store.get(name.serial, name.index, name.attempt, name.part)
          : this.#copies.get(valueKey(name));
      if (value === undefined) absent.push(i);
      found.push(value ?? null);
    }
    return found;
  }

  #park(run: Run, found: (HeldValue | null)[]): Parked {
    const held = new HeldBuilder();
    held.add(found);
    const parked = { run, held, sinceMs: performance.now(), missing: 0, over: false };
    this.#parked.add(parked);
    return parked;
  }

  #need(name: InputName, parked: Parked, position: number, fetches: Map<number, Wanted[]>): void {
    parked.missing++;
    const key = valueKey(name);
    const known = this.#needs.get(key);
    if (known !== undefined) {
      known.waiters.push({ parked, position });
      return;
    }
    const need: Need = { name, waiters: [{ parked, position }] };
    this.#needs.set(key, need);
    if (name.proc === this.proc) {
      this.#needLocal(need);
      return;
    }
    const sinceMs = performance.now();
    const done = (value: HeldValue | undefined): void => {
      if (value !== undefined) this.events.fetched(name.proc, value.bytes.length, sinceMs);
      if (value !== undefined && name.part === WHOLE_VALUE) this.#copies.put(key, value);
      this.#settle(need, value);
    };
    const bytes = parked.run.section.depSizes?.[parked.run.depFrom + position] ?? 0;
    const wanted = { ...name, bytes, done };
    const list = fetches.get(name.proc);
    if (list === undefined) fetches.set(name.proc, [wanted]);
    else list.push(wanted);
  }

  #needLocal(need: Need): void {
    if (this.#await(need)) return;
    // Not while the frame is being walked: the record that makes it may be in a section to come.
    queueMicrotask(() => {
      const { serial, index, attempt, part } = need.name;
      const recent = part === WHOLE_VALUE ? this.events.recent(serial, index, attempt) : undefined;
      if (recent !== undefined || !this.#await(need)) this.#settle(need, recent);
    });
  }

  /** Waits for the result of a record of this process, if one is to come. */
  #await(need: Need): boolean {
    const { serial, index, attempt } = need.name;
    if (!this.events.expected(serial, index, attempt)) return false;
    const key = recordKey(serial, index, attempt);
    const list = this.#local.get(key);
    if (list === undefined) this.#local.set(key, [need]);
    else list.push(need);
    return true;
  }

  #settle(need: Need, value: HeldValue | undefined): void {
    const key = valueKey(need.name);
    if (this.#needs.get(key) === need) this.#needs.delete(key);
    for (const { parked, position } of need.waiters) {
      if (parked.over) continue;
      if (value === undefined) {
        this.#finish(parked);
        this.events.missing(parked.run, need.name.serial, need.name.index, need.name.proc);
        continue;
      }
      parked.held.set(position, value);
      if (--parked.missing > 0) continue;
      this.#finish(parked);
      this.events.waited(performance.now() - parked.sinceMs);
      this.events.ready({ ...parked.run, held: parked.held.finish() });
    }
  }

  #finish(parked: Parked): void {
    parked.over = true;
    this.#parked.delete(parked);
  }
}

function nameOf(s: AssignSection, dep: number): InputName {
  return {
    serial: s.depSerials?.[dep] ?? s.depSerial,
    index: s.depIndices?.[dep] as number,
    attempt: s.depAttempts?.[dep] ?? 1,
    part: s.depParts?.[dep] ?? WHOLE_VALUE,
    proc: s.depProcs?.[dep] as number,
  };
}

function recordKey(serial: number, index: number, attempt: number): string {
  return `${serial}:${index}:${attempt}`;
}

function valueKey({ serial, index, attempt, part, proc }: InputName): string {
  return `${serial}:${index}:${attempt}:${part}:${proc}`;
}

/** Collects the held inputs of a run; each distinct value is named once. */
class HeldBuilder {
  readonly #which: number[] = [];
  readonly #values: HeldValue[] = [];
  readonly #known = new Map<HeldValue, number>();
  #locals = false;

  /** Appends the inputs of one record; null: inline, or set later. */
  add(inputs: readonly (HeldValue | null)[]): void {
    for (const input of inputs) this.#which.push(input === null ? INLINE : this.#position(input));
  }

  /** The input at `position` of the last record added, which has `deps`, is the result of a row of its lane. */
  local(deps: number, position: number, row: number): void {
    this.#which[this.#which.length - deps + position] = LOCAL + row;
    this.#locals = true;
  }

  set(at: number, value: HeldValue): void {
    this.#which[at] = this.#position(value);
  }

  /** The held inputs, or null if all are inline. */
  finish(): HeldInputs | null {
    if (this.#values.length === 0 && !this.#locals) return null;
    return { which: Uint32Array.from(this.#which), values: this.#values };
  }

  #position(value: HeldValue): number {
    let at = this.#known.get(value);
    if (at === undefined) {
      at = this.#values.push(value) - 1;
      this.#known.set(value, at);
    }
    return at;
  }
}

/** Fetched values, the least recently used dropped first. */
class Copies {
  readonly #values = new Map<string, HeldValue>();
  #bytes = 0;

  get(key: string): HeldValue | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    this.#values.delete(key);
    this.#values.set(key, value);
    return value;
  }

  put(key: string, value: HeldValue): void {
    if (this.#values.has(key) || value.bytes.length > COPIES_BYTES_MAX) return;
    this.#values.set(key, value);
    this.#bytes += value.bytes.length;
    for (const [oldest, { bytes }] of this.#values) {
      if (this.#bytes <= COPIES_BYTES_MAX) return;
      this.#values.delete(oldest);
      this.#bytes -= bytes.length;
    }
  }

  clear(): void {
    this.#values.clear();
    this.#bytes = 0;
  }
}
