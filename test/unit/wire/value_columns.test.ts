// Columns of values: shape, laziness, and rows whose value is elsewhere.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as wire from '#heddle/wire/index.js';

function read(column: wire.EncodedColumn, rows: number): wire.ValueColumn {
  return new wire.ValueColumn({ ...column, rows, offset: 0 }, column.bytes);
}

function values(column: wire.ValueColumn): unknown[] {
  return Array.from({ length: column.rows }, (_, row) => column.value(row));
}

test('numbers are a run of doubles', () => {
  const column = wire.encodeColumn([1, -0, Number.NaN]);
  assert.equal(column.codec, wire.Codec.F64);
  assert.equal(column.stride, 8);
  assert.equal(column.sizes, undefined);
  assert.deepEqual(read(column, 3).numbers(), Float64Array.of(1, -0, Number.NaN));
  assert.deepEqual(values(read(column, 3)), [1, -0, Number.NaN]);
});

test('typed arrays are columns of numbers, and never changed', () => {
  const source = Float64Array.of(1, 2);
  const column = wire.encodeColumn(source);
  source[0] = 9;
  assert.deepEqual(values(read(column, 2)), [1, 2]);
  assert.deepEqual(values(read(wire.encodeColumn(Int32Array.of(-1)), 1)), [-1]);
});

test('undefined takes no bytes', () => {
  const column = wire.encodeColumn([undefined, undefined]);
  assert.deepEqual(
    [column.codec, column.stride, column.bytes.length],
    [wire.Codec.Undefined, 0, 0],
  );
  assert.deepEqual(values(read(column, 2)), [undefined, undefined]);
});

test('mixed values have codecs and sizes', () => {
  const mixed = [1, 'x', undefined, { a: 1 }, new Uint8Array([1, 2, 3]), 2];
  const column = wire.encodeColumn(mixed);
  assert.equal(column.codecs?.length, mixed.length);
  assert.equal(column.sizes?.length, mixed.length);
  assert.equal(column.stride, 0);
  assert.deepEqual(values(read(column, mixed.length)), mixed);
  assert.equal(read(column, mixed.length).numbers(), undefined);
});

test('values of one codec and unequal sizes have sizes only', () => {
  const column = wire.encodeColumn(['a', 'bcd']);
  assert.equal(column.codecs, undefined);
  assert.deepEqual(column.sizes, Uint32Array.of(2, 4));
});

test('no rows is a column too', () => {
  assert.deepEqual(values(read(wire.encodeColumn([]), 0)), []);
});

test('stored rows have a size and no bytes', () => {
  const writer = new wire.ColumnWriter();
  writer.add('a');
  writer.addStored(wire.Codec.Bytes, 5000);
  writer.addNumber(7);
  assert.equal(writer.rows, 3);
  const column = writer.take();
  assert.deepEqual(column.homes, Uint8Array.of(0, 1, 0));
  const reader = read(column, 3);
  assert.equal(reader.size(1), 5000);
  assert.equal(reader.isInline(1), false);
  assert.equal(reader.value(2), 7);
  assert.throws(() => reader.value(1), { code: 'ERR_PROTOCOL' });
});

test('a writer is empty after take and grows as needed', () => {
  const writer = new wire.ColumnWriter();
  for (let i = 0; i < 1000; i++) writer.addNumber(i);
  assert.equal(writer.byteLength, 8000);
  const first = writer.take();
  assert.equal(writer.rows, 0);
  writer.add('x'.repeat(10_000));
  for (let i = 0; i < 200; i++) writer.add(i);
  const second = writer.take();
  assert.deepEqual(
    values(read(first, 1000)),
    Array.from({ length: 1000 }, (_, i) => i),
  );
  assert.equal(read(second, 201).value(200), 199);
});

test('a column longer than its payload part is refused', () => {
  const shape = { rows: 3, codec: wire.Codec.F64, stride: 8, offset: 0 };
  assert.throws(() => new wire.ValueColumn(shape, new Uint8Array(23)), { code: 'ERR_PROTOCOL' });
  assert.throws(() => new wire.ValueColumn(shape, undefined), { code: 'ERR_PROTOCOL' });
});

test('a column is read from any offset', () => {
  const column = wire.encodeColumn([1, 2]);
  const part = new Uint8Array(3 + column.bytes.length);
  part.set(column.bytes, 3);
  const reader = new wire.ValueColumn({ ...column, rows: 2, offset: 3 }, part);
  assert.deepEqual(values(reader), [1, 2]);
  assert.deepEqual(reader.numbers(), Float64Array.of(1, 2));
});
