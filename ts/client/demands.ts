// Release, Cancel and Gather as ranges, collected while a turn of JavaScript runs and sent as one frame per kind.
import type { DemandKind } from '../wire/index.js';

/** Ranges of one kind of demand, in order of request; a range that continues the last one extends it. */
export class DemandRanges {
  readonly kind: DemandKind;
  #layers: number[] = [];
  #starts: number[] = [];
  #counts: number[] = [];

  constructor(kind: DemandKind) {
    this.kind = kind;
  }

  /** True if there is nothing to send. */
  get empty(): boolean {
    return this.#layers.length === 0;
  }

  add(layer: number, start: number, count: number): void {
    const last = this.#layers.length - 1;
    const end = (this.#starts[last] ?? 0) + (this.#counts[last] ?? 0);
    if (this.#layers[last] === layer && end === start) {
      this.#counts[last] = (this.#counts[last] as number) + count;
      return;
    }
    this.#layers.push(layer);
    this.#starts.push(start);
    this.#counts.push(count);
  }

  /** The columns of a Demand; empty afterwards. */
  take(): { layers: Uint32Array; starts: Uint32Array; counts: Uint32Array } {
    const columns = {
      layers: new Uint32Array(this.#layers),
      starts: new Uint32Array(this.#starts),
      counts: new Uint32Array(this.#counts),
    };
    this.#layers = [];
    this.#starts = [];
    this.#counts = [];
    return columns;
  }
}
