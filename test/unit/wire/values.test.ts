// What survives the way to another process, and what is refused with its path.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as wire from '#heddle/wire/index.js';

function trip(value: unknown): unknown {
  const { codec, bytes } = wire.encodeValue(value);
  return wire.decodeValue(codec, new Uint8Array(bytes));
}

const circle: Record<string, unknown> = { a: 1 };
circle.self = circle;

const SURVIVORS: readonly unknown[] = [
  0,
  -0,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  1e300,
  2 ** 53 - 1,
  undefined,
  null,
  true,
  '',
  'é😀',
  5n,
  -(2n ** 70n),
  2n ** 64n - 1n,
  new Date(1_234_567_890_123),
  new Date(-5),
  new Map<unknown, unknown>([
    [1, { a: 2 }],
    ['x', new Set([1])],
  ]),
  new Set([[1]]),
  /a.b/gi,
  new Uint8Array([1, 2]),
  new Int8Array([-1]),
  new Uint16Array([65_535]),
  new Float32Array([1.5]),
  new Float64Array([Math.PI, -0]),
  new BigInt64Array([-5n]),
  new ArrayBuffer(3),
  new DataView(new ArrayBuffer(2)),
  { a: [1, null, 3], 'weird key': { b: undefined } },
  [{ x: 1 }, { x: 2 }, { x: 3, y: new Date(0) }],
  { bytes: new Uint8Array(5000), nested: { floats: new Float32Array(3) } },
  circle,
];

for (const value of SURVIVORS) {
  test(`survives: ${Object.prototype.toString.call(value)} ${String(value).slice(0, 30)}`, () => {
    assert.deepStrictEqual(trip(value), value);
  });
}

test('a Buffer arrives as a Uint8Array', () => {
  assert.deepStrictEqual(trip(Buffer.from('hi')), new Uint8Array([104, 105]));
});

test('an Error inside a value keeps class, message and cause', () => {
  const [error] = trip([new TypeError('boo', { cause: 'why' })]) as [Error];
  assert.ok(error instanceof TypeError);
  assert.equal(error.message, 'boo');
  assert.equal(error.cause, 'why');
});

test('the same object twice arrives as the same object', () => {
  const shared = { a: 1 };
  const [left, right] = trip([shared, shared]) as [object, object];
  assert.equal(left, right);
});

class Point {
  x = 1;
}

const REFUSED: readonly [unknown, string][] = [
  [() => 1, 'result is a function'],
  [Symbol('x'), 'result is a symbol'],
  [{ items: [1, 2, 3, { callback() {} }] }, 'result.items[3].callback is a function'],
  [Promise.resolve(1), 'result is a Promise (await it)'],
  [new Point(), 'result is an instance of Point'],
  [[new URL('http://x')], 'result[0] is an instance of URL'],
  [{ a: new Map([['k', [new WeakMap()]]]) }, 'result.a.get("k")[0] is an instance of WeakMap'],
  [{ 'not an identifier': Symbol('x') }, 'result["not an identifier"] is a symbol'],
  [new Error('x', { cause: () => 1 }), 'result.cause is a function'],
  [new SharedArrayBuffer(1), 'result is an instance of SharedArrayBuffer'],
];

for (const [value, message] of REFUSED) {
  test(`refused: ${message}`, () => {
    assert.throws(() => wire.encodeValue(value), {
      code: 'ERR_RESULT_SERIALIZATION',
      message: `${message}, which cannot be copied to another process`,
    });
  });
}

test('arguments are named by position and path', () => {
  assert.throws(() => wire.encodeArgs([1, { a: [() => 1] }]), {
    code: 'ERR_ARGUMENT_SERIALIZATION',
    message: /^argument 2: value\.a\[0\] is a function/,
  });
  assert.throws(() => wire.encodeColumn([1, Symbol('x')]), {
    message: /^argument \(item 1\) is a symbol/,
  });
});

test('placeholders become the item, one input, a run of inputs', () => {
  const bytes = wire.encodeArgs([
    new wire.Item(),
    { deep: [new wire.Dep(1), 7], constant: 'c' },
    new wire.Deps(0, 2),
    'const',
  ]);
  const make = wire.compileTemplate(bytes);
  const item = { it: 1 };
  assert.deepEqual(make(item, ['d0', 'd1']), [
    item,
    { deep: ['d1', 7], constant: 'c' },
    ['d0', 'd1'],
    'const',
  ]);
  assert.deepEqual(
    make(2, ['x', 'y'])[1],
    { deep: ['y', 7], constant: 'c' },
    'records do not disturb each other',
  );
  assert.throws(() => make(1, ['only one']), { code: 'ERR_PROTOCOL' });
  assert.deepEqual(wire.decodeArgs(wire.encodeArgs([new wire.Dep(0), 2]), ['q']), ['q', 2]);
});

test('a placeholder is no ordinary value', () => {
  assert.throws(() => wire.encodeValue([new wire.Item()]), {
    message: /result\[0\] is a placeholder/,
  });
});

test('errors keep class, message, stack and code', () => {
  const thrown = Object.assign(new RangeError('too far'), { code: 'E_FAR' });
  const { codec, bytes } = wire.encodeError(thrown);
  const error = wire.decodeValue(codec, bytes) as Error & { code: string };
  assert.ok(error instanceof RangeError);
  assert.equal(error.message, 'too far');
  assert.equal(error.code, 'E_FAR');
  assert.equal(error.stack, thrown.stack);
});

test('an error larger than the limit loses causes and properties, not itself', () => {
  const props = Object.fromEntries(
    Array.from({ length: 32 }, (_, i) => [`p${i}`, 'é'.repeat(9_000)]),
  );
  const { bytes } = wire.encodeError(Object.assign(new Error('large'), props, { code: 'E_LARGE' }));
  assert.ok(bytes.byteLength <= wire.limits.ERROR_BYTES_MAX);
  const error = wire.decodeError(bytes) as Error & { code: string };
  assert.deepEqual([error.message, error.code], ['large', 'E_LARGE']);
});

test('an error written by the scheduler becomes a HeddleError', () => {
  const bytes = Buffer.concat([
    Buffer.from([0x83, 0xa4]),
    Buffer.from('name'),
    Buffer.from([0xab]),
    Buffer.from('HeddleError'),
    Buffer.from([0xa7]),
    Buffer.from('message'),
    Buffer.from([0xa6]),
    Buffer.from('it was'),
    Buffer.from([0xa4]),
    Buffer.from('code'),
    Buffer.from([0xad]),
    Buffer.from('ERR_CANCELLED'),
  ]);
  const error = wire.decodeError(bytes) as Error & { code: string };
  assert.equal(error.name, 'HeddleError');
  assert.equal(error.code, 'ERR_CANCELLED');
  assert.equal(error.message, 'it was');
});

test('parts are laid out so that each can be viewed alone', () => {
  const encoded = wire.encodeResult(new wire.PartsValue([1, 'two', new Uint8Array([3])]));
  assert.equal(encoded.codec, wire.Codec.Parts);
  const whole = wire.joinParts(encoded as wire.EncodedParts);
  assert.equal(whole.byteLength, (encoded as wire.EncodedParts).bytes);
  for (const part of wire.splitParts(whole)) assert.equal(part.bytes.byteOffset % 8, 0);
  assert.deepEqual(wire.decodeValue(wire.Codec.Parts, whole), [1, 'two', new Uint8Array([3])]);
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => wire.splitParts(whole.subarray(0, length)), { code: 'ERR_PROTOCOL' });
  }
});

test('a decoded value does not change with the bytes it came in, unless it owns them', () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const copied = wire.decodeValue(wire.Codec.Bytes, bytes) as Uint8Array;
  const viewed = wire.decodeValue(wire.Codec.Bytes, bytes, true) as Uint8Array;
  bytes[0] = 9;
  assert.equal(copied[0], 1);
  assert.equal(viewed[0], 9);
});

test('bytes that are not of their codec are refused', () => {
  const wrong: readonly [number, Uint8Array][] = [
    [wire.Codec.F64, new Uint8Array(7)],
    [wire.Codec.Msgpack, new Uint8Array(0)],
    [wire.Codec.Msgpack, new Uint8Array([0x92, 1])],
    [wire.Codec.Msgpack, new Uint8Array([1, 2])],
    [wire.Codec.Typed, new Uint8Array([0, 0, 0])],
    [wire.Codec.Typed, new Uint8Array([200, 0, 0, 0, 0, 0, 0, 0])],
    [wire.Codec.Typed, new Uint8Array([7, 0, 0, 0, 0, 0, 0, 0, 1])],
    [wire.Codec.Error, new Uint8Array([1])],
    [wire.Codec.Args, new Uint8Array([0x90])],
    [99, new Uint8Array(0)],
  ];
  for (const [codec, bytes] of wrong) {
    assert.throws(() => wire.decodeValue(codec, bytes), { code: 'ERR_PROTOCOL' }, `codec ${codec}`);
  }
});
