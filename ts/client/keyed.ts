// Explicit keys of one client: submitting the same work under a key whose future is still held gives that future.
// Only the same work: another definition goes to the scheduler, which refuses it (ERR_KEY_CONFLICT).
import { createHash } from 'node:crypto';
import type { Draft, Layer } from '../wire/index.js';
import type { Future } from './future.js';

interface Entry {
  readonly definition: string;
  readonly future: WeakRef<Future<unknown>>;
}

/** Futures by key, held weakly: a key is free again once its future was released or is garbage. */
export class KeyedFutures {
  readonly #entries = new Map<string, Entry>();
  readonly #dropped = new FinalizationRegistry<string>((key) => {
    if (this.#entries.get(key)?.future.deref() === undefined) this.#entries.delete(key);
  });

  /** The future of `key`, if it is held, was not cancelled or lost, and stands for this definition. */
  find(key: string, definition: string): Future<unknown> | undefined {
    const entry = this.#entries.get(key);
    return entry?.definition === definition ? held(entry) : undefined;
  }

  /** Enters a future. One that is still held keeps its key: the new one is in conflict and will be refused. */
  add(key: string, definition: string, future: Future<unknown>): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined && held(entry) !== undefined) return;
    this.#entries.set(key, { definition, future: new WeakRef(future) });
    this.#dropped.register(future, key);
  }
}

function held(entry: Entry): Future<unknown> | undefined {
  const future = entry.future.deref();
  const status = future?.status;
  return status === 'pending' || status === 'done' || status === 'failed' ? future : undefined;
}

/** What a row is, whatever its place: function, arguments, inputs and options, hashed. */
export function definitionOf(draft: Draft<Layer>, payload: Uint8Array): string {
  const hash = createHash('sha256');
  const { functions, depLayer, depLayers, depIndices, depParts } = draft;
  const { priorities, rowRetries, rowTimeoutsMs } = draft;
  const columns = { functions, depLayer, depLayers, depIndices, depParts };
  hash.update(JSON.stringify({ ...columns, priorities, rowRetries, rowTimeoutsMs }));
  return hash.update(payload).digest('base64');
}
