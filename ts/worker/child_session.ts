/**
 * A lane's client: a session whose frames and values pass through the main thread, which owns the
 * sockets. One for all tasks of a lane, made when the first of them asks; when its connection is
 * lost, the next task that asks gets another.
 */
import type { Channel, ValuePeer } from '../client/channel.js';
import type { ConnectionOwner } from '../client/connection.js';
import type { FetchedValue, FetchItem } from '../client/data_peer.js';
import { Session } from '../client/session.js';
import type { WaitWatcher } from '../client/wait.js';
import { HeddleError } from '../errors/index.js';
import { WireError } from '../wire/index.js';
import type { ChildMessage, ToLane } from './messages.js';

/** Posts a message to the main thread; the memory of `move` goes with it. */
export type PostChild = (message: ChildMessage, move: ArrayBuffer[]) => void;

type FromMain = Extract<ToLane, { type: 'frame' | 'resumed' | 'lost' | 'answer' }>;

interface Request {
  resolve(value: FetchedValue | null): void;
  reject(error: Error): void;
}

/** Bytes in memory of their own, which can move to another thread. */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** The session of one lane. */
export class ChildSession {
  #session: Session | undefined;
  #owner: ConnectionOwner | undefined;
  readonly #requests = new Map<number, Request>();
  #lastRequest = 0;
  #rejectedFrames = 0;

  constructor(
    private readonly post: PostChild,
    /** The scheduler's epoch, once known. */
    private readonly epoch: () => number,
    private readonly waits: WaitWatcher,
  ) {}

  /** The session, opened if there is none. */
  open(): Session {
    if (this.#session === undefined || this.#session.error !== undefined) {
      this.#session = Session.within(
        (owner) => this.#channel(owner),
        (address) => this.#peer(address),
      );
      this.#session.waits = this.waits;
    }
    return this.#session;
  }

  /** Sends what tasks have said, releases included. */
  flush(): void {
    this.#session?.flush();
  }

  /** Takes what the main thread passes on. */
  take(message: FromMain): void {
    switch (message.type) {
      case 'frame':
        this.#frame(message);
        return;
      case 'resumed':
        this.#owner?.onResumed();
        return;
      case 'lost':
        this.#owner?.onLost(new HeddleError(message.code, message.message));
        return;
      case 'answer': {
        const request = this.#requests.get(message.id);
        this.#requests.delete(message.id);
        if (message.error === null) request?.resolve(message.value);
        else request?.reject(new Error(message.error));
        return;
      }
    }
  }

  #frame({ kind, epoch, body, payload }: Extract<FromMain, { type: 'frame' }>): void {
    try {
      this.#owner?.onFrame({ kind, epoch, body, payload });
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#rejectedFrames++;
    }
  }

  #channel(owner: ConnectionOwner): Channel {
    this.#owner = owner;
    const lane = this;
    return {
      address: 'the scheduler of this worker',
      get epoch() {
        return lane.epoch();
      },
      get rejectedFrames() {
        return lane.#rejectedFrames;
      },
      // The main thread keeps and confirms what was said.
      send: (parts) => {
        const own = parts.map(ownBytes);
        this.post(
          { type: 'say', parts: own },
          own.map(({ buffer }) => buffer),
        );
        return 0;
      },
      confirm: () => {},
      close: async () => this.post({ type: 'bye' }, []),
    };
  }

  #peer(address: string): ValuePeer {
    return {
      closed: false,
      fetch: async (item: FetchItem) => {
        const value = await this.#ask((id) => this.post({ type: 'fetch', id, address, item }, []));
        if (value === null) throw new Error(`${address} gave nothing`);
        return value;
      },
      put: async (serial, index, codec, bytes) => {
        const own = ownBytes(bytes);
        await this.#ask((id) =>
          this.post({ type: 'put', id, address, serial, index, codec, bytes: own }, [own.buffer]),
        );
      },
      close: () => {},
    };
  }

  #ask(post: (id: number) => void): Promise<FetchedValue | null> {
    const id = ++this.#lastRequest;
    return new Promise((resolve, reject) => {
      this.#requests.set(id, { resolve, reject });
      post(id);
    });
  }
}
