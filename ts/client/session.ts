// The state of one connection, shared by a client and its futures: layers, functions, what waits to be sent, what
// waits for an answer.
import { EventEmitter } from 'node:events';
import { ClientStages } from '../diagnostics/stages.js';
import { HeddleError, isErrorCode } from '../errors/index.js';
import type { ItemColumn } from '../graph/items.js';
import type { ReferencedRows, ReferenceOwner } from '../graph/reference.js';
import {
  type Draft,
  decodeAccepted,
  decodeNotice,
  decodeRefused,
  decodeReply,
  decodeUpdate,
  encodeCredit,
  encodeDefineFunction,
  encodeDemand,
  encodeDropTemplate,
  encodeInstantiate,
  encodeSubmit,
  encodeTemplate,
  type Frame,
  type FrameParts,
  Kind,
  type Layer,
  limits,
  type Notice,
  RowState,
  WireError,
} from '../wire/index.js';
import type { Channel, Links, ValuePeer } from './channel.js';
import type { ConnectionOwner } from './connection.js';
import { DemandRanges } from './demands.js';
import { FunctionTable } from './functions.js';
import type { FutureStatus } from './future.js';
import { type GatherOptions, GatherWait } from './gather.js';
import type { Gathered } from './gathered.js';
import type { Hold } from './hold.js';
import { Queries } from './queries.js';
import { ResultWait } from './result.js';
import { RowRange } from './row_list.js';
import { RELEASED, Rows, type Waiter } from './rows.js';
import { StoredValues } from './stored_values.js';
import { Submitter } from './submitter.js';
import type { WaitWatcher } from './wait.js';
import type { WaitOptions } from './wait_options.js';

/** Updates digested before their credit is returned: well before the scheduler runs out of it. */
const CREDIT_STEP = limits.UPDATE_CREDIT_MAX >> 2;
/**
 * Releases of so few finished rows wait this long for others: they free little, and a frame for each would delay
 * what is submitted next.
 */
const FEW_ROWS = 64;
const FEW_ROWS_MS = 5;
/** Bit 1 of a layer's flags: a running task submitted it. */
const NESTED = 2;

/** Rows of one layer that a graph brought. */
export interface GraphRows {
  readonly rows: Rows;
  readonly first: number;
  readonly count: number;
}

/** A graph that was sent. */
interface UnansweredGraph {
  readonly rows: readonly GraphRows[];
  /** Number of its frame. */
  readonly frame: number;
}

/** Events of a session: see `Client`. */
export interface SessionEvents {
  notice: [notice: Notice];
  lost: [error: HeddleError];
}

/** One connection and everything that goes over it. */
export class Session implements ConnectionOwner, ReferenceOwner {
  readonly events = new EventEmitter<SessionEvents>();
  readonly functions: FunctionTable;
  /** Lazy calls computed so far, and the tasks they became. */
  readonly fusion = { before: 0, after: 0 };
  readonly stages = new ClientStages();
  readonly submitter: Submitter;
  readonly stored: StoredValues;
  /** Gathers that reject at the first failure of one of their rows. */
  readonly failureWatchers = new Set<GatherWait>();
  /** Why nothing runs, while no worker is connected; else undefined. */
  noWorkers: string | undefined;
  /** The layer of empty arrays. */
  readonly noRows = new Rows(this, 0, 0);
  /** Told of waits that last; set in sessions of running tasks. */
  waits: WaitWatcher | undefined;
  /** The session of running tasks: what it submits goes first. */
  readonly nested: boolean;
  readonly #links: Links;
  #connection!: Channel;
  #error: HeddleError | undefined;
  readonly #layers = new Map<number, Rows>();
  readonly #graphs = new Map<number, UnansweredGraph>();
  readonly #queries = new Queries((encode) => this.#connection.send(encode(this.epoch)));
  readonly #release = new DemandRanges(Kind.Release);
  readonly #cancel = new DemandRanges(Kind.Cancel);
  readonly #gather = new DemandRanges(Kind.Gather);
  #cancelReason: string | undefined;
  #flushScheduled = false;
  /** Rows whose release waits; 0 if some are to be released at once. */
  #lateRows = 0;
  #lateTimer: NodeJS.Timeout | undefined;
  #lastLayer = 0;
  #lastGraph = 0;
  #lastTemplate = 0;
  #creditedSeq = 0;
  #answered = 0;

  private constructor(links: Links, nested: boolean) {
    this.#links = links;
    this.nested = nested;
    this.functions = new FunctionTable((number, hash, name, body) => {
      this.#connection.send(
        encodeDefineFunction(this.epoch, { function: number, hash, name, body }),
      );
    });
    this.submitter = new Submitter(this);
    this.stored = new StoredValues(this);
  }

  /** Connects; throws what `links.connect` does. */
  static async open(links: Links): Promise<Session> {
    const session = new Session(links, false);
    session.#connection = await links.connect(session);
    return session;
  }

  /** The session of running tasks, over a channel that is there. */
  static within(connect: (owner: ConnectionOwner) => Channel, peer: Links['peer']): Session {
    const session = new Session({ connect, peer }, true);
    session.#connection = connect(session);
    return session;
  }

  /** A way to the worker that serves its values at `address`. */
  peer(address: string): ValuePeer {
    return this.#links.peer(address, this.epoch);
  }

  get address(): string {
    return this.#connection.address;
  }

  get epoch(): number {
    return this.#connection.epoch;
  }

  /** Frames from the scheduler that were invalid or of another epoch. */
  get rejectedFrames(): number {
    return this.#connection.rejectedFrames;
  }

  /** Why the session ended, once it has. */
  get error(): HeddleError | undefined {
    return this.#error;
  }

  /** @throws HeddleError ERR_CLOSED or ERR_SCHEDULER_LOST once the session has ended */
  checkOpen(): void {
    if (this.#error === undefined) return;
    throw new HeddleError(this.#error.code, this.#error.message, { cause: this.#error.cause });
  }

  // --- What goes out.

  /** A new layer of this client with room for `capacity` rows; `before`: numbers left free before its own. */
  openRows(capacity: number, before = 0): Rows {
    this.checkOpen();
    this.#lastLayer += before + 1;
    const rows = new Rows(this, this.#lastLayer, capacity);
    this.#layers.set(rows.number, rows);
    return rows;
  }

  /** No handle of the layer exists (any more): what is told of it is passed over. */
  forget(rows: Rows): void {
    this.#layers.delete(rows.number);
  }

  /** Sends layers; `graph` says which rows they bring, should they be refused. */
  sendGraph(
    graph: readonly GraphRows[],
    layers: readonly Draft<Layer>[],
    payload: readonly Uint8Array[],
  ): void {
    this.#sendGraph(graph, (number) =>
      encodeSubmit(
        this.epoch,
        { graph: number, layers: this.#marked(layers), more: false },
        payload,
      ),
    );
  }

  /** Lets the scheduler keep a graph; gives the template's number. */
  sendTemplate(
    params: number,
    layers: readonly Draft<Layer>[],
    payload: readonly Uint8Array[],
  ): number {
    const template = ++this.#lastTemplate;
    const marked = this.#marked(layers);
    this.#sendGraph([], (graph) =>
      encodeTemplate(this.epoch, { template, graph, params, layers: marked }, payload),
    );
    return template;
  }

  /** Submits a kept graph, whose wanted rows are `rows` and whose parameters are layer `layer`. */
  sendInstance(template: number, rows: Rows, layer: number, column: ItemColumn): void {
    const { codec, stride, sizes, bytes } = column;
    const data = { dataCodec: codec, dataStride: stride, dataSizes: sizes };
    const payload = bytes.byteLength === 0 ? [] : [bytes];
    this.#sendGraph([{ rows, first: 0, count: rows.length }], (graph) =>
      encodeInstantiate(this.epoch, { template, graph, layer, ...data }, payload),
    );
  }

  /** The scheduler need not keep a graph any more. */
  dropTemplate(template: number): void {
    if (this.#error === undefined) {
      this.#connection.send(encodeDropTemplate(this.epoch, { template }));
    }
  }

  #sendGraph(rows: readonly GraphRows[], encode: (number: number) => FrameParts): void {
    const number = ++this.#lastGraph;
    const parts = this.stages.encoding(() => encode(number));
    this.stages.sent(
      number,
      rows.reduce((tasks, { count }) => tasks + count, 0),
    );
    const frame = this.#connection.send(parts);
    this.#graphs.set(number, { rows, frame });
  }

  #marked(layers: readonly Draft<Layer>[]): readonly Draft<Layer>[] {
    if (!this.nested) return layers;
    return layers.map((layer) => ({ ...layer, flags: (layer.flags ?? 0) | NESTED }));
  }

  /** What is pending leaves at the end of the present microtask queue. */
  scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    queueMicrotask(() => {
      this.#flushScheduled = false;
      this.#flushUrgent();
      if (this.#lateRows === 0) this.#send(this.#release);
    });
  }

  /** Sends what is pending: submissions first, for a release may follow the last use. */
  flush(): void {
    this.#flushUrgent();
    this.#send(this.#release);
    this.#lateRows = 0;
  }

  #flushUrgent(): void {
    if (this.#error !== undefined) return;
    this.submitter.flush();
    this.#send(this.#cancel, this.#cancelReason);
    this.#cancelReason = undefined;
    this.#send(this.#gather);
  }

  #send(ranges: DemandRanges, reason?: string): void {
    if (this.#error !== undefined || ranges.empty) return;
    this.#connection.send(encodeDemand(ranges.kind, this.epoch, { ...ranges.take(), reason }));
  }

  cancel(rows: Rows, first: number, count: number, reason?: string): void {
    if (count === 0 || this.#error !== undefined) return;
    if (reason !== this.#cancelReason && !this.#cancel.empty) this.flush();
    this.#cancelReason = reason;
    this.#cancel.add(rows.number, first, count);
    this.scheduleFlush();
  }

  release(rows: Rows, first: number, count: number): void {
    const woken: Waiter[] = [];
    const few = count <= FEW_ROWS && rows.ended(first, count);
    if (rows.release(first, count, woken) === 0) return;
    wake(woken);
    if (rows.spent) this.forget(rows);
    if (this.#error !== undefined) return;
    const waits = few && (this.#release.empty || this.#lateRows > 0);
    this.#release.add(rows.number, first, count);
    this.#lateRows = waits ? this.#lateRows + count : 0;
    if (waits && this.#lateRows <= FEW_ROWS) {
      this.#lateTimer ??= setTimeout(() => this.#flushLate(), FEW_ROWS_MS).unref();
    } else {
      // Work that nobody wants any more ends at once, and much memory is not kept.
      this.#lateRows = 0;
      this.scheduleFlush();
    }
  }

  #flushLate(): void {
    this.#lateTimer = undefined;
    this.flush();
  }

  /** Asks that the present state of a row be told again. */
  askAgain(rows: Rows, row: number): void {
    this.#gather.add(rows.number, row, 1);
    this.scheduleFlush();
  }

  /**
   * A question to the scheduler.
   * @throws HeddleError ERR_TIMEOUT after 10 s, ERR_SCHEDULER_LOST, ERR_CLOSED
   */
  async query(what: string, body = ''): Promise<unknown> {
    this.checkOpen();
    this.flush();
    const answer = await this.#queries.ask(what, body);
    this.checkOpen();
    try {
      return JSON.parse(answer ?? 'null') as unknown;
    } catch (cause) {
      throw new HeddleError('ERR_PROTOCOL', `the answer to '${what}' is not JSON`, { cause });
    }
  }

  // --- What futures ask.

  status(rows: Rows, row: number): FutureStatus {
    const state = rows.state[row] as number;
    if ((state & RELEASED) !== 0) return 'released';
    if (state === RowState.Done) return 'done';
    if (state === RowState.Failed) return 'failed';
    if (state === RowState.Cancelled) return 'cancelled';
    return this.#error === undefined ? 'pending' : 'lost';
  }

  result(hold: Hold, row: number, options: WaitOptions): Promise<unknown> {
    return settle(() => new ResultWait(this, hold, row, options));
  }

  gatherRange(hold: Hold, first: number, count: number, options: GatherOptions): Promise<Gathered> {
    return settle(() => new GatherWait(this, new RowRange(hold, first, count), options));
  }

  /** Waits for news of rows; a running task's wait is known as one. */
  async waiting(news: Promise<void>): Promise<void> {
    const { waits } = this;
    if (waits === undefined) return news;
    let abandon: (error: Error) => void = () => {};
    const abandoned = new Promise<never>((_, reject) => {
      abandon = reject;
    });
    const wait = { abandon: (error: Error) => abandon(error) };
    waits.began(wait);
    try {
      await Promise.race([news, abandoned]);
    } finally {
      waits.ended(wait);
    }
  }

  /** The value of a row that is done, fetched if it is stored elsewhere. */
  value(rows: Rows, row: number): Promise<unknown> {
    return this.stored.value(rows, row);
  }

  reference(
    owner: ReferenceOwner,
    rows: Rows,
    first: number,
    count: number,
    array: boolean,
  ): ReferencedRows {
    if (owner.connection !== this) {
      throw new HeddleError(
        'ERR_ARGUMENT',
        'a future of another client cannot be an argument: gather it and pass the value',
      );
    }
    for (let row = first; row < first + count; row++) {
      if (((rows.state[row] as number) & RELEASED) !== 0) throw this.releasedError();
    }
    return { layer: rows.number, first, count, part: undefined, array };
  }

  /** Submissions are for this connection, and outside any lazy graph. */
  get connection(): object {
    return this;
  }

  place(): undefined {
    return undefined;
  }

  releasedError(): HeddleError {
    return new HeddleError(
      'ERR_RELEASED',
      'the future was released: read its result, or pass it on, before release()',
    );
  }

  // --- What comes in.

  get answered(): number {
    return this.#answered;
  }

  /** Rows and answers are told again; replies and notices are not. */
  onResumed(): void {
    this.noWorkers = undefined;
    this.#queries.askAgain();
  }

  onFrame(frame: Frame): void {
    switch (frame.kind) {
      case Kind.Update:
        this.stages.decoding(() => this.#onUpdate(frame));
        return;
      case Kind.Accepted:
        this.#onAccepted(frame);
        return;
      case Kind.Refused:
        this.#onRefused(frame);
        return;
      case Kind.Reply: {
        const { request, body } = decodeReply(frame);
        this.#queries.answered(request, body);
        return;
      }
      case Kind.Notice:
        this.#onNotice(decodeNotice(frame));
        return;
      default:
        throw new WireError(`kind ${frame.kind} is not for clients`);
    }
  }

  onLost(error: HeddleError): void {
    this.#end(error);
    this.events.emit('lost', error);
  }

  /** Ends the session on purpose. */
  async close(): Promise<void> {
    if (this.#error !== undefined) return;
    this.flush();
    const closed = this.#connection.close();
    this.#end(new HeddleError('ERR_CLOSED', 'the client has been closed'));
    await closed;
  }

  #end(error: HeddleError): void {
    this.#error ??= error;
    const woken: Waiter[] = [];
    for (const rows of this.#layers.values()) rows.wakeAll(woken);
    this.#graphs.clear();
    clearTimeout(this.#lateTimer);
    this.#queries.end();
    this.stored.close();
    wake(woken);
  }

  #onUpdate(frame: Frame): void {
    const update = decodeUpdate(frame);
    for (const peer of update.peers) {
      if (peer.address !== undefined) this.stored.learn(peer.proc, peer.address);
    }
    const woken: Waiter[] = [];
    const failed = new Set<Rows>();
    for (const section of update.sections) {
      // Rows of a layer that is all released may still be told of once: nobody listens.
      const rows = this.#layers.get(section.layer);
      if (rows === undefined) continue;
      rows.digest(section, frame.payload, woken);
      if (section.state === RowState.Failed || section.state === RowState.Cancelled)
        failed.add(rows);
    }
    // Before the waiters run, so that the next Update is under way while results are decoded.
    if (update.seq - this.#creditedSeq >= CREDIT_STEP || update.seq < this.#creditedSeq) {
      this.#creditedSeq = update.seq;
      this.#connection.send(encodeCredit(this.epoch, { seq: update.seq }));
    }
    wake(woken);
    this.#tellFailures(failed);
  }

  #tellFailures(failed: Iterable<Rows>): void {
    for (const rows of failed) for (const watcher of this.failureWatchers) watcher.onFailure(rows);
  }

  /** Takes an answer to a graph in; gives its rows, or undefined if it is answered already. */
  #onAnswer(graph: number): readonly GraphRows[] | undefined {
    const unanswered = this.#graphs.get(graph);
    if (unanswered === undefined) return undefined;
    this.#graphs.delete(graph);
    this.stages.answered(graph);
    this.#answered = graph;
    this.#connection.confirm(unanswered.frame);
    return unanswered.rows;
  }

  #onAccepted(frame: Frame): void {
    const { graph, layers, serials } = decodeAccepted(frame);
    this.#onAnswer(graph);
    layers?.forEach((layer, i) => {
      const rows = this.#layers.get(layer);
      if (rows !== undefined) rows.accepted(serials?.[i] ?? 0);
    });
  }

  #onRefused(frame: Frame): void {
    const { graph, code, message, layer, index } = decodeRefused(frame);
    const refused = this.#onAnswer(graph);
    const error = new HeddleError(
      isErrorCode(code) ? code : 'ERR_GRAPH_INVALID',
      `${message ?? 'the graph was refused'} (layer ${layer}, row ${index})`,
    );
    const woken: Waiter[] = [];
    for (const { rows, first, count } of refused ?? []) {
      rows.refuse(first, count, error, woken);
      this.submitter.closeLayer(rows);
    }
    wake(woken);
    this.#tellFailures(new Set(refused?.map(({ rows }) => rows)));
  }

  #onNotice(notice: Notice): void {
    if (notice.code === 'ERR_NO_WORKERS') {
      this.noWorkers = notice.cleared ? undefined : (notice.message ?? 'no workers are connected');
    }
    this.events.emit('notice', notice);
  }
}

function wake(woken: readonly Waiter[]): void {
  for (const waiter of woken) waiter.wake();
}

/** Runs a wait; what its constructor throws becomes the rejection. */
function settle<R>(make: () => { run(): Promise<R> }): Promise<R> {
  try {
    return make().run();
  } catch (error) {
    return Promise.reject(error);
  }
}
