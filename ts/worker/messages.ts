/**
 * What the main thread and a lane tell each other over their MessagePort: rare things, and values
 * by reference. Records and their small results go through {@link LaneMemory} instead.
 *
 * A message is posted before the ring entry or slot that needs it is published, so the reader finds
 * it by draining the port, without waiting. Values are transferred: each thread's heap accounts for
 * what it holds, which it would not for shared memory, and freed values would linger until some
 * unrelated collection.
 */
import type { FetchedValue, FetchItem } from '../client/data_peer.js';
import type { ErrorCode } from '../errors/index.js';
import type { Kind } from '../wire/index.js';

/** Main thread to lane. */
export type ToLane =
  | {
      readonly type: 'function';
      readonly serial: number;
      readonly name: string;
      readonly body: Uint8Array;
    }
  | {
      readonly type: 'layer';
      readonly serial: number;
      readonly name: string;
      /** Function serial, or PER_RECORD. */
      readonly function: number;
      readonly template: Uint8Array | null;
      readonly dataCodec: number;
    }
  /** Forget definitions once the ring has been read up to `after`: no later entry needs them. */
  | {
      readonly type: 'forget';
      readonly layers: readonly number[];
      readonly functions: readonly number[];
      readonly after: number;
    }
  /** Values a run takes as inputs; `id` stands in its section. */
  | {
      readonly type: 'values';
      readonly id: number;
      readonly memory: ArrayBuffer;
      /** Codec, start and size in bytes of each value within `memory`. */
      readonly table: Uint32Array;
    }
  /** A section too large for the ring; `id` stands in its stub. */
  | { readonly type: 'section'; readonly id: number; readonly memory: ArrayBuffer }
  /** ABORT_SLOT has changed. */
  | { readonly type: 'abort' }
  /** The run in a slot was given up: it is to end. */
  | { readonly type: 'give-up'; readonly slot: number }
  /** What the scheduler says to the tasks of this lane. */
  | {
      readonly type: 'frame';
      readonly kind: Kind;
      readonly epoch: number;
      readonly body: Uint8Array;
      readonly payload: readonly Uint8Array[];
    }
  /** The tasks' connection goes on over another transport. */
  | { readonly type: 'resumed' }
  /** The tasks' connection is lost; the next message opens another. */
  | { readonly type: 'lost'; readonly code: ErrorCode; readonly message: string }
  /** Answer to a fetch or put: the value, nothing, or why not. */
  | {
      readonly type: 'answer';
      readonly id: number;
      readonly value: FetchedValue | null;
      readonly error: string | null;
    }
  /** The ring has an entry; sent only to a lane that waits in its event loop. */
  | { readonly type: 'wake' };

/** Lane to main thread. */
export type FromLane =
  /** The value of a slot whose result is stored; posted before the slot is finished. */
  | { readonly type: 'value'; readonly slot: number; readonly value: StoredBytes }
  | LateOutcome
  | ChildMessage;

/** How a run ended that had seceded. */
export interface LateOutcome {
  readonly type: 'late';
  readonly slot: number;
  readonly failed: boolean;
  readonly retryable: boolean;
  readonly codec: number;
  /** Of an inline result or an error. */
  readonly bytes: Uint8Array;
  readonly stored: StoredBytes | null;
}

/** What tasks of a lane say to the scheduler and to other workers. */
export type ChildMessage =
  | { readonly type: 'say'; readonly parts: Uint8Array[] }
  | { readonly type: 'bye' }
  | {
      readonly type: 'fetch';
      readonly id: number;
      readonly address: string;
      readonly item: FetchItem;
    }
  | {
      readonly type: 'put';
      readonly id: number;
      readonly address: string;
      readonly serial: number;
      readonly index: number;
      readonly codec: number;
      readonly bytes: Uint8Array;
    };

/**
 * A stored value: its bytes, and where its parts lie if it has several. The memory moves with the
 * message.
 */
export interface StoredBytes {
  readonly codec: number;
  readonly memory: ArrayBuffer;
  /**
   * Codec, start and size in bytes of each part within `memory`; null for a value that has none.
   */
  readonly parts: Uint32Array | null;
}

/** What a lane's thread is started with. */
export interface LaneStart {
  readonly memory: SharedArrayBuffer;
  readonly port: import('node:worker_threads').MessagePort;
  /** Longest busy wait for more work before the lane sleeps, in microseconds. */
  readonly spinUs: number;
}
