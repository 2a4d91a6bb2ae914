// One worker's data socket: values are pulled in chunks under a window of requests, scattered values are put.
import type { Dealer } from 'zeromq';
import { HeddleError } from '../errors/index.js';
import {
  type DataMessage,
  decodeData,
  decodePutReply,
  encodeFetch,
  encodePut,
  type Frame,
  Kind,
  limits,
  nextChunk,
  splitFrame,
  WHOLE_VALUE,
} from '../wire/index.js';
import { SendQueue } from './send_queue.js';
import { openDealer } from './sockets.js';

const { CHUNK_BYTES_MAX, PEER_DEADLINE_MS } = limits;
/** Requests in flight to one worker. */
const WINDOW = 4;
/** Values asked for in one request. */
const ITEMS_MAX = 1024;

/** Which value: it is the one of this attempt, or none. */
export interface FetchItem {
  readonly serial: number;
  readonly index: number;
  readonly attempt: number;
  /** Bytes expected, to share requests well. */
  readonly size: number;
}

/** A fetched value; the bytes are the caller's. */
export interface FetchedValue {
  readonly codec: number;
  readonly bytes: Uint8Array;
}

interface Pull extends FetchItem {
  received: number;
  bytes: Uint8Array | undefined;
  resolve(value: FetchedValue): void;
  reject(error: Error): void;
}

interface PutWait {
  resolve(): void;
  reject(error: Error): void;
}

/** A connection to one worker. Closes itself when the worker falls silent while something is asked of it. */
export class DataPeer {
  readonly #address: string;
  readonly #epoch: number;
  readonly #socket: Dealer;
  readonly #queue: SendQueue;
  readonly #waiting: Pull[] = [];
  readonly #requests = new Map<number, Pull[]>();
  readonly #puts = new Map<number, PutWait>();
  #lastRequest = 0;
  #lastHeard = 0;
  #deadline: NodeJS.Timeout | undefined;

  constructor(address: string, epoch: number) {
    this.#address = address;
    this.#epoch = epoch;
    this.#socket = openDealer();
    this.#queue = new SendQueue(this.#socket, (error) => this.#fail(String(error)));
    this.#socket.events.on('disconnect', () => this.#fail('the connection was lost'));
    this.#socket.connect(address);
    void this.#receive();
  }

  get closed(): boolean {
    return this.#socket.closed;
  }

  /** Pulls one value. Rejects if the worker does not hold it, is gone, or is silent for PEER_DEADLINE_MS. */
  fetch(item: FetchItem): Promise<FetchedValue> {
    return new Promise((resolve, reject) => {
      if (this.closed) {
        reject(new Error(`the connection to ${this.#address} is closed`));
        return;
      }
      this.#waiting.push({ ...item, received: 0, bytes: undefined, resolve, reject });
      // Values asked for in one turn share requests.
      if (this.#waiting.length === 1) queueMicrotask(() => this.#request());
    });
  }

  /**
   * Puts one scattered value, chunk by chunk.
   * @throws HeddleError with the worker's reason, or Error if the worker is gone
   */
  async put(serial: number, index: number, codec: number, bytes: Uint8Array): Promise<void> {
    const total = bytes.length;
    for (let offset = 0; offset === 0 || offset < total; offset += CHUNK_BYTES_MAX) {
      const chunk = bytes.slice(offset, offset + CHUNK_BYTES_MAX);
      const request = ++this.#lastRequest;
      await new Promise<void>((resolve, reject) => {
        if (this.closed) {
          reject(new Error(`the connection to ${this.#address} is closed`));
          return;
        }
        this.#puts.set(request, { resolve, reject });
        this.#arm();
        const message = { request, serial, index, codec: codec as never, offset, total };
        this.#queue.push(encodePut(this.#epoch, message, chunk));
      });
    }
  }

  close(): void {
    this.#fail('the client closed it');
  }

  #request(): void {
    while (this.#requests.size < WINDOW && this.#waiting.length > 0) {
      const pulls = this.#waiting.splice(0, this.#fitting());
      const request = ++this.#lastRequest;
      this.#requests.set(request, pulls);
      this.#queue.push(
        encodeFetch(this.#epoch, {
          request,
          serials: Uint32Array.from(pulls, (pull) => pull.serial),
          indices: Uint32Array.from(pulls, (pull) => pull.index),
          attempts: Uint32Array.from(pulls, (pull) => pull.attempt),
          parts: new Uint32Array(pulls.length).fill(WHOLE_VALUE),
          offsets: Uint32Array.from(pulls, (pull) => pull.received),
          bytesMax: CHUNK_BYTES_MAX,
        }),
      );
      this.#arm();
    }
  }

  /** How many of the waiting pulls one answer can hold; at least one. */
  #fitting(): number {
    let bytes = 0;
    let count = 0;
    for (const pull of this.#waiting) {
      bytes += pull.size - pull.received;
      if (count > 0 && (bytes > CHUNK_BYTES_MAX || count === ITEMS_MAX)) break;
      count++;
    }
    return count;
  }

  async #receive(): Promise<void> {
    while (!this.closed) {
      try {
        this.#frame(splitFrame(await this.#socket.receive()));
      } catch (error) {
        this.#fail(error instanceof Error ? error.message : String(error));
      }
    }
  }

  #frame(frame: Frame): void {
    if (frame.epoch !== this.#epoch) throw new Error('it belongs to another scheduler');
    this.#lastHeard = performance.now();
    if (frame.kind === Kind.PutReply) {
      const { request, code, message } = decodePutReply(frame);
      const put = this.#puts.get(request);
      this.#puts.delete(request);
      if (code === undefined || code === '') put?.resolve();
      else put?.reject(new Error(`${code}: ${message ?? ''}`));
      return;
    }
    const data = decodeData(frame);
    const pulls = this.#requests.get(data.request);
    if (pulls === undefined) return;
    this.#requests.delete(data.request);
    this.#digest(data, frame.payload[0] ?? new Uint8Array(0), pulls);
    this.#request();
  }

  #digest(data: DataMessage, payload: Uint8Array, pulls: readonly (Pull | undefined)[]): void {
    const open: (Pull | undefined)[] = pulls.slice();
    for (const i of data.missing ?? []) {
      open[i]?.reject(new Error(`${this.#address} does not hold it`));
      open[i] = undefined;
    }
    let begin = 0;
    let progress = (data.missing?.length ?? 0) > 0;
    for (let k = 0; k < (data.items?.length ?? 0); k++) {
      const i = data.items?.[k] as number;
      const size = data.sizes?.[k] as number;
      const chunk = payload.subarray(begin, begin + size);
      begin = nextChunk(begin + size);
      const pull = open[i];
      if (pull === undefined) continue;
      const total = data.totals?.[k] as number;
      if (this.#take(pull, chunk, data.offsets?.[k] ?? 0, total, data.codecs?.[k] as number)) {
        open[i] = undefined;
      }
      progress = true;
    }
    const rest = open.filter((pull): pull is Pull => pull !== undefined);
    if (progress || rest.length === 0) this.#waiting.unshift(...rest);
    else for (const pull of rest) pull.reject(new Error(`${this.#address} sent nothing of it`));
  }

  /** Adds a chunk; true if the value is whole. */
  #take(pull: Pull, chunk: Uint8Array, offset: number, total: number, codec: number): boolean {
    if (offset !== pull.received) throw new Error('it sent a chunk out of order');
    if (offset === 0 && chunk.length === total) {
      pull.resolve({ codec, bytes: new Uint8Array(chunk) });
      return true;
    }
    pull.bytes ??= new Uint8Array(total);
    if (pull.bytes.length !== total || chunk.length === 0)
      throw new Error('it sent a broken chunk');
    pull.bytes.set(chunk, offset);
    pull.received += chunk.length;
    if (pull.received < total) return false;
    pull.resolve({ codec, bytes: pull.bytes });
    return true;
  }

  #arm(): void {
    if (this.#deadline !== undefined) return;
    this.#lastHeard = performance.now();
    this.#deadline = setInterval(() => {
      if (this.#requests.size === 0 && this.#puts.size === 0) {
        clearInterval(this.#deadline);
        this.#deadline = undefined;
      } else if (performance.now() - this.#lastHeard > PEER_DEADLINE_MS) {
        this.#fail(`it has been silent for ${PEER_DEADLINE_MS} ms`);
      }
    }, PEER_DEADLINE_MS / 4);
  }

  #fail(reason: string): void {
    clearInterval(this.#deadline);
    if (!this.closed) this.#socket.close();
    const error = new HeddleError('ERR_DEPENDENCY_LOST', `worker at ${this.#address}: ${reason}`);
    for (const pulls of [...this.#requests.values(), this.#waiting]) {
      for (const pull of pulls) pull.reject(error);
    }
    for (const put of this.#puts.values()) put.reject(error);
    this.#requests.clear();
    this.#puts.clear();
    this.#waiting.length = 0;
  }
}
