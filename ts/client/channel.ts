// What a session needs of the world: a connection to the scheduler, and ways to values that workers hold. A client has
// sockets; a task speaks through the sockets of its worker.
import type { FrameParts } from '../wire/index.js';
import type { ConnectionOwner } from './connection.js';
import type { FetchedValue, FetchItem } from './data_peer.js';

/** A connection to one scheduler. */
export interface Channel {
  readonly address: string;
  /** The scheduler's epoch, said in every frame. */
  readonly epoch: number;
  /** Frames received that were not valid, or of another epoch. */
  readonly rejectedFrames: number;
  /** Sends a frame; gives its number, for `confirm`. */
  send(parts: FrameParts): number;
  /** An answer shows that the scheduler has all frames up to `number`. */
  confirm(number: number): void;
  /** Says goodbye. */
  close(): Promise<void>;
}

/** A way to the values of one worker. */
export interface ValuePeer {
  readonly closed: boolean;
  /** Pulls one value. Rejects if the worker does not hold it, is gone or silent. */
  fetch(item: FetchItem): Promise<FetchedValue>;
  /** Puts one scattered value. Rejects with the worker's reason. */
  put(serial: number, index: number, codec: number, bytes: Uint8Array): Promise<void>;
  close(): void;
}

/** How a session reaches others. */
export interface Links {
  /** Opens the connection to the scheduler. */
  connect(owner: ConnectionOwner): Channel | Promise<Channel>;
  /** A way to the worker that serves its values at `address`. */
  peer(address: string, epoch: number): ValuePeer;
}
