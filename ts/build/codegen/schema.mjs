// Reads the subset of the FlatBuffers schema language that schemas/*.fbs uses: enums of ubyte and tables of
// scalars, enums, strings, tables and vectors of these. Anything else is an error, so that the bounded
// TypeScript code generated from it can never disagree with flatc in silence.

/** Sizes in bytes of the scalar types in use. */
export const SCALARS = { bool: 1, ubyte: 1, ushort: 2, int: 4, uint: 4, double: 8 };

/**
 * @typedef {{ name: string, base: string, kind: 'scalar' | 'enum' | 'string' | 'table' | 'vector',
 *   element?: 'scalar' | 'enum' | 'string' | 'table', default: string | undefined, doc: string }} Field
 * @typedef {{ name: string, fields: Field[], doc: string }} Table
 * @typedef {{ name: string, members: [string, number][], doc: string }} Enum
 */

/** Drops includes and the namespace, so that several schemas form one. */
export function flatten(texts) {
  return texts.map((text) => text.replace(/^(include|namespace) .*;\n/gm, '')).join('\n');
}

/** @returns {{ tables: Table[], enums: Enum[] }} */
export function parseSchema(text) {
  const enums = [];
  const tables = [];
  const block = /((?:^[ \t]*\/\/.*\n)*)^(enum|table) (\w+)(?: : (\w+))? \{((?:\/\/.*|[^}/])*)\}/gm;
  for (const [, comment, keyword, name, base, body] of text.matchAll(block)) {
    const doc = comment.replace(/^[ \t]*\/\/ ?/gm, '').trim();
    if (keyword === 'enum') {
      if (base !== 'ubyte') throw new Error(`enum ${name}: only ubyte enums are supported`);
      enums.push({ name, doc, members: members(name, body) });
    } else {
      tables.push({ name, doc, fields: rawFields(name, body) });
    }
  }
  const rest = text
    .replace(block, '')
    .replace(/\/\/.*$/gm, '')
    .trim();
  if (rest !== '')
    throw new Error(`schema text that is neither enum nor table: ${rest.slice(0, 80)}`);
  const names = new Map([
    ...enums.map((e) => [e.name, 'enum']),
    ...tables.map((t) => [t.name, 'table']),
  ]);
  for (const table of tables) for (const field of table.fields) classify(table, field, names);
  return { tables, enums };
}

function members(name, body) {
  const list = body
    .replace(/\/\/.*$/gm, '')
    .split(',')
    .map((text) => text.trim())
    .filter(Boolean);
  return list.map((text) => {
    const match = /^(\w+) = (\d+)$/.exec(text);
    if (!match) throw new Error(`enum ${name}: cannot read "${text}"`);
    return [match[1], Number(match[2])];
  });
}

function rawFields(name, body) {
  const fields = [];
  const field = /\s*(\w+):(\[?)(\w+)\]?(?: = (\w+))?;[ \t]*(?:\/\/ ?(.*))?/y;
  let at = 0;
  while (body.slice(at).trim() !== '') {
    field.lastIndex = at;
    const match = field.exec(body);
    if (!match) throw new Error(`table ${name}: cannot read "${body.slice(at, at + 60).trim()}"`);
    at = field.lastIndex;
    fields.push({
      name: match[1],
      vector: match[2] === '[',
      base: match[3],
      default: match[4],
      doc: match[5] ?? '',
    });
  }
  return fields;
}

function classify(table, field, names) {
  const kind =
    field.base in SCALARS ? 'scalar' : field.base === 'string' ? 'string' : names.get(field.base);
  if (kind === undefined)
    throw new Error(`${table.name}.${field.name}: unknown type ${field.base}`);
  if (field.vector) field.element = kind;
  field.kind = field.vector ? 'vector' : kind;
  delete field.vector;
  if (field.kind === 'table')
    throw new Error(`${table.name}.${field.name}: single tables are not supported`);
}
