/** Large arguments of tasks, named by where they stand in the call: what to scatter instead. */

/** Arguments of one call below this are not large. */
export const LARGE_BYTES = 4096;
/** Calls that are told apart. */
const ENTRIES_MAX = 32;
/** A part with at least this share of the bytes is what makes the whole large. */
const MOST = 0.8;
const DEPTH_MAX = 16;
const NUMBER_BYTES = 8;

/** A large argument, as a run is explained by it. */
export interface LargeArgument {
  /** Name of the function. */
  readonly task: string;
  /** Where it stands in the call, as `arguments[1].table`. */
  readonly path: string;
  /** Bytes of the call's encoded arguments, the largest seen. */
  readonly bytes: number;
  /** Tasks that got it. */
  readonly tasks: number;
  /** True if it was sent once per task, false if once per layer. */
  readonly perTask: boolean;
}

/** Collects them; costs nothing where there are none. */
export class LargeArguments {
  readonly #known = new Map<string, { -readonly [K in keyof LargeArgument]: LargeArgument[K] }>();

  /**
   * Notes a call whose encoded arguments have at least {@link LARGE_BYTES}.
   *
   * @param first position of `args[0]` in the call.
   */
  note(
    task: string,
    args: readonly unknown[],
    first: number,
    bytes: number,
    tasks: number,
    perTask: boolean,
  ): void {
    const key = `${perTask}:${task}`;
    const known = this.#known.get(key);
    if (known !== undefined) {
      known.tasks += tasks;
      known.bytes = Math.max(known.bytes, bytes);
    } else if (this.#known.size < ENTRIES_MAX) {
      this.#known.set(key, { task, path: largestPath(args, first), bytes, tasks, perTask });
    }
  }

  /** The largest first, by the bytes sent for them. */
  list(): LargeArgument[] {
    return [...this.#known.values()]
      .map((entry) => ({ ...entry }))
      .sort((a, b) => cost(b) - cost(a));
  }
}

function cost({ bytes, tasks, perTask }: LargeArgument): number {
  return perTask ? bytes * tasks : bytes;
}

/** Where most bytes of a call's arguments lie. */
export function largestPath(args: readonly unknown[], first = 0): string {
  let at = indexOfLargest(args.map((arg) => sizeOf(arg, DEPTH_MAX)));
  let value = args[at];
  let path = `arguments[${first + at}]`;
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    const entries = entriesOf(value);
    const sizes = entries.map(([, part]) => sizeOf(part, DEPTH_MAX));
    at = indexOfLargest(sizes);
    const entry = entries[at];
    const total = sizes.reduce((sum, size) => sum + size, 0);
    if (entry === undefined || (sizes[at] as number) < total * MOST || total < LARGE_BYTES) break;
    path += Array.isArray(value) ? `[${entry[0]}]` : `.${entry[0]}`;
    value = entry[1];
  }
  return path;
}

function indexOfLargest(sizes: readonly number[]): number {
  return sizes.reduce((best, size, i) => (size > (sizes[best] as number) ? i : best), 0);
}

function entriesOf(value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  const plain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  return plain ? Object.entries(value) : [];
}

/** About how many bytes a value takes; exact enough to find the largest. */
function sizeOf(value: unknown, depth: number): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null || depth === 0) return NUMBER_BYTES;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
  const parts = value instanceof Map || value instanceof Set ? [...value] : Object.values(value);
  let bytes = NUMBER_BYTES;
  for (const part of parts) bytes += sizeOf(part, depth - 1);
  return bytes;
}
