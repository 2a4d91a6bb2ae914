// What the type checker must accept and refuse. Compiled by tsc with the other tests; never run.
import {
  type Client,
  type Future,
  type FutureArray,
  type LazyNode,
  lazy,
  range,
  task,
} from 'heddle';

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Equal<A, B>): void => {};

const square = task(import.meta.url, 'square', (x: number) => x * x);
const sum = task(import.meta.url, 'sum', (xs: number[]) => xs.reduce((a, b) => a + b, 0));
const load = async (url: string, options?: { retries: number }): Promise<{ rows: number[] }> => ({
  rows: [url.length, options?.retries ?? 0],
});
const nothing = (): string => '';

/** Every line is a case. */
export async function accepted(client: Client): Promise<void> {
  const squares = client.map(square, [1, 2, 3]);
  same<typeof squares, FutureArray<number>>(true);
  same<ReturnType<typeof squares.at>, Future<number>>(true);

  // Futures and future arrays stand where their values would.
  const total = client.submit(sum, squares);
  same<typeof total, Future<number>>(true);
  client.submit(sum, [1, total, squares.at(0)]);
  client.submit(square, total);
  client.map(square, squares);
  client.map(square, [total, 2]);
  client.map(square, new Float64Array(3));
  client.map((x: number, by: { k: number }) => x * by.k, [1], { k: total });

  // Async bodies are unwrapped; optional arguments stay optional.
  const loaded = client.submit(load, 'a.csv');
  same<typeof loaded, Future<{ rows: number[] }>>(true);
  client.submit(load, 'a.csv', { retries: client.submit(square, 1) });
  client.submit(nothing);

  // An untyped parameter of a map takes its type from the items.
  const lengths = client.map((text) => text.length, ['a', 'b']);
  same<typeof lengths, FutureArray<number>>(true);

  // Arrays of futures, row by row; what is shared; a whole array inside an array.
  const texts = client.map((x: number) => String(x), range(3));
  const zipped = client.blockwise(
    (x: number, text: string, by: number, all: number[][]) => [x * by, text, all.length] as const,
    squares,
    texts,
    total,
    [squares],
  );
  same<typeof zipped, FutureArray<readonly [number, string, number]>>(true);
  const lists = client.window((xs) => xs.slice(), squares, { radius: 1, periodic: true });
  same<typeof lists, FutureArray<number[]>>(true);
  client.blockwise(sum, lists);
  const reduced = client.treeReduce(sum, squares, { fanIn: 4 });
  same<typeof reduced, Future<number>>(true);
  same<ReturnType<typeof client.treeReduce<string>>, Future<string>>(true);
  client.window((xs: number[], by: number) => xs.length * by, squares, { radius: 1 }, total);

  const pair = await client.gather([total, loaded]);
  same<typeof pair, [number, { rows: number[] }]>(true);
  const numbers = await client.gather(squares, { errors: 'skip', timeout: 1 });
  same<typeof numbers, number[]>(true);
  same<Awaited<ReturnType<typeof total.result>>, number>(true);

  // A future is not thenable: awaiting it gives the future.
  same<Awaited<typeof total>, Future<number>>(true);

  const big = client.scatter(new Float64Array(8));
  client.submit((xs: Float64Array) => xs.length, big);
  client.submit((part: Uint8Array) => part.length, big.part(3));
  client.submit((parts: Uint8Array[]) => parts.length, squares.part(3));

  const node = lazy(sum)([lazy(square)(1), 2, total]);
  same<typeof node, LazyNode<number>>(true);
  const [one, two] = client.compute([node, lazy(load)('a')]);
  same<typeof one, Future<number>>(true);
  same<typeof two, Future<{ rows: number[] }>>(true);
  same<ReturnType<typeof square>, number>(true);
  client.with({ retries: 3, priority: 1, timeout: 5, key: 'k' }).submit(square, 2);
}

/** Every marked line must be an error; tsc fails if one is not. */
export function refused(client: Client): void {
  const squares = client.map(square, [1]);
  const text = client.submit(nothing);
  // @ts-expect-error wrong type of argument
  client.submit(square, 'two');
  // @ts-expect-error argument missing
  client.submit(square);
  // @ts-expect-error argument too many
  client.submit(square, 1, 2);
  // @ts-expect-error a future of another type
  client.submit(square, text);
  // @ts-expect-error an array of futures where one number is wanted
  client.submit(square, squares);
  // @ts-expect-error a wrong value inside an array
  client.submit(sum, [1, text]);
  // @ts-expect-error items of another type
  client.map(square, ['a']);
  // @ts-expect-error a constant of another type
  client.map((x: number, by: number) => x * by, [1], 'two');
  // @ts-expect-error rows of another type
  client.blockwise(square, client.map(String, [1]));
  // @ts-expect-error an array stands for its rows, not for itself
  client.blockwise(sum, squares);
  // @ts-expect-error a reduction gives what it takes
  client.treeReduce((xs: number[]) => String(xs), squares);
  // @ts-expect-error a window needs a radius
  client.window(sum, squares, {});
  // @ts-expect-error not a function
  client.submit(5, 1);
  // @ts-expect-error no such option
  client.with({ retry: 3 });
  // @ts-expect-error a lazy call is an argument of lazy calls only
  client.submit(square, lazy(square)(1));
  // @ts-expect-error wrong type in a lazy call
  lazy(square)(lazy(nothing)());
  // @ts-expect-error a task keeps its types
  square('two');
}
