/**
 * The main thread's half of a lane's client: a connection of its own to the scheduler, opened at
 * the first word and closed with the lane, and sockets to the workers whose values are fetched.
 * What the tasks of a lost lane wanted is thereby given up.
 */
import type { Channel, ValuePeer } from '../client/channel.js';
import type { ConnectionOwner } from '../client/connection.js';
import { HeddleError } from '../errors/index.js';
import { decodeAccepted, decodeRefused, type Frame, type FrameParts, Kind } from '../wire/index.js';
import { ownBytes } from './child_session.js';
import type { ChildMessage, ToLane } from './messages.js';

const CONNECT_MS = 10_000;
/** How long the scheduler keeps the work of a lane that vanished: a connection returns sooner. */
const GRACE_MS = 2_000;

/** Which scheduler, and as whom. */
export interface ChildOptions {
  readonly scheduler: string;
  readonly epoch: number;
  readonly name: string;
}

/** The connection of one thread of a lane. */
export class ChildLink implements ConnectionOwner {
  /** The last graph whose answer was passed on. */
  answered = 0;
  #channel: Channel | undefined;
  #opening: Promise<void> | undefined;
  /** Said before the connection is there. */
  #early: FrameParts[] = [];
  readonly #peers = new Map<string, ValuePeer>();
  #closed = false;

  constructor(
    private readonly options: ChildOptions,
    private readonly post: (message: ToLane, move: ArrayBuffer[]) => void,
  ) {}

  /** Does what a task of the lane asks. */
  take(message: ChildMessage): void {
    switch (message.type) {
      case 'say':
        if (this.#channel !== undefined) this.#channel.send(message.parts);
        else {
          this.#early.push(message.parts);
          this.#opening ??= this.#open();
        }
        return;
      case 'bye':
        this.#drop();
        return;
      case 'fetch':
        this.#answer(message.id, async () => {
          const { codec, bytes } = await (await this.#peer(message.address)).fetch(message.item);
          return { codec, bytes: ownBytes(bytes) };
        });
        return;
      case 'put': {
        const { serial, index, codec, bytes } = message;
        this.#answer(message.id, async () => {
          await (await this.#peer(message.address)).put(serial, index, codec, bytes);
          return null;
        });
        return;
      }
    }
  }

  /** The lane is gone. */
  close(): void {
    this.#closed = true;
    this.#drop();
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
  }

  onFrame({ kind, epoch, body, payload }: Frame): void {
    if (kind === Kind.Accepted)
      this.answered = decodeAccepted({ kind, epoch, body, payload }).graph;
    if (kind === Kind.Refused) this.answered = decodeRefused({ kind, epoch, body, payload }).graph;
    const own = [body, ...payload].map(ownBytes);
    const [first, ...rest] = own as [Uint8Array, ...Uint8Array[]];
    this.post(
      { type: 'frame', kind, epoch, body: first, payload: rest },
      own.map(({ buffer }) => buffer),
    );
  }

  onResumed(): void {
    this.post({ type: 'resumed' }, []);
  }

  onLost(error: HeddleError): void {
    this.#channel = undefined;
    this.#opening = undefined;
    this.#early = [];
    this.answered = 0;
    this.post({ type: 'lost', code: error.code, message: error.message }, []);
  }

  async #open(): Promise<void> {
    const { scheduler, epoch, name } = this.options;
    try {
      const { Connection } = await import('../client/connection.js');
      const settings = { timeout: CONNECT_MS, name, graceMs: GRACE_MS };
      const channel = await Connection.open(scheduler, settings, this);
      if (this.#closed || channel.epoch !== epoch) {
        await channel.close();
        throw new HeddleError('ERR_SCHEDULER_LOST', 'another scheduler answers now');
      }
      this.#channel = channel;
      for (const parts of this.#early) channel.send(parts);
      this.#early = [];
    } catch (error) {
      const lost =
        error instanceof HeddleError ? error : new HeddleError('ERR_INTERNAL', String(error));
      if (!this.#closed) this.onLost(lost);
    }
  }

  #drop(): void {
    const channel = this.#channel;
    this.#channel = undefined;
    this.#opening = undefined;
    this.answered = 0;
    void channel?.close();
  }

  async #peer(address: string): Promise<ValuePeer> {
    const { DataPeer } = await import('../client/data_peer.js');
    let peer = this.#peers.get(address);
    if (peer === undefined || peer.closed) {
      peer = new DataPeer(address, this.options.epoch);
      this.#peers.set(address, peer);
    }
    return peer;
  }

  #answer(
    id: number,
    ask: () => Promise<{ codec: number; bytes: Uint8Array<ArrayBuffer> } | null>,
  ): void {
    ask().then(
      (value) =>
        this.post(
          { type: 'answer', id, value, error: null },
          value === null ? [] : [value.bytes.buffer],
        ),
      (error: unknown) => {
        const text = error instanceof Error ? error.message : String(error);
        this.post({ type: 'answer', id, value: null, error: text }, []);
      },
    );
  }
}
