// The connection to the scheduler: handshake, heartbeats, loss. It moves frames and knows nothing of tasks.
//
// Loss is told once, through `onLost`. A transport that drops and returns to the same scheduler within
// RESUME_MS is resumed by a new Hello of the same session, unless something was said that the scheduler had not
// acknowledged: that may be lost, and nobody can tell.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Dealer } from 'zeromq';
import { HeddleError, isErrorCode } from '../errors/index.js';
import {
  decodeReject,
  decodeWelcome,
  encodeBye,
  encodeHeartbeat,
  encodeHello,
  type Frame,
  type FrameParts,
  Kind,
  limits,
  Role,
  splitFrame,
  WireError,
} from '../wire/index.js';
import { SendQueue } from './send_queue.js';
import { CLOSE_LINGER_MS, checkAddress, openDealer } from './sockets.js';
import { PACKAGE_VERSION } from './version.js';

const { HEARTBEAT_MS, PEER_DEADLINE_MS, UPDATE_CREDIT_MAX } = limits;
const RESUME_MS = 2_000;

/** What a connection tells its owner. */
export interface ConnectionOwner {
  /** A frame of this epoch; may throw WireError, which is counted and otherwise ignored. */
  onFrame(frame: Frame): void;
  /** The scheduler is gone. Called once, never after close(). */
  onLost(error: HeddleError): void;
  /** True while the scheduler owes an answer that a lost transport may have swallowed. */
  hasUnacknowledged(): boolean;
}

/** Settings of a connection. */
export interface ConnectionOptions {
  /** Milliseconds until a scheduler must have answered. */
  readonly timeout: number;
  readonly name: string;
  /** Milliseconds the scheduler keeps this client's work after losing it; undefined: its own setting. */
  readonly graceMs: number;
}

/** One DEALER to one scheduler. */
export class Connection {
  readonly address: string;
  readonly #socket: Dealer;
  readonly #queue: SendQueue;
  readonly #owner: ConnectionOwner;
  readonly #hello: () => FrameParts;
  #epoch = 0;
  #peer = 0;
  #welcomed: ((error?: HeddleError) => void) | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #resume: NodeJS.Timeout | undefined;
  #lastTick = 0;
  #lastHeard = 0;
  #lastSent = 0;
  #rejectedFrames = 0;
  #ended = false;

  private constructor(address: string, options: ConnectionOptions, owner: ConnectionOwner) {
    this.address = address;
    this.#owner = owner;
    this.#socket = openDealer();
    this.#queue = new SendQueue(this.#socket, (error) => this.#transportFailed(error));
    const session = randomBytes(16);
    this.#hello = () =>
      encodeHello({
        role: Role.Client,
        session,
        packageVersion: PACKAGE_VERSION,
        name: options.name,
        host: hostname(),
        pid: process.pid,
        updateCredit: UPDATE_CREDIT_MAX,
        graceMs: options.graceMs,
      });
  }

  /**
   * Connects and shakes hands.
   * @throws HeddleError ERR_ADDRESS_INVALID, ERR_CONNECT_TIMEOUT, ERR_PROTOCOL_VERSION, ERR_PROTOCOL, or the code
   *   the scheduler refuses with
   */
  static async open(
    address: string,
    options: ConnectionOptions,
    owner: ConnectionOwner,
  ): Promise<Connection> {
    checkAddress(address);
    const connection = new Connection(address, options, owner);
    try {
      await connection.#open(options.timeout);
      return connection;
    } catch (error) {
      connection.#end(0);
      throw error;
    }
  }

  /** The scheduler's epoch, said in every frame. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Frames received that were not valid, or of another epoch. */
  get rejectedFrames(): number {
    return this.#rejectedFrames;
  }

  send(parts: FrameParts): void {
    if (this.#ended) return;
    const now = performance.now();
    // A loop blocked that long has been taken for dead: greet again before anything else.
    if (this.#epoch !== 0 && now - this.#lastSent > PEER_DEADLINE_MS - HEARTBEAT_MS) {
      this.#queue.push(this.#hello());
    }
    this.#lastSent = now;
    this.#queue.push(parts);
  }

  /** Says goodbye and closes; what was sent before is delivered within CLOSE_LINGER_MS or dropped. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.send(encodeBye(this.#epoch, { reason: 'close' }));
    const deadline = performance.now() + CLOSE_LINGER_MS;
    while (this.#queue.length > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    this.#end(CLOSE_LINGER_MS);
  }

  async #open(timeout: number): Promise<void> {
    const answered = new Promise<void>((resolve, reject) => {
      this.#welcomed = (error) => (error === undefined ? resolve() : reject(error));
    });
    const timer = setTimeout(() => {
      this.#welcomed?.(
        new HeddleError(
          'ERR_CONNECT_TIMEOUT',
          `no scheduler answered at ${this.address} within ${timeout} ms. Is 'heddle scheduler' running there?`,
        ),
      );
    }, timeout);
    try {
      this.#watch();
      this.#socket.connect(this.address);
      // Receive first: a receive() begun while a send waits for the connection swallows the event that send waits
      // for (npm zeromq 6.8), and the Hello would never leave.
      void this.#receive();
      this.#lastSent = performance.now();
      this.#queue.push(this.#hello());
      await answered;
    } finally {
      clearTimeout(timer);
      this.#welcomed = undefined;
    }
    this.#lastTick = performance.now();
    this.#heartbeat = setInterval(() => this.#tick(), HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  async #receive(): Promise<void> {
    while (!this.#socket.closed) {
      let parts: Uint8Array[];
      try {
        parts = await this.#socket.receive();
      } catch (error) {
        if (!this.#socket.closed) this.#transportFailed(error);
        return;
      }
      try {
        this.#frame(splitFrame(parts));
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        this.#rejectedFrames++;
        // Once the scheduler has answered, such a frame is not its own.
        const greeting = this.#epoch === 0 || this.#resume !== undefined;
        if (greeting && error.code === 'ERR_PROTOCOL_VERSION') {
          this.#lost(new HeddleError('ERR_PROTOCOL_VERSION', `${this.address}: ${error.message}`));
        }
      }
    }
  }

  #frame(frame: Frame): void {
    if (frame.kind === Kind.Welcome) {
      this.#onWelcome(frame);
      return;
    }
    if (frame.kind === Kind.Reject) {
      this.#onReject(frame);
      return;
    }
    if (this.#epoch === 0 || frame.epoch !== this.#epoch) {
      this.#rejectedFrames++;
      return;
    }
    this.#lastHeard = performance.now();
    if (frame.kind === Kind.Heartbeat) return;
    if (frame.kind === Kind.Bye) {
      this.#lost(
        new HeddleError('ERR_SCHEDULER_LOST', `the scheduler at ${this.address} shut down`),
      );
      return;
    }
    this.#owner.onFrame(frame);
  }

  #onWelcome(frame: Frame): void {
    const welcome = decodeWelcome(frame);
    if (welcome.epoch === 0) throw new WireError('Welcome.epoch is 0');
    this.#lastHeard = performance.now();
    clearTimeout(this.#resume);
    this.#resume = undefined;
    if (this.#epoch !== 0 && welcome.epoch !== this.#epoch) {
      this.#lost(
        new HeddleError('ERR_SCHEDULER_LOST', `another scheduler answers at ${this.address} now`),
      );
      return;
    }
    if (this.#peer !== 0 && welcome.peer !== this.#peer) {
      this.#lost(
        new HeddleError(
          'ERR_SCHEDULER_LOST',
          `the scheduler at ${this.address} gave this client up: it was silent for longer than its grace`,
        ),
      );
      return;
    }
    this.#epoch = welcome.epoch;
    this.#peer = welcome.peer;
    this.#welcomed?.();
  }

  #onReject(frame: Frame): void {
    const { code, message } = decodeReject(frame);
    const known = isErrorCode(code) ? code : 'ERR_PROTOCOL';
    this.#lost(
      new HeddleError(
        known,
        `the scheduler at ${this.address} refused: ${message ?? 'no reason given'}`,
      ),
    );
  }

  #watch(): void {
    const { events } = this.#socket;
    for (const failure of ['protocol', 'auth', 'other'] as const) {
      events.on(`handshake:error:${failure}`, () => {
        this.#welcomed?.(
          new HeddleError(
            'ERR_PROTOCOL',
            `the peer at ${this.address} did not complete a ZeroMQ handshake (${failure}): not a Heddle scheduler, ` +
              'or one that wants encryption',
          ),
        );
      });
    }
    events.on('disconnect', () => {
      if (this.#epoch !== 0) this.#disconnected();
    });
    events.on('handshake', () => {
      if (this.#resume !== undefined) this.#queue.push(this.#hello());
    });
  }

  #disconnected(): void {
    if (this.#ended || this.#resume !== undefined) return;
    const error = new HeddleError(
      'ERR_SCHEDULER_LOST',
      `the connection to the scheduler at ${this.address} was lost`,
    );
    if (this.#owner.hasUnacknowledged()) {
      this.#lost(error);
      return;
    }
    this.#resume = setTimeout(() => this.#lost(error), RESUME_MS);
  }

  #tick(): void {
    const now = performance.now();
    // A late tick means this process was blocked: what it did not hear may be waiting in the socket.
    const late = now - this.#lastTick > 2 * HEARTBEAT_MS;
    this.#lastTick = now;
    if (!late && now - this.#lastHeard > PEER_DEADLINE_MS) {
      this.#lost(
        new HeddleError(
          'ERR_SCHEDULER_LOST',
          `the scheduler at ${this.address} has been silent for ${PEER_DEADLINE_MS} ms`,
        ),
      );
      return;
    }
    if (this.#resume === undefined) this.send(encodeHeartbeat(this.#epoch, { peer: this.#peer }));
  }

  #transportFailed(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#lost(
      new HeddleError('ERR_SCHEDULER_LOST', `the socket to ${this.address} failed: ${reason}`, {
        cause: error,
      }),
    );
  }

  #lost(error: HeddleError): void {
    if (this.#ended) return;
    if (this.#welcomed !== undefined) {
      this.#welcomed(error);
      return;
    }
    this.#end(0);
    this.#owner.onLost(error);
  }

  #end(linger: number): void {
    this.#ended = true;
    clearInterval(this.#heartbeat);
    clearTimeout(this.#resume);
    if (this.#socket.closed) return;
    this.#socket.linger = linger;
    this.#socket.close();
  }
}
