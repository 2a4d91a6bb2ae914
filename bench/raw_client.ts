/** A client that is nothing but frames: for graphs given as the typed arrays that travel. */
import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { Dealer } from 'zeromq';
import {
  decodeAccepted,
  decodeRefused,
  decodeWelcome,
  encodeBye,
  encodeDefineFunction,
  encodeHello,
  encodeSubmit,
  type Frame,
  Kind,
  LayerKind,
  Role,
  splitFrame,
} from '#heddle/wire/index.js';
import type { Edges } from './shapes.js';

/** Bit 0 of a layer's flags: the client wants every row. */
const WANTED = 1;
const PATIENCE_MS = 60_000;

/** One connection; not told of results. */
export class RawClient {
  #graphs = 0;

  private constructor(
    private readonly socket: Dealer,
    private readonly epoch: number,
  ) {}

  /** Connects and defines the one function. */
  static async connect(address: string): Promise<RawClient> {
    const socket = new Dealer({ linger: 0, receiveTimeout: PATIENCE_MS, sendHighWaterMark: 0 });
    socket.connect(address);
    await socket.send(
      encodeHello({
        role: Role.Client,
        session: randomBytes(16),
        name: 'bench',
        host: 'bench',
        pid: process.pid,
        updateCredit: 1,
        greeting: 1,
      }),
    );
    const { epoch } = decodeWelcome(await next(socket, Kind.Welcome));
    const body = Buffer.from('{}');
    const hash = randomBytes(32);
    await socket.send(encodeDefineFunction(epoch, { function: 1, hash, name: 'f', body }));
    return new RawClient(socket, epoch);
  }

  /**
   * Submits one explicit layer whose rows are all wanted and waits until it is accepted.
   *
   * @returns bytes sent.
   */
  async submit({ tasks, offsets, indices }: Edges): Promise<number> {
    const graph = ++this.#graphs;
    const layer = {
      layer: graph,
      kind: LayerKind.Explicit,
      tasks,
      name: 'csr',
      function: 1,
      flags: WANTED,
      depOffsets: offsets,
      depLayer: graph,
      depIndices: indices,
    };
    const parts = encodeSubmit(this.epoch, { graph, layers: [layer], more: false }, []);
    await this.socket.send(parts);
    const frame = await next(this.socket, Kind.Accepted);
    if (decodeAccepted(frame).graph !== graph) throw new Error('another graph was accepted');
    return parts.reduce((bytes, part) => bytes + part.byteLength, 0);
  }

  /** Gives up everything. */
  close(): void {
    void this.socket.send(encodeBye(this.epoch, { reason: 'done' })).finally(() => {
      this.socket.close();
    });
  }
}

/** The next frame of that kind; others are passed over. */
async function next(socket: Dealer, kind: Kind): Promise<Frame> {
  for (;;) {
    const frame = splitFrame(await socket.receive());
    if (frame.kind === kind) return frame;
    if (frame.kind === Kind.Refused) throw new Error(`refused: ${decodeRefused(frame).message}`);
  }
}
