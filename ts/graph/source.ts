// Inline functions: their source, checked before it is shipped. A function that would fail in the worker with
// "x is not defined" fails here instead, at the call, with the name of x and what to do.
import { builtinModules } from 'node:module';
import { runInNewContext } from 'node:vm';
import { type AnyNode, type Expression, parse } from 'acorn';
import { HeddleError } from '../errors/index.js';
import { type Usage, usageOf } from './free_variables.js';
import { SOURCE_PARAMETERS, type SourceFunction } from './function_body.js';

type Callable = (...args: never[]) => unknown;

/** Globals of Node that a bare V8 context lacks; present in worker threads of every supported version. */
const NODE_GLOBALS =
  'AbortController AbortSignal Blob BroadcastChannel Buffer CompressionStream Crypto CryptoKey DOMException ' +
  'DecompressionStream Event EventTarget File FormData Headers MessageChannel MessageEvent MessagePort Performance ' +
  'PerformanceEntry PerformanceMark PerformanceMeasure PerformanceObserver ReadableStream Request Response ' +
  'SubtleCrypto TextDecoder TextDecoderStream TextEncoder TextEncoderStream TransformStream URL URLSearchParams ' +
  'WebAssembly WritableStream atob btoa clearImmediate clearInterval clearTimeout console crypto fetch global ' +
  'performance process queueMicrotask setImmediate setInterval setTimeout structuredClone undefined';

let allowed: ReadonlySet<string> | undefined;

/** Names a shipped function finds in every worker. */
function allowedNames(): ReadonlySet<string> {
  allowed ??= new Set<string>([
    ...(runInNewContext('Object.getOwnPropertyNames(globalThis)') as string[]),
    ...NODE_GLOBALS.split(' '),
    ...SOURCE_PARAMETERS,
  ]);
  return allowed;
}

/**
 * The shippable form of a function.
 * @throws HeddleError ERR_TASK_SERIALIZATION saying which variable (and where, if known) stands in the way.
 */
export function sourceOf(fn: Callable): SourceFunction {
  const text = Function.prototype.toString.call(fn);
  const name = fn.name === '' ? 'anonymous' : fn.name;
  const { source, node } = parseFunction(text, name);
  if (node.generator) {
    throw unshippable(name, 'is a generator, which tasks cannot be', 'Return an array instead.');
  }
  check(usageOf(node), name);
  return { kind: 'source', name, source };
}

interface Parsed {
  readonly source: string;
  readonly node: AnyNode & { readonly generator: boolean };
}

function parseFunction(text: string, name: string): Parsed {
  if (/\{\s*\[native code\]\s*\}\s*$/.test(text)) {
    throw unshippable(
      name,
      'is native code or a bound function, which has no source',
      'Wrap the call in an arrow function: (x) => Math.sqrt(x).',
    );
  }
  const whole = parseExpression(text);
  if (whole?.type === 'ClassExpression') {
    throw unshippable(name, 'is a class', 'Wrap it in a function that makes the instance.');
  }
  if (whole?.type === 'FunctionExpression' || whole?.type === 'ArrowFunctionExpression') {
    return { source: text, node: whole as Parsed['node'] };
  }
  // A method prints as `m(a) { … }`, a property of an object literal.
  const literal = parseExpression(`{${text}}`);
  if (literal?.type === 'ObjectExpression' && literal.properties.length === 1) {
    const [property] = literal.properties;
    if (property?.type === 'Property' && property.value.type === 'FunctionExpression') {
      if (property.computed) {
        throw unshippable(
          name,
          'is a method with a computed name',
          'Wrap the call in an arrow function.',
        );
      }
      return {
        source: `Object.values({${text}})[0]`,
        node: property.value as unknown as Parsed['node'],
      };
    }
  }
  const what = /^\s*(?:static\s+)?(?:async\s+)?\*?\s*#/.test(text)
    ? 'is a private method'
    : 'has source that cannot be parsed alone';
  throw unshippable(name, what, 'Wrap the call in an arrow function.');
}

function parseExpression(text: string): Expression | undefined {
  try {
    const program = parse(`"use strict";(${text}\n)`, {
      ecmaVersion: 'latest',
      allowSuperOutsideMethod: true,
      allowImportExportEverywhere: true, // import.meta: refused with a text of its own.
      checkPrivateFields: false,
    });
    const statement = program.body[1];
    return statement?.type === 'ExpressionStatement' && program.body.length === 2
      ? statement.expression
      : undefined;
  } catch {
    return undefined;
  }
}

function check(usage: Usage, name: string): void {
  const module = 'Export the function and ship it with task(import.meta.url, …).';
  if (usage.usesSuper)
    throw unshippable(name, "uses 'super', which exists only inside its class", module);
  if (usage.usesThis) {
    throw unshippable(
      name,
      "uses 'this', which a shipped function does not have",
      'Pass the object as an argument.',
    );
  }
  if (usage.usesImportMeta)
    throw unshippable(name, "uses 'import.meta', which exists only in its module", module);
  if (usage.privateName !== undefined) {
    throw unshippable(name, `uses the private name '#${usage.privateName}'`, module);
  }
  const captured = usage.free.filter((free) => !allowedNames().has(free));
  if (captured.length === 0) return;
  const helper = captured.find(isTranspilerName);
  if (helper !== undefined) {
    throw unshippable(
      name,
      `uses '${helper}', which a transpiler, bundler or coverage tool put in place of an import or helper`,
      `Inside the function use 'await import(…)' of a package or node: module. Or: ${module}`,
    );
  }
  if (captured.includes('arguments')) {
    throw unshippable(
      name,
      "uses 'arguments' of the function around it",
      'Declare parameters, such as ...args.',
    );
  }
  throw capture(name, captured, module);
}

function capture(name: string, captured: readonly string[], module: string): HeddleError {
  const names = captured.map((variable) => `'${variable}'`).join(', ');
  const builtin = captured.find((variable) => builtinModules.includes(variable));
  const one = captured.length === 1;
  const hint = builtin === undefined ? '' : `, import it inside (await import('node:${builtin}'))`;
  return unshippable(
    name,
    `uses ${names} from an outer scope`,
    `Pass ${one ? 'it as an argument' : 'them as arguments'}${hint}, or: ${module.charAt(0).toLowerCase()}${module.slice(1)}`,
  );
}

function isTranspilerName(name: string): boolean {
  return /^(?:__vite_ssr|__awaiter$|__async|__spread|__rest$|__assign|__importStar|__importDefault|__toESM|__webpack|_asyncToGenerator|_interop|import_\w+|cov_\w+$|_?_?vi_import|tslib_)/.test(
    name,
  );
}

function unshippable(name: string, fact: string, remedy: string): HeddleError {
  const where = callSite();
  return new HeddleError(
    'ERR_TASK_SERIALIZATION',
    `'${name}' ${fact}${where === undefined ? '' : ` (submitted at ${where})`}. ${remedy}`,
  );
}

/** file:line of the first stack frame outside Heddle's own modules. */
function callSite(): string | undefined {
  const own = new URL('..', import.meta.url).href;
  for (const line of (new Error().stack ?? '').split('\n').slice(1)) {
    const found = /(?:\(|at )((?:file:\/\/)?\/?[^\s()]+):(\d+):\d+\)?$/.exec(line);
    if (found === null) continue;
    const [, file, row] = found as unknown as [string, string, string];
    const inside = file.startsWith(own) && !file.startsWith(`${own}test/`);
    if (!inside && !file.startsWith('node:')) return `${file.replace(/^file:\/\//, '')}:${row}`;
  }
  return undefined;
}
