/**
 * The data socket: hands out the store's values in chunks, and takes the values clients scatter. A
 * request is answered at once from memory; what does not fit in one reply is asked for again by the
 * receiver.
 */
import { rmSync } from 'node:fs';
import type { Router } from 'zeromq';
import {
  decodeFetch,
  decodePut,
  encodeData,
  encodePutReply,
  type Frame,
  Kind,
  limits,
  nextChunk,
  splitFrame,
  stampCrc,
  WHOLE_VALUE,
  WireError,
} from '../wire/index.js';
import type { StoredBytes } from './messages.js';
import { Outbox } from './outbox.js';
import { openDataRouter } from './sockets.js';
import type { Store } from './store.js';

const { CHUNK_BYTES_MAX } = limits;
/** Values being put at one time, and how long a client may take between two chunks. */
const PUTS_MAX = 256;
const PUT_IDLE_MS = 30_000;

interface PartialPut {
  readonly memory: ArrayBuffer;
  received: number;
  touched: number;
}

/** Called with every value that was put whole. */
export type PutDone = (serial: number, index: number, codec: number, bytes: number) => void;

/** Serves one process's store. */
export class DataServer {
  /** Address others connect to. */
  readonly address: string;
  /** Frames that were not valid. */
  rejectedFrames = 0;
  readonly #socket: Router;
  readonly #outbox: Outbox;
  readonly #puts = new Map<string, PartialPut>();

  private constructor(
    socket: Router,
    private readonly store: Store,
    private readonly epoch: () => number,
    private readonly memoryMax: number,
    private readonly onPut: PutDone,
  ) {
    this.#socket = socket;
    this.address = socket.lastEndpoint ?? '';
    // EHOSTUNREACH and EAGAIN: the peer is gone or does not read; it will ask again or not at all.
    this.#outbox = new Outbox(
      (parts) => socket.send(parts),
      () => null,
      () => {},
    );
    void this.#receive();
  }

  /**
   * Binds and serves.
   *
   * @param epoch the scheduler's epoch at the time; requests of another are refused.
   * @param memoryMax bytes the store may reach by puts.
   */
  static async open(
    bind: string,
    store: Store,
    epoch: () => number,
    memoryMax: number,
    onPut: PutDone,
  ): Promise<DataServer> {
    const socket = openDataRouter();
    await socket.bind(bind);
    return new DataServer(socket, store, epoch, memoryMax, onPut);
  }

  close(): void {
    if (this.#socket.closed) return;
    this.#socket.close();
    if (this.address.startsWith('ipc://'))
      rmSync(this.address.slice('ipc://'.length), { force: true });
  }

  async #receive(): Promise<void> {
    while (!this.#socket.closed) {
      let parts: Uint8Array[];
      try {
        parts = await this.#socket.receive();
      } catch {
        return; // Closed.
      }
      const [peer, ...frame] = parts as [Uint8Array, ...Uint8Array[]];
      try {
        this.#answer(peer, splitFrame(frame));
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        this.rejectedFrames++;
      }
    }
  }

  #answer(peer: Uint8Array, frame: Frame): void {
    if (frame.epoch !== this.epoch()) throw new WireError(`epoch ${frame.epoch}`);
    if (frame.kind === Kind.Fetch) this.#reply(peer, this.#fetch(frame));
    else if (frame.kind === Kind.Put) this.#reply(peer, this.#put(frame));
    else throw new WireError(`kind ${frame.kind} on a data socket`);
  }

  #reply(peer: Uint8Array, parts: Uint8Array[]): void {
    if (this.address.startsWith('tcp:')) stampCrc(parts);
    this.#outbox.push([peer, ...parts]);
  }

  #fetch(frame: Frame): Uint8Array[] {
    const request = decodeFetch(frame);
    const { serials, indices, attempts, parts, offsets } = request;
    const room = Math.min(request.bytesMax, CHUNK_BYTES_MAX);
    const count = (serials as Uint32Array).length;
    const chunks: {
      item: number;
      codec: number;
      from: Uint8Array;
      offset: number;
      total: number;
    }[] = [];
    const missing: number[] = [];
    let end = 0;
    for (let i = 0; i < count; i++) {
      const serial = serials?.[i] as number;
      const value = this.store.get(
        serial,
        indices?.[i] as number,
        attempts?.[i] ?? 1,
        parts?.[i] ?? WHOLE_VALUE,
      );
      const offset = offsets?.[i] ?? 0;
      if (value === undefined || offset > value.bytes.length) {
        missing.push(i);
        continue;
      }
      const start = nextChunk(end);
      const size = Math.min(value.bytes.length - offset, room - start);
      // An empty value always fits; of others, one byte is the least that makes progress.
      if (size < 0 || (size === 0 && value.bytes.length > offset)) continue;
      const from = value.bytes.subarray(offset, offset + size);
      chunks.push({ item: i, codec: value.codec, from, offset, total: value.bytes.length });
      end = start + size;
    }
    const payload = new Uint8Array(end);
    let at = 0;
    for (const { from } of chunks) {
      payload.set(from, nextChunk(at));
      at = nextChunk(at) + from.length;
    }
    const data = {
      request: request.request,
      items: Uint32Array.from(chunks, (c) => c.item),
      codecs: Uint8Array.from(chunks, (c) => c.codec),
      offsets: Uint32Array.from(chunks, (c) => c.offset),
      sizes: Uint32Array.from(chunks, (c) => c.from.length),
      totals: Uint32Array.from(chunks, (c) => c.total),
      missing: Uint32Array.from(missing),
    };
    return encodeData(frame.epoch, data, end === 0 ? [] : [payload]);
  }

  #put(frame: Frame): Uint8Array[] {
    const put = decodePut(frame);
    const chunk = frame.payload[0] as Uint8Array;
    const refuse = (code: string, message: string): Uint8Array[] =>
      encodePutReply(frame.epoch, { request: put.request, code, message });
    const key = `${put.serial}:${put.index}`;
    let partial = this.#puts.get(key);
    if (put.offset === 0) {
      this.#dropIdle();
      if (this.#puts.size >= PUTS_MAX)
        return refuse('ERR_LIMIT_EXCEEDED', 'too many values are being put');
      if (this.store.bytes + this.#reserved() + put.total > this.memoryMax) {
        return refuse('ERR_LIMIT_EXCEEDED', `the worker has no room for ${put.total} bytes more`);
      }
      partial = { memory: new ArrayBuffer(put.total), received: 0, touched: 0 };
      this.#puts.set(key, partial);
    }
    if (
      partial === undefined ||
      partial.received !== put.offset ||
      partial.memory.byteLength !== put.total
    ) {
      this.#puts.delete(key);
      return refuse('ERR_PROTOCOL', `chunk at ${put.offset} is not the next one`);
    }
    new Uint8Array(partial.memory).set(chunk, put.offset);
    partial.received += chunk.length;
    partial.touched = performance.now();
    if (partial.received === put.total) {
      this.#puts.delete(key);
      const value: StoredBytes = {
        codec: put.codec,
        memory: partial.memory,
        parts: null,
      };
      this.store.put(put.serial, put.index, 1, value);
      this.onPut(put.serial, put.index, put.codec, put.total);
    }
    return encodePutReply(frame.epoch, { request: put.request, code: '', message: '' });
  }

  #reserved(): number {
    let bytes = 0;
    for (const { memory } of this.#puts.values()) bytes += memory.byteLength;
    return bytes;
  }

  #dropIdle(): void {
    const limit = performance.now() - PUT_IDLE_MS;
    for (const [key, put] of this.#puts)
      if (put.touched < limit && put.received > 0) this.#puts.delete(key);
  }
}
