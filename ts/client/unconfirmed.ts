// What was said and may not have arrived: kept, in order, until the scheduler confirms it by number, to be said
// again on the next transport.
import type { FrameParts } from '../wire/index.js';

/** Kept bytes beyond which the oldest frames are let go. A transport that drops then cannot be resumed. */
const KEPT_BYTES_MAX = 64 << 20;
const KEPT_FRAMES_MAX = 1 << 16;
/** Confirmed places at the front before the list is cut. */
const CUT = 1024;

/** Frames of one session by their number, counted from 1. */
export class Unconfirmed {
  #frames: (FrameParts | undefined)[] = [];
  /** Places at the front that are empty. */
  #gone = 0;
  /** Number of the last frame that is not kept any more. */
  #before = 0;
  #bytes = 0;

  /** Number of the last frame. */
  get last(): number {
    return this.#before + this.#frames.length - this.#gone;
  }

  /** Keeps a frame and gives its number. */
  add(parts: FrameParts): number {
    this.#frames.push(parts);
    this.#bytes += sizeOf(parts);
    while (this.#bytes > KEPT_BYTES_MAX || this.last - this.#before > KEPT_FRAMES_MAX) this.#drop();
    return this.last;
  }

  /** The scheduler has all frames up to `number`. */
  confirm(number: number): void {
    while (this.#before < number && this.#gone < this.#frames.length) this.#drop();
  }

  /** The frames after `number`; undefined if some are not kept, or `number` was never given. */
  after(number: number): FrameParts[] | undefined {
    if (!(number >= this.#before && number <= this.last)) return undefined;
    return this.#frames.slice(this.#gone + number - this.#before) as FrameParts[];
  }

  #drop(): void {
    this.#bytes -= sizeOf(this.#frames[this.#gone] as FrameParts);
    this.#frames[this.#gone++] = undefined;
    this.#before++;
    if (this.#gone < CUT || this.#gone * 2 < this.#frames.length) return;
    this.#frames = this.#frames.slice(this.#gone);
    this.#gone = 0;
  }
}

function sizeOf(parts: FrameParts): number {
  let bytes = 0;
  for (const part of parts) bytes += part.byteLength;
  return bytes;
}
