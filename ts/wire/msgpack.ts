// The one msgpackr instance, and the placeholders of argument lists. A template or an argument list is written
// before its inputs exist; where one belongs stands a placeholder, an extension type:
//   0x41 Item, the row's own datum | 0x43 Dep, one input | 0x44 Deps, a run of inputs as an array
// (0x42 and other letters belong to msgpackr). Payloads: Item one zero byte; Dep u32 position in the record's
// input list; Deps u32 from, u32 count; little-endian.
import { addExtension, Packr } from 'msgpackr';
import { WireError } from './error.js';

/** Stands for the row's own datum. */
export class Item {}

/** Stands for the value of input `position`. */
export class Dep {
  readonly position: number;

  constructor(position: number) {
    this.position = position;
  }
}

/** As the count of a run: to the end of the inputs, for tasks that have not all as many. */
export const REST = 0xffff_ffff;

/** Stands for an array of the values of inputs `from … from + count - 1`. */
export class Deps {
  readonly from: number;
  readonly count: number;

  constructor(from: number, count: number) {
    this.from = from;
    this.count = count;
  }
}

/** True for an instance of one of the three placeholders. */
export const isPlaceholder = (value: object): value is Item | Dep | Deps =>
  value instanceof Item || value instanceof Dep || value instanceof Deps;

// Placeholders met since the last reset: an argument list without any needs no second walk.
let placeholdersRead = 0;

addExtension({
  Class: Item,
  type: 0x41,
  pack: () => new Uint8Array(1),
  unpack() {
    placeholdersRead++;
    return new Item();
  },
});
addExtension({
  Class: Dep,
  type: 0x43,
  pack: (dep: Dep) => words(dep.position),
  unpack(bytes) {
    placeholdersRead++;
    return new Dep(word(bytes, 0));
  },
});
addExtension({
  Class: Deps,
  type: 0x44,
  pack: (deps: Deps) => words(deps.from, deps.count),
  unpack(bytes) {
    placeholdersRead++;
    return new Deps(word(bytes, 0), word(bytes, 4));
  },
});

function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value, true);
  return bytes;
}

function word(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true);
}

const POOL_BYTES = 8192;
const LARGE_BYTES = 1 << 20;
// Records keep objects apart from Maps. Buffers are copied out, so that a value never pins the frame it came in.
const packr = new Packr({
  structuredClone: true,
  moreTypes: true,
  copyBuffers: true,
  useToJSON: false,
});

/** Packs a value known to be cloneable. The result is a view of a pool: stable, but copy it before transferring. */
export function pack(value: unknown): Uint8Array {
  const bytes = packr.pack(value);
  // msgpackr goes on with buffers as large as the largest value so far; give it a small one again.
  if (bytes.byteLength > LARGE_BYTES) packr.useBuffer(Buffer.allocUnsafeSlow(POOL_BYTES));
  return bytes;
}

/**
 * Unpacks bytes `start … end` of `bytes`.
 * @throws WireError if they are not one msgpack value
 */
export function unpack(bytes: Uint8Array, start = 0, end = bytes.byteLength): unknown {
  if (end <= start || end > bytes.byteLength) throw new WireError('an empty msgpack value');
  try {
    return packr.unpack(bytes, { start, end });
  } catch (error) {
    throw new WireError(`not msgpack: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** As `unpack`, and says whether placeholders are in the value. */
export function unpackArgs(
  bytes: Uint8Array,
  start = 0,
  end = bytes.byteLength,
): { readonly args: unknown[]; readonly hasPlaceholders: boolean } {
  placeholdersRead = 0;
  const args = unpack(bytes, start, end);
  if (!Array.isArray(args)) throw new WireError('an argument list that is not an array');
  return { args, hasPlaceholders: placeholdersRead > 0 };
}
