// A scheduler made of a ROUTER and a script: it greets, accepts, and says what the test tells it to say.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Router } from 'zeromq';
import {
  Codec,
  type Draft,
  decodeSubmit,
  encodeAccepted,
  encodeHeartbeat,
  encodeReply,
  encodeUpdate,
  encodeWelcome,
  type Frame,
  type FrameParts,
  Kind,
  RowState,
  type Submit,
  splitFrame,
  type Update,
} from '#heddle/wire/index.js';
import { decodeQuery } from '#heddle/wire/session.js';

const WAIT_MS = 5_000;

/** Listens on an ipc path of its own. */
export class FakeScheduler implements AsyncDisposable {
  readonly address: string;
  readonly epoch = 7;
  /** Frames received, heartbeats and Hellos aside, oldest first. */
  readonly frames: Frame[] = [];
  /** Submits are answered with Accepted; the serial is 100 + the layer's number. */
  accept = true;
  /** Takes nothing in until the next Hello, as a scheduler that does not know the client. */
  deaf = false;
  /** Frames taken in, as a scheduler counts them. */
  received = 0;
  /** Hellos are answered with Welcome. */
  welcome = true;
  hellos = 0;
  /** Bodies of replies by what was asked. */
  readonly replies = new Map<string, string>();
  readonly #socket: Router;
  readonly #folder: string;
  #peer: Uint8Array | undefined;
  #seq = 0;
  #news: (() => void)[] = [];

  private constructor(socket: Router, folder: string, address: string) {
    this.#socket = socket;
    this.#folder = folder;
    this.address = address;
    void this.#receive();
  }

  static async start(): Promise<FakeScheduler> {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-fake-'));
    const address = `ipc://${folder}/s`;
    const socket = new Router({ linger: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0 });
    await socket.bind(address);
    return new FakeScheduler(socket, folder, address);
  }

  /** Sends a frame to the client. */
  async send(parts: FrameParts): Promise<void> {
    if (this.#peer === undefined) throw new Error('no client yet');
    await this.#socket.send([this.#peer, ...parts]);
  }

  /** Sends one Update. */
  update(message: Draft<Update>, payload: readonly Uint8Array[] = []): Promise<void> {
    return this.send(encodeUpdate(this.epoch, { seq: ++this.#seq, ...message }, payload));
  }

  /** Ends rows `start` … with the given numbers. */
  numbers(layer: number, start: number, values: readonly number[]): Promise<void> {
    return this.update(
      {
        sections: [
          {
            layer,
            serial: 100 + layer,
            state: RowState.Done,
            starts: Uint32Array.of(start),
            counts: Uint32Array.of(values.length),
            codec: Codec.F64,
            stride: 8,
            part: 0,
          },
        ],
      },
      [new Uint8Array(Float64Array.from(values).buffer)],
    );
  }

  /** The next frame of a kind, taken out of `frames`. */
  async next(kind: Kind): Promise<Frame> {
    const deadline = performance.now() + WAIT_MS;
    for (;;) {
      const i = this.frames.findIndex((frame) => frame.kind === kind);
      if (i >= 0) return this.frames.splice(i, 1)[0] as Frame;
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`no frame of kind ${kind} within ${WAIT_MS} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#news.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** The next Submit. */
  async submit(): Promise<Submit> {
    return decodeSubmit(await this.next(Kind.Submit));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #receive(): Promise<void> {
    for await (const [peer, ...parts] of this.#socket) {
      const frame = splitFrame(parts);
      // Of a connection the client has left, nothing is read any more.
      if (frame.kind === Kind.Hello) this.#peer = peer as Uint8Array;
      else if (this.#peer === undefined || !Buffer.from(this.#peer).equals(peer as Buffer))
        continue;
      await this.#frame(frame);
    }
  }

  async #frame(frame: Frame): Promise<void> {
    const { epoch } = this;
    if (frame.kind === Kind.Hello) {
      this.hellos++;
      this.deaf = false;
      if (this.welcome)
        await this.send(
          encodeWelcome(epoch, { peer: 1, epoch, heartbeatMs: 1000, received: this.received }),
        );
      return;
    }
    if (frame.kind === Kind.Heartbeat) {
      await this.send(encodeHeartbeat(epoch, { peer: 1, received: this.received }));
      return;
    }
    if (this.deaf) return;
    if (frame.kind !== Kind.Bye) this.received++;
    if (frame.kind === Kind.Query) {
      const { request, what } = decodeQuery(frame);
      const body = this.replies.get(what ?? '');
      if (body !== undefined) await this.send(encodeReply(epoch, { request, body }));
    }
    if (frame.kind === Kind.Submit && this.accept) {
      const { graph, layers } = decodeSubmit(frame);
      const numbers = Uint32Array.from(layers, ({ layer }) => layer);
      const serials = numbers.map((layer) => 100 + layer);
      await this.send(encodeAccepted(epoch, { graph, layers: numbers, serials }));
    }
    this.frames.push(frame);
    for (const tell of this.#news.splice(0)) tell();
  }
}
