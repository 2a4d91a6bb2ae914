/**
 * The graphs of the harness by name: what row i of a layer reads of the layer before. Width is rows per layer, depth is
 * layers. The patterns are those of Task Bench and of the Dask benchmarks, written anew.
 */

/** A graph as rows of explicit edges, each row after those it reads. */
export interface Edges {
  readonly tasks: number;
  /** Where the inputs of each row begin; one more than there are rows. */
  readonly offsets: Uint32Array;
  readonly indices: Uint32Array;
}

/** A shape of layers: rows of the layer before that row `point` of layer `step` reads; step is 1 or more. */
export interface Shape {
  readonly name: string;
  readonly what: string;
  /** Rows of the layers, given what was asked for. */
  widths(size: ShapeSize): number[];
  reads(step: number, point: number, below: number, size: ShapeSize): number[];
}

/** How large a graph is. */
export interface ShapeSize {
  /** Rows of a layer, where layers are alike; leaves, where they shrink. */
  readonly width: number;
  /** Layers, where they are alike. */
  readonly steps: number;
}

const alike = ({ width, steps }: ShapeSize): number[] => new Array<number>(steps).fill(width);
const all = (below: number): number[] => Array.from({ length: below }, (_, i) => i);

/** Rows within the layer, without repetition. */
function within(points: readonly number[], width: number): number[] {
  return [...new Set(points.filter((point) => point >= 0 && point < width))];
}

function halving(width: number): number[] {
  const widths = [width];
  for (let rows = width; rows > 1; widths.push(rows)) rows = Math.ceil(rows / 2);
  return widths;
}

/** Inputs of the patterns called after their number. */
const RADIX = 5;
const CHUNKS_PER_TASK = 8;

/** Every shape but tasks that submit tasks: those are a program, the case `e2e.dynamic`. */
export const SHAPES: readonly Shape[] = [
  {
    name: 'map',
    what: 'independent tasks',
    widths: ({ width, steps }) => [width * steps],
    reads: () => [],
  },
  {
    name: 'merge',
    what: 'independent tasks and one that reads them all',
    widths: ({ width, steps }) => [width * steps, 1],
    reads: (_step, _point, below) => all(below),
  },
  {
    name: 'tree',
    what: 'a binary reduction',
    widths: ({ width, steps }) => halving(width * steps),
    reads: (_step, point, below) => within([2 * point, 2 * point + 1], below),
  },
  {
    name: 'chain',
    what: 'as many lines as the width, without any exchange',
    widths: alike,
    reads: (_step, point) => [point],
  },
  {
    name: 'stencil_1d',
    what: 'the row of the last step and its two neighbours',
    widths: alike,
    reads: (_step, point, below) => within([point - 1, point, point + 1], below),
  },
  {
    name: 'fft',
    what: 'the row of the last step and its partners of a butterfly',
    widths: alike,
    reads(step, point, below) {
      const distance = 2 ** ((step - 1) % Math.max(1, Math.ceil(Math.log2(below))));
      return within([point, point - distance, point + distance], below);
    },
  },
  {
    name: 'nearest-5',
    what: 'the five rows around',
    widths: alike,
    reads: (_step, point, below) =>
      within(
        Array.from({ length: RADIX }, (_, i) => point + i - (RADIX >> 1)),
        below,
      ),
  },
  {
    name: 'random-nearest',
    what: 'each of the five rows around with probability one half',
    widths: alike,
    reads(step, point, below) {
      const near = Array.from({ length: RADIX }, (_, i) => point + i - (RADIX >> 1));
      return within(
        near.filter((other) => mixed(step, point, other - point + RADIX) < 0.5),
        below,
      );
    },
  },
  {
    name: 'spread-5',
    what: 'five rows far from each other, others in every step',
    widths: alike,
    reads: (step, point, below) =>
      within(
        Array.from(
          { length: RADIX },
          (_, i) => (point + step + Math.floor((i * below) / RADIX)) % below,
        ),
        below,
      ),
  },
  {
    name: 'all-to-all',
    what: 'every row of the last step',
    widths: alike,
    reads: (_step, _point, below) => all(below),
  },
  {
    name: 'load-map-reduce',
    what: 'chunks loaded, mapped one by one, reduced eight at a time',
    widths({ width, steps }) {
      const widths = [width * steps, width * steps];
      for (let rows = width * steps; rows > 1; widths.push(rows)) {
        rows = Math.ceil(rows / CHUNKS_PER_TASK);
      }
      return widths;
    },
    reads(step, point, below) {
      if (step === 1) return [point];
      const first = point * CHUNKS_PER_TASK;
      return within(
        Array.from({ length: CHUNKS_PER_TASK }, (_, i) => first + i),
        below,
      );
    },
  },
];

/** A number below 1 that depends on three others alone (the finaliser of murmur3). */
function mixed(a: number, b: number, c: number): number {
  let x = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35);
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}

/** The shape of that name; undefined if there is none. */
export const shapeNamed = (name: string): Shape | undefined =>
  SHAPES.find((shape) => shape.name === name);

/** A row of a graph: its layer, its place in it, and the rows it reads by their numbers in the graph. */
export interface Row {
  readonly step: number;
  readonly point: number;
  readonly reads: readonly number[];
}

/** All rows of a graph, in order. */
export function* rowsOf(shape: Shape, size: ShapeSize): Generator<Row> {
  let before = 0;
  let below = 0;
  for (const [step, width] of shape.widths(size).entries()) {
    for (let point = 0; point < width; point++) {
      const reads = step === 0 ? [] : shape.reads(step, point, below, size);
      yield { step, point, reads: reads.map((other) => before - below + other) };
    }
    before += width;
    below = width;
  }
}

/** Every row but the first reads two rows drawn evenly from those before it. */
export function randomEdges(tasks: number): Edges {
  const offsets = Uint32Array.from({ length: tasks + 1 }, (_, i) => Math.max(0, 2 * (i - 1)));
  const indices = new Uint32Array(2 * Math.max(0, tasks - 1));
  for (let row = 1; row < tasks; row++) {
    indices[2 * (row - 1)] = Math.floor(mixed(row, 1, 7) * row);
    indices[2 * (row - 1) + 1] = Math.floor(mixed(row, 2, 7) * row);
  }
  return { tasks, offsets, indices };
}
