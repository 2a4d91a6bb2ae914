// Rows of an Explicit layer while they are collected: one column per property, each left out of the message if every
// row has the default.
import { ArgumentBuffer } from '../graph/argument_buffer.js';
import { InputColumns } from '../graph/inputs.js';
import type { ReferenceOwner } from '../graph/reference.js';
import { Codec, type Draft, type Layer, LayerKind, PER_RECORD } from '../wire/index.js';
import type { ShippedFunction } from './functions.js';

/** Options of one row, resolved. */
export interface RowOptions {
  readonly retries: number;
  readonly priority: number;
  /** Milliseconds; 0: none. */
  readonly timeout: number;
}

/** Bit 0 of a layer's flags: the client wants the rows' results. */
export const WANTED = 1;

/** Collects rows. */
export class RowBatch {
  readonly #arguments = new ArgumentBuffer();
  #inputs = new InputColumns();
  #functions: number[] = [];
  #sizes: number[] = [];
  #inputEnds: number[] = [];
  #priorities: number[] = [];
  #retries: number[] = [];
  #timeouts: number[] = [];
  #anyPriority = false;
  #anyRetries = false;
  #anyTimeout = false;

  /** Rows so far. */
  get rows(): number {
    return this.#functions.length;
  }

  /** Bytes of arguments so far. */
  get argumentBytes(): number {
    return this.#arguments.length;
  }

  /** Inputs so far. */
  get inputs(): number {
    return this.#inputs.length;
  }

  /**
   * Adds a row; references in `args` become inputs.
   * @throws as `ArgumentBuffer.add`; nothing is added then
   */
  add(
    fn: ShippedFunction,
    args: readonly unknown[],
    options: RowOptions,
    owner: ReferenceOwner,
  ): void {
    this.#sizes.push(this.#arguments.add(args, owner, this.#inputs));
    this.#functions.push(fn.number);
    this.#inputEnds.push(this.#inputs.length);
    this.#priorities.push(options.priority);
    this.#retries.push(options.retries);
    this.#timeouts.push(options.timeout);
    if (options.priority !== 0) this.#anyPriority = true;
    if (options.retries !== 0) this.#anyRetries = true;
    if (options.timeout !== 0) this.#anyTimeout = true;
  }

  /** The rows as a layer and its payload part `part`; the batch is empty afterwards. */
  take(
    layer: number,
    first: number,
    name: string,
    flags: number,
    part: number,
  ): { draft: Draft<Layer>; payload: Uint8Array } {
    const inputs = this.#inputs;
    const functions = new Uint32Array(this.#functions);
    const draft: Draft<Layer> = {
      layer,
      kind: LayerKind.Explicit,
      first,
      tasks: functions.length,
      name,
      function: PER_RECORD,
      functions,
      flags,
      dataCodec: Codec.Args,
      dataSizes: new Uint32Array(this.#sizes),
      dataPart: part,
      ...(inputs.length === 0 ? undefined : inputColumns(inputs, this.#inputEnds)),
      priorities: this.#anyPriority ? new Int32Array(this.#priorities) : undefined,
      rowRetries: this.#anyRetries ? new Uint16Array(this.#retries) : undefined,
      rowTimeoutsMs: this.#anyTimeout ? new Uint32Array(this.#timeouts) : undefined,
    };
    const payload = this.#arguments.take();
    this.#reset();
    return { draft, payload };
  }

  #reset(): void {
    this.#inputs = new InputColumns();
    this.#functions = [];
    this.#sizes = [];
    this.#inputEnds = [];
    this.#priorities = [];
    this.#retries = [];
    this.#timeouts = [];
    this.#anyPriority = false;
    this.#anyRetries = false;
    this.#anyTimeout = false;
  }
}

function inputColumns(inputs: InputColumns, ends: readonly number[]): Partial<Draft<Layer>> {
  const depOffsets = new Uint32Array(ends.length + 1);
  depOffsets.set(ends, 1);
  const depLayers = new Uint32Array(inputs.layers);
  const sameLayer = depLayers.every((layer) => layer === depLayers[0]);
  return {
    depOffsets,
    ...(sameLayer ? { depLayer: depLayers[0] } : { depLayers }),
    depIndices: new Uint32Array(inputs.indices),
    depParts: inputs.anyPart ? new Uint32Array(inputs.parts) : undefined,
  };
}
