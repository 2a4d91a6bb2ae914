/**
 * Values of other workers: pulled in chunks, several values per request, a bounded number of
 * requests in flight to each peer. A value that cannot be had (peer gone, silent, or without it) is
 * reported missing; nobody hangs.
 */
import type { Dealer } from 'zeromq';
import {
  type DataMessage,
  decodeData,
  encodeFetch,
  Kind,
  limits,
  nextChunk,
  splitFrame,
  stampCrc,
  WireError,
} from '../wire/index.js';
import { Outbox } from './outbox.js';
import type { HeldValue } from './section.js';
import { openDealer } from './sockets.js';

const { CHUNK_BYTES_MAX } = limits;
const REQUESTS_MAX = 4;
const ITEMS_MAX = 256;
/** A peer's main thread answers from memory; silence this long means it is stuck or gone. */
const ANSWER_MS = 10_000;
const TICK_MS = 500;

/** One value, or one part of it, wanted from a peer. */
export interface Wanted {
  readonly serial: number;
  readonly index: number;
  readonly attempt: number;
  readonly part: number;
  /** Expected bytes; a hint for how much to ask for at once. */
  readonly bytes: number;
  /** Called once, with undefined if the value cannot be had. */
  readonly done: (value: HeldValue | undefined) => void;
}

interface Item extends Wanted {
  memory: ArrayBuffer | null;
  received: number;
}

interface Request {
  readonly items: Item[];
  readonly sent: number;
}

/** The connection to one peer's data socket. */
class PeerLink {
  readonly #socket: Dealer = openDealer();
  readonly #outbox: Outbox;
  readonly #queue: Item[] = [];
  readonly #requests = new Map<number, Request>();
  #next = 1;
  #closed = false;

  constructor(
    readonly address: string,
    private readonly epoch: number,
    private readonly counters: Counters,
    private readonly gone: () => void,
  ) {
    const fail = (): void => this.close();
    this.#outbox = new Outbox(
      (parts) => this.#socket.send(parts),
      () => null,
      fail,
    );
    this.#socket.events.on('disconnect', fail);
    this.#socket.events.on('connect:retry', fail);
    this.#socket.connect(address);
    void this.#receive();
  }

  want(item: Wanted): void {
    this.#queue.push({ ...item, memory: null, received: 0 });
  }

  /** Sends requests while the window is open. */
  pump(): void {
    while (this.#requests.size < REQUESTS_MAX && this.#queue.length > 0 && !this.#closed) {
      const items: Item[] = [];
      let bytes = 0;
      while (this.#queue.length > 0 && items.length < ITEMS_MAX && bytes < CHUNK_BYTES_MAX) {
        const item = this.#queue.shift() as Item;
        bytes += nextChunk(item.bytes - item.received);
        items.push(item);
      }
      const request = this.#next++;
      this.#requests.set(request, { items, sent: performance.now() });
      const frame = encodeFetch(this.epoch, {
        request,
        serials: Uint32Array.from(items, (i) => i.serial),
        indices: Uint32Array.from(items, (i) => i.index),
        attempts: Uint32Array.from(items, (i) => i.attempt),
        parts: Uint32Array.from(items, (i) => i.part),
        offsets: Uint32Array.from(items, (i) => i.received),
        bytesMax: CHUNK_BYTES_MAX,
      });
      this.#outbox.push(this.address.startsWith('tcp:') ? stampCrc(frame) : frame);
    }
  }

  /** Gives up if the peer has left a request unanswered for too long. */
  tick(now: number): void {
    for (const { sent } of this.#requests.values()) {
      if (now - sent > ANSWER_MS) {
        this.close();
        return;
      }
    }
  }

  get idle(): boolean {
    return this.#requests.size === 0 && this.#queue.length === 0;
  }

  /** Closes the socket; everything wanted is missing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
    this.gone();
    const items = [...this.#requests.values()].flatMap((request) => request.items);
    this.#requests.clear();
    for (const item of [...items, ...this.#queue.splice(0)]) item.done(undefined);
  }

  async #receive(): Promise<void> {
    while (!this.#socket.closed) {
      let parts: Uint8Array[];
      try {
        parts = await this.#socket.receive();
      } catch {
        return; // Closed.
      }
      try {
        const frame = splitFrame(parts);
        if (frame.epoch !== this.epoch || frame.kind !== Kind.Data) throw new WireError('not Data');
        this.#take(decodeData(frame), frame.payload[0] ?? new Uint8Array(0));
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        this.counters.rejectedFrames++;
      }
    }
  }

  #take(data: DataMessage, payload: Uint8Array): void {
    const request = this.#requests.get(data.request);
    if (request === undefined) return;
    const { items, codecs, sizes, totals, offsets, missing } = data;
    const finished = new Set<Item>();
    let end = 0;
    for (let i = 0; i < (items?.length ?? 0); i++) {
      const size = sizes?.[i] as number;
      const start = nextChunk(end);
      end = start + size;
      const item = request.items[items?.[i] as number];
      if (item === undefined || (offsets?.[i] ?? 0) !== item.received)
        throw new WireError('Data: unasked');
      this.#chunk(
        item,
        payload.subarray(start, end),
        codecs?.[i] as number,
        totals?.[i] as number,
        finished,
      );
    }
    for (const i of missing ?? []) {
      const item = request.items[i];
      if (item === undefined || finished.has(item)) continue;
      finished.add(item);
      item.done(undefined);
    }
    this.#requests.delete(data.request);
    this.#queue.unshift(...request.items.filter((item) => !finished.has(item)));
    this.pump();
  }

  #chunk(item: Item, bytes: Uint8Array, codec: number, total: number, finished: Set<Item>): void {
    if (finished.has(item)) throw new WireError('Data: an item twice');
    item.memory ??= allocate(total);
    if (item.memory === null) {
      finished.add(item);
      item.done(undefined);
      return;
    }
    if (item.memory.byteLength !== total) throw new WireError('Data: the value changed its size');
    if (bytes.length === 0 && total > 0) throw new WireError('Data: an empty chunk');
    new Uint8Array(item.memory).set(bytes, item.received);
    item.received += bytes.length;
    this.counters.fetchedBytes += bytes.length;
    if (item.received < total) return;
    finished.add(item);
    item.done({ codec, bytes: new Uint8Array(item.memory) });
  }
}

/** Memory for a value of the size a peer claims, or null if there is none. */
function allocate(bytes: number): ArrayBuffer | null {
  try {
    return Buffer.allocUnsafeSlow(bytes).buffer as ArrayBuffer;
  } catch {
    return null;
  }
}

interface Counters {
  fetchedBytes: number;
  rejectedFrames: number;
}

/** The other workers, by proc id. */
export class Peers implements Counters {
  /** Bytes received from other workers since the process began. */
  fetchedBytes = 0;
  /** Frames from peers that were not valid. */
  rejectedFrames = 0;
  epoch = 0;
  readonly #addresses = new Map<number, string>();
  readonly #links = new Map<number, PeerLink>();
  #timer: NodeJS.Timeout | null = null;

  /** Learns where a process serves its values. */
  add(proc: number, address: string): void {
    this.#addresses.set(proc, address);
  }

  /** A process is gone: what was wanted from it is missing. */
  remove(proc: number): void {
    this.#addresses.delete(proc);
    this.#links.get(proc)?.close();
  }

  /** Asks for values of one process. */
  fetch(proc: number, wanted: readonly Wanted[]): void {
    let link = this.#links.get(proc);
    if (link === undefined) {
      const address = this.#addresses.get(proc);
      if (address === undefined) {
        for (const item of wanted) item.done(undefined);
        return;
      }
      link = new PeerLink(address, this.epoch, this, () => this.#links.delete(proc));
      this.#links.set(proc, link);
    }
    for (const item of wanted) link.want(item);
    link.pump();
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** Forgets everyone. */
  clear(): void {
    for (const link of [...this.#links.values()]) link.close();
    this.#addresses.clear();
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #tick(): void {
    const now = performance.now();
    let busy = false;
    for (const link of [...this.#links.values()]) {
      link.tick(now);
      busy ||= !link.idle;
    }
    if (busy || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
