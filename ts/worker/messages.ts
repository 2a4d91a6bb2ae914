/**
 * What the main thread and a lane tell each other over their MessagePort: rare things, and values
 * by reference. Records and their small results go through {@link LaneMemory} instead.
 *
 * A message is posted before the ring entry or slot that needs it is published, so the reader finds
 * it by draining the port, without waiting. Values are transferred: each thread's heap accounts for
 * what it holds, which it would not for shared memory, and freed values would linger until some
 * unrelated collection.
 */

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
  /** The ring has an entry; sent only to a lane that waits in its event loop. */
  | { readonly type: 'wake' };

/**
 * Lane to main thread: the value of a slot whose result is stored; posted before the slot is
 * finished.
 */
export interface FromLane {
  readonly slot: number;
  readonly value: StoredBytes;
}

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
