// Shipping functions: what may go, and what is said of what may not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeddleError } from 'heddle';
import { SOURCE_PARAMETERS } from '#heddle/graph/function_body.js';
import { sourceOf } from '#heddle/graph/source.js';

type Callable = (...args: never[]) => unknown;

/** Compiles the shipped source as a lane does. */
function compile(fn: Callable): (...args: unknown[]) => unknown {
  const { source } = sourceOf(fn);
  const make = new Function(...SOURCE_PARAMETERS, `"use strict"; return (${source}\n);`);
  return make((f: unknown) => f, undefined, {}) as (...args: unknown[]) => unknown;
}

function refused(fn: Callable, ...patterns: RegExp[]): void {
  assert.throws(
    () => sourceOf(fn),
    (error: HeddleError) => {
      assert.equal(error.code, 'ERR_TASK_SERIALIZATION');
      for (const pattern of patterns) assert.match(error.message, pattern);
      return true;
    },
  );
}

const threshold = 3;
const helper = (x: number): number => x;

test('arrows, functions, async functions and methods ship', async () => {
  assert.equal(compile((a: number, b: number) => a + b)(1, 2), 3);
  assert.equal(
    compile(function named(n: number): number {
      return n < 2 ? 1 : n * named(n - 1);
    })(5),
    120,
  );
  assert.equal(await compile(async (x: number) => (await Promise.resolve(x)) + 1)(1), 2);
  const object = {
    double(x: number) {
      return 2 * x;
    },
    async later(x: number) {
      return x;
    },
    'odd name'(x: number) {
      return -x;
    },
  };
  assert.equal(compile(object.double)(4), 8);
  assert.equal(await compile(object.later)(4), 4);
  assert.equal(compile(object['odd name'])(4), -4);
});

test('everything a function declares is its own', () => {
  const fn = ({ a, b: [c = a] }: { a: number; b: number[] }, ...rest: number[]): unknown => {
    var late = a;
    for (const item of rest) late += item;
    for (let i = 0; i < 1; i++) late += i;
    function inner(x: number): number {
      return x + (c as number);
    }
    class Box {
      static made = 1;
      #value = late;
      get value(): number {
        return this.#value;
      }
    }
    try {
      throw new Error('x');
    } catch (error) {
      const { message } = error as Error;
      return {
        value: new Box().value,
        inner: inner(1),
        message,
        made: Box.made,
        env: typeof process,
      };
    }
  };
  const made = compile(fn as unknown as Callable)({ a: 1, b: [] }, 2, 3);
  assert.deepEqual(made, { value: 6, inner: 2, message: 'x', made: 1, env: 'object' });
  sourceOf(() => (typeof nowhereDeclared === 'undefined' ? Math.PI : Buffer.from('a').length));
  sourceOf(async () => (await import('node:os')).cpus().length);
});
declare const nowhereDeclared: unknown;

test('captured variables are named, with the place of the call and what to do', () => {
  refused(
    (x: number) => helper(x) > threshold,
    /'helper', 'threshold' from an outer scope/,
    /source\.test\.js:\d+/,
    /Pass them as arguments/,
    /task\(import\.meta\.url/,
  );
  refused((x: number) => x + threshold, /uses 'threshold'/, /Pass it as an argument/);
  refused(() => (x: number) => [x].map(() => threshold), /'threshold'/);
  refused((x = threshold) => x, /'threshold'/);
  // A name declared in an inner block is not visible outside it.
  refused((flag: boolean) => {
    if (flag) {
      const outside = 1;
      return outside;
    }
    return outside;
  }, /'outside'/);
});
declare const outside: number;

test('what cannot be shipped at all says why', () => {
  refused(Math.sqrt as Callable, /native code or a bound function/, /Math\.sqrt\(x\)/);
  refused(helper.bind(null) as Callable, /native code or a bound function/);
  refused(class {} as unknown as Callable, /is a class/);
  refused(function* () {
    yield 1;
  }, /generator/);
  refused(
    function (this: { x: number }) {
      return this.x;
    } as Callable,
    /'this'/,
  );
  refused(() => import.meta.url, /'import\.meta'/);
  class Base {
    greet(): string {
      return 'a';
    }
  }
  class Derived extends Base {
    override greet(): string {
      return super.greet();
    }
  }
  refused(new Derived().greet as Callable, /'super'/);
  function outer(): Callable {
    // biome-ignore lint/complexity/noArguments: the case under test.
    return () => arguments.length;
  }
  refused(outer(), /'arguments'/);
});

test('names that transpilers put in have their own text; the __name shim is allowed', () => {
  const make = (source: string): Callable => new Function(`return ${source}`)() as Callable;
  for (const name of [
    'import_node_os.default',
    '__vite_ssr_import_0__.x',
    '__awaiter',
    'cov_1abc()',
  ]) {
    refused(make(`() => ${name}`), /transpiler, bundler or coverage tool/, /await import/);
  }
  assert.equal(compile(make('(x) => { const f = __name((y) => y + 1, "f"); return f(x); }'))(1), 2);
  refused(make('(p) => os.cpus().length + p'), /'os'/, /await import\('node:os'\)/);
});
