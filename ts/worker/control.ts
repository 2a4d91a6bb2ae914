/**
 * The connection to the scheduler: handshake, heartbeats, loss. A lost connection is never resumed.
 */
import type { Dealer } from 'zeromq';
import { HeddleError, refusal } from '../errors/index.js';
import {
  type Draft,
  decodeBye,
  decodeReject,
  decodeWelcome,
  encodeBye,
  encodeHello,
  type Frame,
  type Hello,
  Kind,
  limits,
  splitFrame,
  type Welcome,
  WireError,
} from '../wire/index.js';
import { Outbox } from './outbox.js';
import { openDealer } from './sockets.js';

const { HEARTBEAT_MS, PEER_DEADLINE_MS } = limits;
/** Refused frames that are told on stderr; all are counted. */
const REJECTIONS_TOLD = 3;
/** Milliseconds a received goodbye has to be read after the connection is gone. */
const GOODBYE_MS = 30;
/** Milliseconds a goodbye may take to be handed to libzmq, and then to leave. */
const BYE_MS = 500;

/** What a connection tells its owner. */
export interface ControlOwner {
  /** A frame of this epoch. May throw WireError, which is counted. `pull` follows unless a send is in flight. */
  onFrame(frame: Frame): void;
  /** Builds the next frame of results; null if there is none. */
  pull(): Uint8Array[] | null;
  /** Time for a heartbeat. */
  beat(loopLagUs: number): Uint8Array[];
  /** A heartbeat was answered, so many milliseconds after it was queued. */
  answered(ms: number): void;
}

/** How a connection ended. */
export interface Ending {
  /** True if the scheduler shut down or the worker said goodbye. */
  readonly graceful: boolean;
  readonly error: HeddleError;
}

/** One DEALER to one scheduler. */
export class Control {
  /** Frames that were not valid or of another epoch. */
  rejectedFrames = 0;
  /** Settles when the connection is over; never rejects. */
  readonly ended: Promise<Ending>;
  readonly #socket: Dealer = openDealer();
  readonly #outbox: Outbox;
  #owner: ControlOwner | null = null;
  #welcome: Welcome | null = null;
  #onWelcome: ((welcome: Welcome) => void) | null = null;
  #early: Frame[] = [];
  #timer: NodeJS.Timeout | null = null;
  /** When heartbeats were sent that are not answered yet. */
  readonly #beats: number[] = [];
  #lastTick = 0;
  #lastHeard = 0;
  #over = false;
  #end!: (ending: Ending) => void;

  private constructor(readonly address: string) {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#outbox = new Outbox(
      (parts) => this.#socket.send(parts),
      () => this.#owner?.pull() ?? null,
      (error) => this.#lose(`a send failed: ${(error as Error).message}`),
    );
  }

  /**
   * Connects and shakes hands.
   *
   * @param timeout milliseconds until a scheduler must have answered.
   * @param signal ends the attempt.
   * @throws HeddleError `ERR_CONNECT_TIMEOUT`, `ERR_PROTOCOL_VERSION` or the code the scheduler
   * refuses with.
   */
  static async open(
    address: string,
    hello: Draft<Hello>,
    timeout: number,
    signal: AbortSignal,
  ): Promise<{ control: Control; welcome: Welcome }> {
    const control = new Control(address);
    const welcomed = new Promise<Welcome>((resolve) => {
      control.#onWelcome = resolve;
    });
    const timer = setTimeout(() => {
      const text = `no scheduler answered at ${address} within ${timeout} ms. Is 'heddle scheduler' running there?`;
      control.#finish(new HeddleError('ERR_CONNECT_TIMEOUT', text), false);
    }, timeout);
    control.#socket.events.on('disconnect', () => {
      // A goodbye sent before the connection ended may still wait in the socket.
      const lose = (): void => control.#lose('the connection was lost');
      if (control.#welcome !== null) setTimeout(lose, GOODBYE_MS);
    });
    const stop = (): void => control.close('stopped');
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    if (!control.#over) control.#socket.connect(address);
    // Receive first: a receive() begun while a send waits for the connection swallows the event
    // that send waits for (npm zeromq 6.8), and the Hello would never leave.
    void control.#receive();
    control.#outbox.push(encodeHello(hello));
    const first = await Promise.race([welcomed, control.ended]);
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    if ('error' in first) throw first.error;
    return { control, welcome: first };
  }

  /** Begins to serve: frames that came since Welcome are handed over first. */
  serve(owner: ControlOwner): void {
    if (this.#over) return;
    this.#owner = owner;
    for (const frame of this.#early) this.#deliver(frame);
    this.#early = [];
    this.#lastTick = performance.now();
    this.#timer = setInterval(() => this.#tick(), HEARTBEAT_MS);
  }

  push(parts: Uint8Array[]): void {
    if (!this.#over) this.#outbox.push(parts);
  }

  /** Sends a heartbeat now. */
  beat(loopLagUs: number): void {
    if (this.#owner === null || this.#over) return;
    this.#beats.push(performance.now());
    this.push(this.#owner.beat(loopLagUs));
  }

  /** Says that the owner's `pull` has something. */
  kick(): void {
    if (!this.#over) this.#outbox.kick();
  }

  /** Says goodbye and closes. */
  close(reason: string): void {
    const error = new HeddleError('ERR_CLOSED', `the worker was closed: ${reason}`);
    const epoch = this.#welcome?.epoch ?? 0;
    if (epoch === 0) {
      this.#finish(error, true);
      return;
    }
    this.push(encodeBye(epoch, { reason }));
    const deadline = performance.now() + BYE_MS;
    const finish = (): void => {
      if (!this.#outbox.idle && performance.now() < deadline) {
        setTimeout(finish, 1);
        return;
      }
      // The end of the process waits for the socket as long as it lingers.
      if (!this.#socket.closed) this.#socket.linger = BYE_MS;
      this.#finish(error, true);
    };
    finish();
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
        this.#frame(splitFrame(parts));
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        // From the scheduler this is a fault in Heddle: what the frame asked for will not happen.
        if (++this.rejectedFrames <= REJECTIONS_TOLD) {
          process.stderr.write(`heddle worker: refused a frame: ${error.message}\n`);
        }
        if (error.code === 'ERR_PROTOCOL_VERSION' && this.#welcome === null) {
          this.#finish(error as HeddleError, false);
        }
      }
    }
  }

  #frame(frame: Frame): void {
    if (frame.kind === Kind.Welcome && this.#welcome === null) {
      const welcome = decodeWelcome(frame);
      if (welcome.epoch === 0) throw new WireError('Welcome.epoch is 0');
      this.#welcome = welcome;
      this.#lastHeard = performance.now();
      this.#onWelcome?.(welcome);
      return;
    }
    if (frame.kind === Kind.Reject) {
      const { code, message } = decodeReject(frame);
      this.#finish(refusal(this.address, code, message), false);
      return;
    }
    if (this.#welcome === null || frame.epoch !== this.#welcome.epoch) {
      throw new WireError(`epoch ${frame.epoch}`);
    }
    this.#lastHeard = performance.now();
    if (frame.kind === Kind.Heartbeat) {
      const sent = this.#beats.shift();
      if (sent !== undefined) this.#owner?.answered(performance.now() - sent);
      return;
    }
    if (frame.kind === Kind.Bye) {
      const { reason } = decodeBye(frame);
      const text = `the scheduler at ${this.address} shut down${reason === undefined ? '' : `: ${reason}`}`;
      this.#finish(new HeddleError('ERR_SCHEDULER_LOST', text), true);
    } else if (this.#owner === null) {
      this.#early.push(frame);
    } else {
      this.#deliver(frame);
    }
  }

  #deliver(frame: Frame): void {
    const owner = this.#owner as ControlOwner;
    try {
      owner.onFrame(frame);
    } finally {
      // Whatever the lanes have finished meanwhile goes out with no wake-up of its own.
      this.#outbox.kick();
    }
  }

  #tick(): void {
    const now = performance.now();
    const lag = Math.max(0, now - this.#lastTick - HEARTBEAT_MS);
    this.#lastTick = now;
    // After a long stall the scheduler's frames may be waiting in the socket: judge at the next
    // tick.
    if (lag < HEARTBEAT_MS && now - this.#lastHeard > PEER_DEADLINE_MS) {
      this.#lose(`silent for ${PEER_DEADLINE_MS} ms`);
      return;
    }
    this.beat(Math.round(lag * 1000));
  }

  #lose(reason: string): void {
    this.#finish(
      new HeddleError('ERR_SCHEDULER_LOST', `the scheduler at ${this.address}: ${reason}`),
      false,
    );
  }

  #finish(error: HeddleError, graceful: boolean): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#socket.close();
    this.#end({ graceful, error });
  }
}
