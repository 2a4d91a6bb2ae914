/**
 * Arguments of the records of one section, in order. The rule: row data in codec Args is the whole
 * argument list; else a layer's template is; else the arguments are the item, if rows have data,
 * then the inputs.
 *
 * Whatever a body receives is its own: bytes are copied out of shared memory, so a task that writes
 * to its input changes nobody else's.
 */
import { type ArgsMaker, Codec, decodeArgs, decodeValue } from '../wire/index.js';
import { ABSENT, type ResultWriter } from './lane_results.js';
import type { SectionView } from './lane_section.js';
import { type HeldValue, INLINE, LOCAL } from './section.js';

/** Thrown instead of giving arguments: an input that the lane was to have is not here. */
export const DEFERRED = Symbol('deferred');

/** A layer as lanes know it. */
export interface LaneLayer {
  readonly serial: number;
  readonly name: string;
  readonly function: number;
  /** Makes the arguments from the layer's template; null: it has none. */
  readonly template: ArgsMaker | null;
  readonly dataCodec: number;
}

const NO_VALUES: readonly HeldValue[] = [];
const NO_BYTES = new Uint8Array(0);
const NO_INPUTS: readonly unknown[] = [];

/** An input as it was found: inline bytes, a value among those held, or what a record before made: a number or nothing. */
type Input = Uint8Array | HeldValue | ReturnType<ResultWriter['local']>;

/** Walks a section record by record. */
export class ArgumentReader {
  #view!: SectionView;
  #layer!: LaneLayer;
  #values: readonly HeldValue[] = NO_VALUES;
  #data: Uint8Array = NO_BYTES;
  #inputs: Uint8Array = NO_BYTES;
  #dataAt = 0;
  #inputAt = 0;
  #dep = 0;

  constructor(private readonly results: Pick<ResultWriter, 'local'>) {}

  /** Begins a section; `values` are those of its port message. */
  begin(view: SectionView, layer: LaneLayer, values: readonly HeldValue[]): void {
    this.#view = view;
    this.#layer = layer;
    this.#values = values;
    this.#dataAt = 0;
    this.#inputAt = 0;
    this.#dep = 0;
    this.#data = view.dataBytes === 0 ? NO_BYTES : copy(view.bytes, view.dataAt, view.dataBytes);
    this.#inputs =
      view.inputBytes === 0 ? NO_BYTES : copy(view.bytes, view.inputsAt, view.inputBytes);
  }

  /** Passes over record `k`, which is not to be run. */
  skip(k: number): void {
    this.#takeData(k);
    const deps = this.#view.depCounts?.[k] ?? 0;
    for (let i = 0; i < deps; i++) this.#takeInput();
  }

  /** Arguments of record `k`; records must be read or skipped in order. */
  read(k: number): unknown[] {
    const view = this.#view;
    const { template, dataCodec } = this.#layer;
    const data = this.#takeData(k);
    const deps = view.depCounts === null ? 0 : (view.depCounts[k] as number);
    const first = this.#dep;
    if (deps === 0) {
      if (dataCodec === Codec.Args) return decodeArgs(data, NO_INPUTS);
      const item = view.hasData ? decodeValue(dataCodec, data) : undefined;
      if (template !== null) return template(item, NO_INPUTS);
      return view.hasData ? [item] : [];
    }
    // All of them before any is decoded: bytes that do not decode must not derail the records after
    // this one.
    const found: Input[] = [];
    for (let i = 0; i < deps; i++) found.push(this.#takeInput());
    if (found.includes(ABSENT)) throw DEFERRED;
    const inputs = found.map((input, i) => this.#decode(input, first + i));
    if (dataCodec === Codec.Args) return decodeArgs(data, inputs);
    const item = view.hasData ? decodeValue(dataCodec, data) : undefined;
    if (template !== null) return template(item, inputs);
    return view.hasData ? [item, ...inputs] : inputs;
  }

  #takeData(k: number): Uint8Array {
    const { hasData, dataStride, dataSizes } = this.#view;
    if (!hasData) return NO_BYTES;
    const bytes = dataStride > 0 ? dataStride : ((dataSizes as Uint32Array)[k] as number);
    const at = this.#dataAt;
    this.#dataAt = at + bytes;
    return this.#data.subarray(at, at + bytes);
  }

  /** Passes over the next input; gives its inline bytes, or the value it is among those held. */
  #takeInput(): Input {
    const { depHeld, depStride, depSizes } = this.#view;
    const i = this.#dep++;
    const which = depHeld === null ? INLINE : (depHeld[i] as number);
    if (which !== INLINE) {
      if (which >= LOCAL) return this.results.local(which - LOCAL);
      return this.#values[which] as HeldValue;
    }
    const bytes = depStride > 0 ? depStride : (depSizes?.[i] ?? 0);
    const at = this.#inputAt;
    this.#inputAt = at + bytes;
    return this.#inputs.subarray(at, at + bytes);
  }

  /** True for a value that came with the section, not from a record before. */
  #isHeld(dep: number): boolean {
    return (this.#view.depHeld?.[dep] ?? INLINE) < LOCAL;
  }

  #decode(input: Input, dep: number): unknown {
    if (typeof input !== 'object') return input;
    const { depCodecs, depCodec } = this.#view;
    if (input instanceof Uint8Array) {
      return decodeValue(depCodecs === null ? depCodec : (depCodecs[dep] as number), input);
    }
    // A record alone owns what came with it; several may share a value.
    const own = this.#view.values !== 0 && this.#view.count === 1 && this.#isHeld(dep);
    return decodeValue(input.codec, input.bytes, own);
  }
}

function copy(shared: Uint8Array, at: number, bytes: number): Uint8Array {
  const own = new Uint8Array(bytes);
  own.set(shared.subarray(at, at + bytes));
  return own;
}
