// The connection to the scheduler: handshake, heartbeats, return, loss. It moves frames and knows nothing of tasks.
//
// What is said is numbered and kept until the scheduler confirms it. A transport that drops is replaced by a new
// one, which greets in the same session; Welcome tells how many frames the scheduler took in, and what comes after
// them is said again. So nothing is lost or heard twice, wherever the transport broke. A scheduler that has given this
// client up answers its heartbeat with peer 0, which leads to the same.
//
// Loss is told once, through `onLost`: after RESUME_MS without a Welcome, or when it shows that something is missing.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { HeddleError, refusal } from '../errors/index.js';
import {
  decodeHeartbeat,
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
  type Welcome,
  WireError,
} from '../wire/index.js';
import { Link, type LinkOwner } from './link.js';
import { CLOSE_LINGER_MS, checkAddress } from './sockets.js';
import { Unconfirmed } from './unconfirmed.js';
import { PACKAGE_VERSION } from './version.js';

const { HEARTBEAT_MS, PEER_DEADLINE_MS, UPDATE_CREDIT_MAX } = limits;
/** Milliseconds without a Welcome after which a scheduler is lost. */
const RESUME_MS = 2_000;
/** Milliseconds between the end of a transport and the next. */
const RECONNECT_MS = 100;

/** What a connection tells its owner. */
export interface ConnectionOwner {
  /** A frame of this epoch; may throw WireError, which is counted and otherwise ignored. */
  onFrame(frame: Frame): void;
  /** Another transport goes on with the session. What was said arrives; what the scheduler does not repeat may not. */
  onResumed(): void;
  /** The scheduler is gone. Called once, never after close(). */
  onLost(error: HeddleError): void;
  /** The last graph whose answer was heard. */
  readonly answered: number;
}

/** Settings of a connection. */
export interface ConnectionOptions {
  /** Milliseconds until a scheduler must have answered. */
  readonly timeout: number;
  readonly name: string;
  /** Milliseconds the scheduler keeps this client's work after losing it; undefined: its own setting. */
  readonly graceMs: number;
}

/** One session with one scheduler. */
export class Connection implements LinkOwner {
  readonly address: string;
  readonly #options: ConnectionOptions;
  readonly #owner: ConnectionOwner;
  readonly #session = randomBytes(16);
  readonly #said = new Unconfirmed();
  #link: Link | undefined;
  #greeting = 0;
  /** Welcomed on the present link. Until then nothing is sent but the Hello. */
  #welcome = false;
  #epoch = 0;
  #peer = 0;
  #opened: ((error?: HeddleError) => void) | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #reconnect: NodeJS.Timeout | undefined;
  #resume: NodeJS.Timeout | undefined;
  #lastTick = 0;
  #lastHeard = 0;
  #rejectedFrames = 0;
  #closing = false;
  #ended = false;

  private constructor(address: string, options: ConnectionOptions, owner: ConnectionOwner) {
    this.address = address;
    this.#options = options;
    this.#owner = owner;
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

  /** Sends a frame, once the scheduler listens; gives its number, for `confirm`. */
  send(parts: FrameParts): number {
    if (this.#ended) return this.#said.last;
    const number = this.#said.add(parts);
    if (this.#welcome) this.#link?.send(parts);
    return number;
  }

  /** An answer shows that the scheduler has all frames up to `number`. */
  confirm(number: number): void {
    this.#said.confirm(number);
  }

  /** Says goodbye and closes; what was sent before is delivered within CLOSE_LINGER_MS or dropped. */
  async close(): Promise<void> {
    if (this.#ended || this.#closing) return;
    this.#closing = true;
    const deadline = performance.now() + CLOSE_LINGER_MS;
    const waits = (): boolean => !this.#ended && performance.now() < deadline;
    while (!this.#welcome && waits()) await pause();
    this.#link?.send(encodeBye(this.#epoch, { reason: 'close', session: this.#session }));
    while ((this.#link?.unsent ?? 0) > 0 && waits()) await pause();
    this.#end(CLOSE_LINGER_MS);
  }

  async #open(timeout: number): Promise<void> {
    const opened = new Promise<void>((resolve, reject) => {
      this.#opened = (error) => (error === undefined ? resolve() : reject(error));
    });
    const timer = setTimeout(() => {
      this.#opened?.(
        new HeddleError(
          'ERR_CONNECT_TIMEOUT',
          `no scheduler answered at ${this.address} within ${timeout} ms. Is 'heddle scheduler' running there?`,
        ),
      );
    }, timeout);
    try {
      this.#greet();
      await opened;
    } finally {
      clearTimeout(timer);
      this.#opened = undefined;
    }
    this.#lastTick = performance.now();
    this.#heartbeat = setInterval(() => this.#tick(), HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  #greet(): void {
    const hello = encodeHello({
      role: Role.Client,
      session: this.#session,
      packageVersion: PACKAGE_VERSION,
      name: this.#options.name,
      host: hostname(),
      pid: process.pid,
      updateCredit: UPDATE_CREDIT_MAX,
      graceMs: this.#options.graceMs,
      greeting: ++this.#greeting,
      answered: this.#owner.answered,
    });
    this.#link = new Link(this.address, hello, this);
  }

  /** Gives the present transport up and greets over another. */
  #greetAgain(why: string): void {
    if (this.#ended) return;
    this.#welcome = false;
    this.#link?.close(0);
    clearTimeout(this.#reconnect);
    this.#reconnect = setTimeout(() => this.#greet(), RECONNECT_MS);
    if (this.#opened !== undefined) return;
    this.#resume ??= setTimeout(
      () => this.#lost(new HeddleError('ERR_SCHEDULER_LOST', why)),
      RESUME_MS,
    );
  }

  /** @internal */
  onFrame(frame: Frame): void {
    if (frame.kind === Kind.Welcome) {
      this.#onWelcome(decodeWelcome(frame));
      return;
    }
    if (frame.kind === Kind.Reject) {
      this.#onReject(frame);
      return;
    }
    if (!this.#welcome || frame.epoch !== this.#epoch) {
      this.#rejectedFrames++;
      return;
    }
    this.#lastHeard = performance.now();
    if (frame.kind === Kind.Heartbeat) {
      this.#onHeartbeat(frame);
      return;
    }
    if (frame.kind === Kind.Bye) {
      this.#lost(
        new HeddleError('ERR_SCHEDULER_LOST', `the scheduler at ${this.address} shut down`),
      );
      return;
    }
    this.#owner.onFrame(frame);
  }

  #onHeartbeat(frame: Frame): void {
    const { peer, received } = decodeHeartbeat(frame);
    if (peer === 0) {
      this.#greetAgain(`the scheduler at ${this.address} gave this client up`);
      return;
    }
    if (received > this.#said.last)
      throw new WireError('Heartbeat.received is beyond what was said');
    this.#said.confirm(received);
  }

  #onWelcome(welcome: Welcome): void {
    if (welcome.epoch === 0) throw new WireError('Welcome.epoch is 0');
    if (this.#welcome) throw new WireError('a second Welcome');
    const resumed = this.#epoch !== 0;
    const unheard = this.#said.after(welcome.received);
    const missing = resumed ? this.#missing(welcome, unheard) : undefined;
    if (missing !== undefined || unheard === undefined) {
      this.#lost(new HeddleError('ERR_SCHEDULER_LOST', missing ?? 'a Welcome of another session'));
      return;
    }
    clearTimeout(this.#resume);
    this.#resume = undefined;
    this.#welcome = true;
    this.#lastHeard = performance.now();
    this.#epoch = welcome.epoch;
    this.#peer = welcome.peer;
    this.#opened?.();
    for (const parts of unheard) this.#link?.send(parts);
    if (resumed) this.#owner.onResumed();
  }

  /** Why a session cannot go on. */
  #missing(welcome: Welcome, unheard: FrameParts[] | undefined): string | undefined {
    if (welcome.epoch !== this.#epoch) return `another scheduler answers at ${this.address} now`;
    if (welcome.peer !== this.#peer) {
      return `the scheduler at ${this.address} gave this client up: it was silent for longer than its grace`;
    }
    if (unheard !== undefined) return undefined;
    return `the connection to the scheduler at ${this.address} was lost, with more on its way than can be said again`;
  }

  #onReject(frame: Frame): void {
    const { code, message } = decodeReject(frame);
    this.#lost(refusal(this.address, code, message));
  }

  /** @internal */
  onInvalid(error: WireError): void {
    this.#rejectedFrames++;
    // Once the scheduler has answered, such a frame is not its own.
    if (!this.#welcome && error.code === 'ERR_PROTOCOL_VERSION') {
      this.#lost(new HeddleError('ERR_PROTOCOL_VERSION', `${this.address}: ${error.message}`));
    }
  }

  /** @internal */
  onDropped(): void {
    this.#greetAgain(`the connection to the scheduler at ${this.address} was lost`);
  }

  /** @internal */
  onHandshakeFailed(how: string): void {
    this.#opened?.(
      new HeddleError(
        'ERR_PROTOCOL',
        `the peer at ${this.address} did not complete a ZeroMQ handshake (${how}): not a Heddle scheduler, ` +
          'or one that wants encryption',
      ),
    );
  }

  /** @internal */
  onFailed(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#lost(
      new HeddleError('ERR_SCHEDULER_LOST', `the socket to ${this.address} failed: ${reason}`, {
        cause: error,
      }),
    );
  }

  #tick(): void {
    const now = performance.now();
    // A late tick means this process was blocked: what it did not hear may be waiting in the socket.
    const late = now - this.#lastTick > 2 * HEARTBEAT_MS;
    this.#lastTick = now;
    if (!this.#welcome) return;
    if (!late && now - this.#lastHeard > PEER_DEADLINE_MS) {
      this.#lost(
        new HeddleError(
          'ERR_SCHEDULER_LOST',
          `the scheduler at ${this.address} has been silent for ${PEER_DEADLINE_MS} ms`,
        ),
      );
      return;
    }
    const { answered } = this.#owner;
    this.#link?.send(encodeHeartbeat(this.#epoch, { peer: this.#peer, answered }));
  }

  #lost(error: HeddleError): void {
    if (this.#ended) return;
    if (this.#opened !== undefined) {
      this.#opened(error);
      return;
    }
    this.#end(0);
    if (!this.#closing) this.#owner.onLost(error);
  }

  #end(linger: number): void {
    this.#ended = true;
    clearInterval(this.#heartbeat);
    clearTimeout(this.#reconnect);
    clearTimeout(this.#resume);
    this.#link?.close(linger);
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
