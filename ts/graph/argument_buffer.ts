// Argument lists of consecutive tasks, one msgpack array each, in one growing buffer. Numbers, short ASCII text,
// booleans, null and undefined are written here, byte for byte as msgpackr would; everything else by the codec.
import { HeddleError } from '../errors/index.js';
import { encodeArgs, limits } from '../wire/index.js';
import { type InputColumns, referenceNoter, replaceReferences } from './inputs.js';
import type { ReferenceOwner } from './reference.js';

const FIRST_BYTES = 1 << 12;
const FIXED_ARRAY_MAX = 15;
const FIXED_TEXT_MAX = 31;
/** Most bytes one primitive takes below: a double and its tag, or a short text and its length. */
const PRIMITIVE_BYTES_MAX = FIXED_TEXT_MAX + 1;

/** Row data of an Explicit layer. */
export class ArgumentBuffer {
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = 0;

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /**
   * Adds one task's arguments; their references become inputs. Gives the bytes taken.
   * @throws HeddleError ERR_ARGUMENT_SERIALIZATION, ERR_ARGUMENT_TOO_LARGE, ERR_RELEASED, ERR_ARGUMENT: nothing is
   *   added then
   */
  add(args: readonly unknown[], owner: ReferenceOwner, inputs: InputColumns): number {
    const start = this.#length;
    if (args.length <= FIXED_ARRAY_MAX && this.#addPrimitives(args)) return this.#length - start;
    this.#length = start;
    const inputsBefore = inputs.length;
    try {
      this.#append(this.#encode(args, owner, inputs));
    } catch (error) {
      inputs.truncate(inputsBefore);
      throw error;
    }
    return this.#length - start;
  }

  /** The bytes so far; the buffer is empty afterwards and never writes to them again. */
  take(): Uint8Array {
    const bytes = this.#bytes.subarray(0, this.#length);
    const half = this.#bytes.length >> 1;
    this.#length = 0;
    // A buffer mostly full goes as it is; from one mostly empty the bytes are copied and it is used again.
    if (bytes.length < half) return Uint8Array.prototype.slice.call(bytes);
    this.#bytes = Buffer.allocUnsafeSlow(this.#bytes.length);
    return bytes;
  }

  #encode(args: readonly unknown[], owner: ReferenceOwner, inputs: InputColumns): Uint8Array {
    const note = referenceNoter(owner, inputs);
    const bytes = encodeArgs(args.map((arg) => replaceReferences(arg, note)));
    if (bytes.length > limits.ROW_DATA_BYTES_MAX) {
      throw new HeddleError(
        'ERR_ARGUMENT_TOO_LARGE',
        `the arguments of a task take ${bytes.length} bytes, more than ROW_DATA_BYTES_MAX ` +
          `(${limits.ROW_DATA_BYTES_MAX}): pass client.scatter(value) instead of the large value`,
      );
    }
    return bytes;
  }

  /** False (and the buffer in doubt) if some argument is not a primitive that can be written here. */
  #addPrimitives(args: readonly unknown[]): boolean {
    const count = args.length;
    this.#reserve(1 + count * PRIMITIVE_BYTES_MAX);
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at++] = 0x90 | count;
    for (let i = 0; i < count; i++) {
      const arg = args[i];
      if (typeof arg === 'number') at = writeNumber(bytes, at, arg);
      else if (typeof arg === 'string') {
        at = writeShortText(bytes, at, arg);
        if (at === 0) return false;
      } else if (arg === null) bytes[at++] = 0xc0;
      else if (arg === false) bytes[at++] = 0xc2;
      else if (arg === true) bytes[at++] = 0xc3;
      else if (arg === undefined) {
        bytes[at++] = 0xd4;
        bytes[at++] = 0;
        bytes[at++] = 0;
      } else return false;
    }
    this.#length = at;
    return true;
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const bytes = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, needed));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }
}

function writeNumber(bytes: Buffer, at: number, value: number): number {
  if (value >= 0 && value < 0x80 && (value & 0x7f) === value && !Object.is(value, -0)) {
    bytes[at] = value;
    return at + 1;
  }
  if ((value | 0) === value && value !== 0) {
    bytes[at] = 0xd2;
    bytes.writeInt32BE(value, at + 1);
    return at + 5;
  }
  bytes[at] = 0xcb;
  bytes.writeDoubleBE(value, at + 1);
  return at + 9;
}

/** The position after the text; 0 if it is too long or not ASCII. */
function writeShortText(bytes: Buffer, at: number, text: string): number {
  const { length } = text;
  if (length > FIXED_TEXT_MAX) return 0;
  bytes[at] = 0xa0 | length;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return 0;
    bytes[at + 1 + i] = code;
  }
  return at + 1 + length;
}
