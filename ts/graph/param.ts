// Placeholders of templates: what differs from one instance of a graph to the next.
import { HeddleError } from '../errors/index.js';
import { Reference, type ReferencedRows, type ReferenceOwner } from './reference.js';

/** What a parameter may be asked to be. */
export type Shape =
  | 'number'
  | 'string'
  | 'boolean'
  | 'bigint'
  | 'array'
  | 'bytes'
  | 'typed-array'
  | 'object';

const CHECKS: Readonly<Record<Shape, (value: unknown) => boolean>> = {
  number: (value) => typeof value === 'number',
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  bigint: (value) => typeof value === 'bigint',
  array: (value) => Array.isArray(value),
  bytes: (value) => value instanceof Uint8Array,
  'typed-array': (value) => ArrayBuffer.isView(value) && !(value instanceof DataView),
  object: (value) => typeof value === 'object' && value !== null,
};

/** A placeholder in the arguments of lazy calls. */
export class Param<T> extends Reference {
  /** What stands there; for the type checker alone. @internal */
  declare readonly __value?: T;
  readonly name: string;
  /** What its values must be; undefined: anything that can be copied. */
  readonly shape: Shape | undefined;

  /** @internal Made by `param()`. */
  constructor(name: string, shape: Shape | undefined) {
    super();
    this.name = name;
    this.shape = shape;
  }

  /** True if `value` has the parameter's shape. @internal */
  accepts(value: unknown): boolean {
    return this.shape === undefined || CHECKS[this.shape](value);
  }

  /** @internal */
  override resolveFor(owner: ReferenceOwner): ReferencedRows {
    const place = owner.place(this);
    if (place !== undefined) return place;
    throw new HeddleError(
      'ERR_ARGUMENT',
      `parameter '${this.name}' stands outside a template: client.template(graph).run({ … }) gives it a value`,
    );
  }
}

/**
 * A parameter of a template: an argument of lazy calls, at the top or inside plain arrays and objects. The same name
 * may occur any number of times.
 * @param shape what its values must be; checked when an instance is run
 * @throws HeddleError ERR_ARGUMENT
 * @example
 * const template = client.template(lazy(scale)(lazy(load)(param<string>('path')), param<number>('by', 'number')));
 * const result = template.run({ path: 'a.csv', by: 3 });
 */
export function param<T>(name: string, shape?: Shape): Param<T> {
  if (typeof name !== 'string' || name === '') {
    throw new HeddleError('ERR_ARGUMENT', 'param(name): name must be a non-empty string');
  }
  if (shape !== undefined && !Object.hasOwn(CHECKS, shape)) {
    throw new HeddleError(
      'ERR_ARGUMENT',
      `param('${name}'): shape must be one of ${Object.keys(CHECKS).join(', ')}, not ${String(shape)}`,
    );
  }
  return new Param<T>(name, shape);
}
