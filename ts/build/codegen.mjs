// Generates, from schemas/*.fbs and schemas/limits.json, the code both languages share. The output is committed;
// `node ts/build/codegen.mjs --check` regenerates it in memory and fails on any difference, naming the file.
// `--root DIR` works on another tree (the freshness test's copy).

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { renderRust, renderRustLimits } from './codegen/rust.mjs';
import { flatten, parseSchema } from './codegen/schema.mjs';
import { renderEnums, renderLimits, renderTables } from './codegen/typescript.mjs';

const { values: options } = parseArgs({
  options: { check: { type: 'boolean', default: false }, root: { type: 'string' } },
});
const root = resolve(options.root ?? join(dirname(fileURLToPath(import.meta.url)), '../..'));

/** Order matters to flatc: a type is declared before it is used. */
const SCHEMAS = ['common', 'session', 'graph', 'dispatch', 'results', 'data'];

function readSchemas() {
  const folder = join(root, 'schemas');
  const present = readdirSync(folder).filter((name) => name.endsWith('.fbs'));
  const unknown = present.find((name) => !SCHEMAS.includes(name.slice(0, -4)));
  if (unknown) throw new Error(`schemas/${unknown} is not listed in ts/build/codegen.mjs`);
  return flatten(SCHEMAS.map((name) => readFileSync(join(folder, `${name}.fbs`), 'utf8')));
}

const banner = (source) => `// Generated from ${source} by \`npm run codegen\`: do not edit.\n\n`;

/** @returns {Promise<Map<string, string>>} path under the root → text */
async function generate() {
  const text = readSchemas();
  const schema = parseSchema(text);
  const limits = JSON.parse(readFileSync(join(root, 'schemas/limits.json'), 'utf8'));
  const [fbs, json] = [banner('schemas/*.fbs'), banner('schemas/limits.json')];
  return new Map([
    ['ts/wire/generated/enums.ts', fbs + renderEnums(schema.enums)],
    ['ts/wire/generated/tables.ts', fbs + renderTables(schema)],
    ['ts/wire/generated/limits.ts', json + renderLimits(limits)],
    ['crates/heddle-wire/src/generated/protocol.rs', fbs + (await renderRust(text, schema))],
    ['crates/heddle-core/src/limits.rs', json + renderRustLimits(limits)],
  ]);
}

function stored(path) {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

const files = await generate();
const stale = [...files].filter(([path, text]) => stored(path) !== text);
if (options.check) {
  for (const [path] of stale)
    console.error(`${path} is stale: run \`npm run codegen\` and commit the result`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  for (const [path, text] of stale) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.error(`wrote ${path}`);
  }
}
