/**
 * The worker process's main thread between its sockets and its lanes, for one incarnation: takes
 * what the scheduler sends, hands runs of records to lanes, and turns what they finish into Done
 * frames. It touches single records only to find an input, to take one back, or to stop one.
 */
import { RECORDING, WorkerStages } from '../diagnostics/stages.js';
import {
  type AssignSection,
  type Codec,
  type DefineFunction,
  type DefineLayer,
  decodeAssign,
  decodeDefineFunction,
  decodeDefineLayer,
  decodeForget,
  decodeFree,
  decodePeers,
  decodeRetract,
  encodeDone,
  encodeLanes,
  type Forget,
  type Frame,
  type Free,
  Home,
  Kind,
  type LaneState,
  NO_LANE,
  Outcome,
  type RetractSection,
  WireError,
} from '../wire/index.js';
import { ASIDE } from './asides.js';
import { DoneBuilder } from './done_builder.js';
import { Inputs } from './inputs.js';
import { Gone } from './lane_batch.js';
import { LaneHost } from './lane_host.js';
import type { Definitions } from './lane_queue.js';
import type { LaneThread } from './lane_thread.js';
import type { Peers } from './peers.js';
import { payloadOf, type Run, wholeRun } from './section.js';
import type { Store } from './store.js';
import { TransferLog } from './transfer_log.js';

/** How long a stopped body may take to end before its thread is terminated. */
const CANCEL_GRACE_MS = 5_000;
const TIMEOUT_GRACE_MS = 1_000;
/** Results of a lane stuck in a long body are collected at least this often. */
const POLL_MS_MIN = 2;
const POLL_MS_MAX = 32;

/** What the core needs of its connection. */
export interface Uplink {
  /** Queues a frame. */
  push(parts: Uint8Array[]): void;
  /** Says that {@link Core.pull} has something. */
  kick(): void;
}

/** Settings of a core. */
export interface CoreOptions {
  /** Address of the scheduler, and what tools call the worker: for tasks that submit. */
  readonly scheduler: string;
  readonly name: string;
  readonly epoch: number;
  readonly proc: number;
  readonly incarnation: number;
  readonly inlineBytesMax: number;
  /** Whether begins and ends of records and transfers are told. */
  readonly traced: boolean;
  readonly spinUs: number;
  readonly heapMb: number | undefined;
}

interface LayerDefinition {
  readonly name: string;
  readonly function: number;
  readonly template: Uint8Array | null;
  readonly dataCodec: number;
}

/** One incarnation of a worker. */
export class Core {
  readonly store: Store;
  readonly peers: Peers;
  readonly stages = new WorkerStages();
  /** Called when the last record in flight has been collected, some milliseconds later. */
  onIdle: () => void = () => {};
  readonly #lanes: LaneHost[] = [];
  readonly #functions = new Map<number, { name: string; body: Uint8Array }>();
  readonly #layers = new Map<number, LayerDefinition>();
  readonly #inputs: Inputs;
  #done = new DoneBuilder();
  readonly #transfers = new TransferLog();
  #poll: NodeJS.Timeout | null = null;
  #pollMs = POLL_MS_MIN;
  #closed = false;

  constructor(
    private readonly options: CoreOptions,
    private readonly uplink: Uplink,
    store: Store,
    peers: Peers,
    /** One for each lane. */
    threads: readonly LaneThread[],
  ) {
    this.store = store;
    this.peers = peers;
    peers.epoch = options.epoch;
    this.#inputs = new Inputs(store, peers, {
      ready: (run) => this.#queue(run),
      missing: (run, serial, index, proc) => this.#missing(run, serial, index, proc),
      expected: (serial, index, attempt) => this.#isExpected(serial, index, attempt),
      slotOf: (lane, serial, index, attempt) =>
        this.#lanes[lane]?.slotOf(serial, index, attempt) ?? -1,
      recent: (serial, index, attempt) => {
        for (const lane of this.#lanes) {
          const value = lane.recent(serial, index, attempt);
          if (value !== undefined) return value;
        }
        return undefined;
      },
      nextSlot: ({ section, payload, from, to }) =>
        this.#lanes[section.lane]?.nextSlot(
          to - from,
          // Eight columns per record and per input, and the payload once: more than any layout takes.
          payload.length + 32 * (to - from + (section.depIndices?.length ?? 0)) + 128 * (to - from),
        ) ?? -1,
      waited: (ms) => this.stages.fetch.record(ms * 1e6),
      fetched: (proc, bytes, sinceMs) => {
        if (options.traced) this.#transfers.add(proc, bytes, sinceMs);
      },
    });
    this.#inputs.proc = options.proc;
    const definitions: Definitions = { functions: this.#functions, layers: this.#layers };
    for (const [lane, thread] of threads.entries()) {
      this.#lanes.push(this.#openLane(lane, definitions, thread));
    }
  }

  /** Records in lanes, or waiting for inputs. */
  get inFlight(): number {
    let records = this.#inputs.waiting;
    for (const lane of this.#lanes) records += lane.inFlight;
    return records;
  }

  /** Layer definitions held, counted in each thread. */
  get layers(): number {
    let held = this.#layers.size;
    for (const lane of this.#lanes) held += lane.layers;
    return held;
  }

  /** A running total of all lanes, one of Total. */
  total(which: number): number {
    let sum = 0;
    for (const lane of this.#lanes) sum += lane.total(which);
    return sum;
  }

  /**
   * Takes one frame of the scheduler; {@link pull} is to follow, also if it throws.
   *
   * @throws WireError if it is not valid; nothing of it was done then.
   */
  onFrame(frame: Frame): void {
    switch (frame.kind) {
      case Kind.Assign:
        this.#assign(frame);
        return;
      case Kind.DefineFunction:
        this.#defineFunction(decodeDefineFunction(frame));
        return;
      case Kind.DefineLayer:
        this.#defineLayer(decodeDefineLayer(frame));
        return;
      case Kind.Peers: {
        const { peers, gone } = decodePeers(frame);
        for (const { proc, address } of peers) this.peers.add(proc, address ?? '');
        for (const proc of gone ?? []) this.peers.remove(proc);
        return;
      }
      case Kind.Retract: {
        const retract = decodeRetract(frame);
        if (this.#isOurs(retract)) for (const section of retract.sections) this.#retract(section);
        return;
      }
      case Kind.Free: {
        const free = decodeFree(frame);
        if (this.#isOurs(free)) this.#free(free);
        return;
      }
      case Kind.Forget: {
        const forget = decodeForget(frame);
        if (this.#isOurs(forget)) this.#forget(forget);
        return;
      }
      default:
        throw new WireError(`kind ${frame.kind} from the scheduler`);
    }
  }

  /** Builds the next Done frame from everything finished; null if nothing is. */
  pull(): Uint8Array[] | null {
    const since = RECORDING ? performance.now() : 0;
    for (const lane of this.#lanes) {
      if (this.#done.isFull) break; // The rest is in the next frame, which follows at once.
      lane.collect(this.#done);
    }
    const { records } = this.#done;
    const parts = this.#takeDone();
    if (RECORDING && parts !== null) {
      this.stages.report.record((performance.now() - since) * 1e6);
      this.stages.doneRecords.record(records);
    }
    return parts;
  }

  /** Reports a value that a client put here. */
  reportPut(serial: number, index: number, codec: number, bytes: number): void {
    this.#done.add({
      lane: NO_LANE,
      laneEpoch: 0,
      serial,
      outcome: Outcome.Ok,
      first: index,
      count: 1,
      codec: codec as Codec,
      sizes: Uint32Array.of(bytes),
      homes: Uint8Array.of(Home.Stored),
    });
    this.uplink.kick();
  }

  /** Ends all lanes. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#poll !== null) clearTimeout(this.#poll);
    this.#inputs.clear();
    await Promise.all(this.#lanes.map((lane) => lane.close()));
  }

  #openLane(lane: number, definitions: Definitions, thread: LaneThread): LaneHost {
    const { epoch, inlineBytesMax, traced, spinUs, heapMb, scheduler, name } = this.options;
    const inputs = this.#inputs;
    return new LaneHost(
      lane,
      definitions,
      { epoch, inlineBytesMax, traced, spinUs, heapMb, scheduler, name },
      {
        wake: () => this.uplink.kick(),
        died: (host, report) => {
          report(this.#done);
          this.#flush();
          this.#inputs.dropLane(host.lane);
        },
        ended: (records, queuedMs, runUs) => this.stages.ended(records, queuedMs, runUs),
        changed: (host, state) => this.#laneChanged(host, state),
      },
      {
        stored: (serial, index, attempt, value) => {
          // Of a layer that was forgotten while the lane was in a body: nobody asks for it.
          if (!this.#layers.has(serial)) return;
          this.store.put(serial, index, attempt, value);
          if (inputs.wantsResults) inputs.made(serial, index, attempt, null);
        },
        inline: (serial, index, attempt, codec, bytes) => {
          inputs.made(serial, index, attempt, { codec, bytes: bytes.slice() });
        },
        deferred: (run) => inputs.admitDeferred(run),
        get wantsInline() {
          return inputs.wantsResults;
        },
      },
      thread,
    );
  }

  #isOurs(frame: { readonly proc: number; readonly incarnation: number }): boolean {
    return frame.proc === this.options.proc && frame.incarnation === this.options.incarnation;
  }

  #assign(frame: Frame): void {
    const assign = decodeAssign(frame);
    if (!this.#isOurs(assign)) return;
    for (const section of assign.sections) {
      const lane = this.#lanes[section.lane];
      // A section for a thread that is gone: the scheduler has been or will be told so.
      if (lane === undefined || lane.laneEpoch !== section.laneEpoch || section.count === 0)
        continue;
      if (!this.#layers.has(section.serial))
        throw new WireError(`layer ${section.serial} was not defined`);
      const run = wholeRun(section, payloadOf(section, frame.payload));
      lane.hush(); // A pull follows every frame.
      if (section.depProcs === undefined || section.depProcs.every((proc) => proc === 0))
        this.#queue(run);
      else this.#inputs.admit(run);
    }
    this.#armPoll();
  }

  #queue(run: Run): void {
    const { lane, laneEpoch } = run.section;
    const host = this.#lanes[lane] as LaneHost;
    if (host.laneEpoch !== laneEpoch) return;
    host.submit(run);
    this.#armPoll();
  }

  #free({ serials, starts, counts, attempts }: Free): void {
    for (const [i, serial] of serials?.entries() ?? []) {
      this.store.free(serial, starts?.[i] as number, counts?.[i] as number, attempts?.[i] ?? 1);
    }
  }

  #defineFunction({ function: serial, name, body }: DefineFunction): void {
    this.#functions.set(serial, { name: name ?? '', body: body?.slice() ?? new Uint8Array(0) });
  }

  #defineLayer(layer: DefineLayer): void {
    this.#layers.set(layer.serial, {
      name: layer.name ?? '',
      function: layer.function,
      template: layer.template?.slice() ?? null,
      dataCodec: layer.dataCodec,
    });
  }

  /**
   * Drops definitions, and what may be left of their layers: records taken back, values nobody
   * freed. What a function's module imported stays with Node.
   */
  #forget({ layers, functions }: Forget): void {
    const gone = new Set(layers);
    for (const serial of gone) {
      this.#layers.delete(serial);
      this.store.forget(serial);
    }
    for (const serial of functions ?? []) this.#functions.delete(serial);
    this.#inputs.forget(gone);
    for (const lane of this.#lanes) lane.forget(gone, functions ?? []);
  }

  #isExpected(serial: number, index: number, attempt: number): boolean {
    return (
      this.#lanes.some((lane) => lane.has(serial, index, attempt)) ||
      this.#inputs.has(serial, index, attempt)
    );
  }

  #missing(run: Run, serial: number, index: number, proc: number): void {
    this.#done.add({
      ...rowsOf(run.section, run.from),
      outcome: Outcome.MissingInput,
      missingSerials: Uint32Array.of(serial),
      missingIndices: Uint32Array.of(index),
      missingProcs: Uint32Array.of(proc),
    });
    this.uplink.kick();
  }

  #retract(section: RetractSection): void {
    const { lane, laneEpoch, serial, indices, attempts, cancel } = section;
    const host = this.#lanes[lane % ASIDE];
    if (host === undefined || host.laneEpoch !== laneEpoch || indices === undefined) return;
    const taken: number[] = [];
    const takenAttempts: number[] = [];
    for (const [i, index] of indices.entries()) {
      const attempt = attempts?.[i] ?? 1;
      const back =
        this.#inputs.retract(serial, index, attempt) || host.retract(serial, index, attempt);
      if (back) {
        taken.push(index);
        takenAttempts.push(attempt);
      } else if (cancel) {
        host.abort(serial, index, attempt, Gone.Cancelled, CANCEL_GRACE_MS);
      }
    }
    if (taken.length === 0) return;
    this.#done.add({
      lane,
      laneEpoch,
      serial,
      outcome: Outcome.Retracted,
      count: taken.length,
      indices: Uint32Array.from(taken),
      attempts: Uint32Array.from(takenAttempts),
    });
    this.uplink.kick();
  }

  #laneChanged(host: LaneHost, state: LaneState): void {
    if (this.#closed) return;
    this.uplink.push(
      encodeLanes(this.options.epoch, {
        proc: this.options.proc,
        incarnation: this.options.incarnation,
        lanes: Uint32Array.of(host.lane),
        laneEpochs: Uint32Array.of(host.laneEpoch),
        states: Uint8Array.of(state),
      }),
    );
  }

  /** Sends what is collected as a frame of its own, so that what follows comes after it. */
  #flush(): void {
    const parts = this.#takeDone();
    if (parts !== null && !this.#closed) this.uplink.push(parts);
  }

  #takeDone(): Uint8Array[] | null {
    const done = this.#done;
    if (done.sections.length === 0) return null;
    this.#done = new DoneBuilder();
    const { epoch, proc, incarnation } = this.options;
    const message = { proc, incarnation, sections: done.sections, ...this.#transfers.take() };
    return encodeDone(epoch, message, done.finish());
  }

  /** A lane in a long body does not report what it finished before: looks from time to time. */
  #armPoll(): void {
    if (this.#poll !== null || this.#closed) return;
    this.#pollMs = POLL_MS_MIN;
    this.#poll = setTimeout(() => this.#onPoll(), this.#pollMs);
  }

  #onPoll(): void {
    this.#poll = null;
    const now = Date.now();
    let busy = false;
    let limits = false;
    const before = this.#done.records;
    for (const lane of this.#lanes) {
      lane.collect(this.#done);
      lane.checkTimeLimit(now, this.#done, TIMEOUT_GRACE_MS);
      busy ||= lane.inFlight > 0 || lane.hasTimeLimits;
      limits ||= lane.hasTimeLimits;
    }
    if (this.#done.records > before) this.uplink.kick();
    if (!busy || this.#closed) {
      this.onIdle();
      return;
    }
    this.#pollMs = Math.min(limits ? POLL_MS_MIN * 4 : POLL_MS_MAX, this.#pollMs * 2);
    this.#poll = setTimeout(() => this.#onPoll(), this.#pollMs);
  }
}

/** One record of a section as the columns of a Done section. */
function rowsOf(section: AssignSection, k: number) {
  const { lane, laneEpoch, serial, indices, first, attempts } = section;
  const index = indices === undefined ? first + k : (indices[k] as number);
  return { lane, laneEpoch, serial, first: index, count: 1, attempts: attempts?.slice(k, k + 1) };
}
