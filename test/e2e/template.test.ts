// Templates: graphs kept by the scheduler and run again with other parameters.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Client, LocalCluster, lazy, param, type Template } from 'heddle';
import { until, WAIT_MS } from './support.js';
import * as tasks from './tasks.js';

const timeout = WAIT_MS;
let cluster: LocalCluster;
let client: Client;

before(async () => {
  cluster = await LocalCluster.start({ workers: 2, check: 'light' });
  client = await cluster.connect();
});
after(async () => {
  await cluster?.close();
});

/** Bytes the scheduler has received. */
const received = async (): Promise<number> => (await client.stats()).scheduler.bytesReceived;

/** The code a call throws with, and its message. */
function thrown(call: () => unknown): { code: string; message: string } {
  try {
    call();
  } catch (error) {
    return error as { code: string; message: string };
  }
  return { code: 'none', message: '' };
}

test('instances give what compute gives, for every kind of value', async () => {
  const [x, y] = [param<number>('x', 'number'), param<number>('y')];
  const product = lazy(tasks.add)(lazy(tasks.square)(x), y);
  using template = client.template([
    product,
    lazy(tasks.square)(product),
    lazy(tasks.echo)([x, { y }]),
  ]);
  assert.deepEqual(template.parameters, ['x', 'y']);
  const runs = Array.from({ length: 20 }, (_, i) => template.run({ x: i, y: 2 * i }));
  for (const [i, run] of runs.entries()) {
    const sum = i * i + 2 * i;
    assert.deepEqual(await client.gather(run, { timeout }), [sum, sum * sum, [i, { y: 2 * i }]]);
  }
  using echo = client.template(lazy(tasks.echo)(param('value')));
  const values = [
    undefined,
    null,
    -0,
    'text',
    true,
    12n,
    [1, [2]],
    { a: new Map([[1, 2]]) },
    new Uint8Array([1, 2]),
    new Float32Array([1.5]),
    new Date(5),
  ];
  for (const value of values) {
    assert.deepEqual(await echo.run({ value }).result({ timeout }), value);
  }
});

test('no parameters, futures in the graph, options, several at once', async () => {
  using constant = client.template(lazy(tasks.square)(7));
  assert.equal(await constant.run().result({ timeout }), 49);
  const shared = client.scatter(new Uint8Array(10_000));
  using measured = client.template(lazy(tasks.lengthOf)(shared));
  assert.equal(await measured.run().result({ timeout }), 10_000);
  using first = client
    .with({ retries: 2, name: 'kept' })
    .template(lazy(tasks.square)(param<number>('n')));
  const run = first.run({ n: 3 });
  const other = client.submit(tasks.square, 4);
  const again = first.run({ n: 5 });
  assert.deepEqual(await client.gather([run, other, again], { timeout }), [9, 16, 25]);
});

test('10,000 tasks a hundred times: exact, and the same few bytes each time', async () => {
  const leaves = Array.from({ length: 9_999 }, (_, i) => lazy(tasks.add)(param<number>('by'), i));
  const total = lazy(tasks.sum)(leaves as unknown as number[]);
  using template = client.template(total);
  using small = client.template(lazy(tasks.square)(param<number>('by')));
  await template.run({ by: 0 }).result({ timeout });
  const base = (9_998 * 9_999) / 2;
  const before = await received();
  let runs = Array.from({ length: 100 }, (_, by) => template.run({ by }));
  const between = await received();
  const sums = await client.gather(runs, { timeout: 90_000 });
  assert.deepEqual(
    sums,
    sums.map((_, by) => base + 9_999 * by),
  );
  for (const run of runs) run.release();
  runs = [];
  const largest = (between - before) / 100;
  assert.ok(largest < 400, `${largest} bytes per instance of 10,000 tasks`);
  const start = await received();
  const few = Array.from({ length: 100 }, (_, by) => small.run({ by }));
  const each = ((await received()) - start) / 100;
  assert.ok(Math.abs(each - largest) < 100, `${each} bytes per instance of one task`);
  await client.gather(few, { timeout });
});

test('what is wrong with parameters is said at the call, by name', async () => {
  using template: Template<unknown> = client.template(
    lazy(tasks.add)(param<number>('left', 'number'), param<number>('right')),
  );
  const code = 'ERR_TEMPLATE_PARAMETER';
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ left: 1 }, /'right' is missing/],
    [{ left: 1, right: 2, other: 3 }, /'other' is not in the template, which has left, right/],
    [{ left: '1', right: 2 }, /'left' must be of shape number/],
    [{ left: 1, right: new Uint8Array(2_000) }, /'right' takes 2\d\d\d bytes, more than INLINE/],
    [{ left: 1, right: () => 1 }, /'right' cannot be sent/],
    [{ left: 1, right: client.submit(tasks.square, 1) }, /'right' is a future/],
  ];
  for (const [parameters, expected] of cases) {
    const error = thrown(() => template.run(parameters));
    assert.equal(error.code, code, String(expected));
    assert.match(error.message, expected);
  }
  const outside = thrown(() => client.compute(lazy(tasks.square)(param<number>('n'))));
  assert.equal(outside.code, 'ERR_ARGUMENT');
  const twice = lazy(tasks.add)(param<number>('n'), param<number>('n', 'number'));
  assert.equal(thrown(() => client.template(twice)).code, code);
  assert.equal(thrown(() => param('n', 'shape' as never)).code, 'ERR_ARGUMENT');
});

test('templates are freed when dropped, and with their client', async () => {
  const kept = async (): Promise<number> => (await client.stats()).templates;
  const before = await kept();
  const template = client.template(lazy(tasks.square)(param<number>('n')));
  assert.equal(await kept(), before + 1);
  const last = template.run({ n: 6 });
  template.drop();
  assert.equal(await last.result({ timeout }), 36, 'what runs goes on');
  assert.equal(await kept(), before);
  assert.equal(thrown(() => template.run({ n: 1 })).code, 'ERR_RELEASED');
  const other = await cluster.connect();
  other.template(lazy(tasks.square)(param<number>('n')));
  await other.info();
  assert.equal(await kept(), before + 1);
  await other.close();
  await until(
    'the templates of a client that left to be freed',
    async () => (await kept()) === before,
  );
});
