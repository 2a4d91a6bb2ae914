// Writes the TypeScript side: enums, limits, and for every table an interface, a bounded reader and a
// bulk-copying writer over ts/wire/reader.ts and ts/wire/writer.ts. flatc's own TypeScript is not used: it
// bounds nothing, and its vectors are written element by element.

import { SCALARS } from './schema.mjs';

const ARRAYS = {
  ubyte: 'Uint8Array',
  ushort: 'Uint16Array',
  int: 'Int32Array',
  uint: 'Uint32Array',
};
const READERS = {
  bool: 'bool',
  ubyte: 'u8',
  ushort: 'u16',
  int: 'i32',
  uint: 'u32',
  double: 'f64',
};

const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
const docLines = (doc, indent) =>
  doc === '' ? '' : `${indent}/** ${doc.replaceAll('\n', `\n${indent} * `)} */\n`;

/** @param {import('./schema.mjs').Enum[]} enums */
export function renderEnums(enums) {
  return enums
    .map(({ name, members, doc }) => {
      const lines = members.map(([member, value]) => `  ${member}: ${value},\n`).join('');
      return `${docLines(doc, '')}export const ${name} = {\n${lines}} as const;\nexport type ${name} = (typeof ${name})[keyof typeof ${name}];\n`;
    })
    .join('\n');
}

/** @param {{ tables: import('./schema.mjs').Table[], enums: import('./schema.mjs').Enum[] }} schema */
export function renderTables({ tables, enums }) {
  const used = enums.filter(({ name }) =>
    tables.some(({ fields }) => fields.some(({ base, kind }) => base === name && kind === 'enum')),
  );
  const imports = [
    `import { ${used
      .map(({ name }) => name)
      .sort()
      .join(', ')} } from './enums.js';`,
    `import type { Draft, Reader } from '../reader.js';`,
    `import type { Writer } from '../writer.js';`,
  ];
  const code = tables.map((table) =>
    [renderInterface(table), renderReader(table, enums), renderWriter(table, enums)].join('\n'),
  );
  return `${imports.join('\n')}\n\n${code.join('\n')}`;
}

function tsType(field) {
  if (field.kind !== 'vector') {
    return {
      enum: field.base,
      string: 'string | undefined',
      scalar: field.base === 'bool' ? 'boolean' : 'number',
    }[field.kind];
  }
  if (field.element === 'table') return `readonly ${field.base}[]`;
  if (field.element === 'string') return 'readonly string[]';
  return `${array(field)} | undefined`;
}

function array(field) {
  const type = field.element === 'enum' ? 'Uint8Array' : ARRAYS[field.base];
  if (type === undefined) throw new Error(`vectors of ${field.base} are not supported`);
  return type;
}

function renderInterface({ name, fields, doc }) {
  const lines = fields.map(
    (field) => `${docLines(field.doc, '  ')}  ${camel(field.name)}: ${tsType(field)};\n`,
  );
  return `${docLines(doc, '')}export interface ${name} {\n${lines.join('')}}\n`;
}

function defaultOf(field, enums) {
  if (field.kind === 'enum') {
    const { members } = enums.find(({ name }) => name === field.base);
    const [member] = members.find(([member, value]) =>
      field.default === undefined ? value === 0 : member === field.default,
    );
    return `${field.base}.${member}`;
  }
  return field.default ?? (field.base === 'bool' ? 'false' : '0');
}

function renderReader({ name, fields }, enums) {
  const reads = fields.map(
    (field, i) => `    ${camel(field.name)}: ${readExpression(field, 4 + 2 * i, enums)},\n`,
  );
  return `/** Reads the ${name} at byte \`at\`. */\nexport function read${name}(r: Reader, at: number): ${name} {\n  r.enter(at, '${name}');\n  return {\n${reads.join('')}  };\n}\n`;
}

function readExpression(field, slot, enums) {
  switch (field.kind) {
    case 'string':
      return `r.string(${slot})`;
    case 'enum': {
      const values = enums
        .find(({ name }) => name === field.base)
        .members.map(([, value]) => value);
      const [low, high] = [Math.min(...values), Math.max(...values)];
      if (high - low + 1 !== values.length)
        throw new Error(`enum ${field.base} has gaps: it cannot be a field`);
      return `r.enumeration(${slot}, ${defaultOf(field, enums)}, ${low}, ${high}) as ${field.base}`;
    }
    case 'scalar':
      return `r.${READERS[field.base]}(${slot}, ${defaultOf(field, enums)})`;
    default:
      if (field.element === 'table') return `r.tables(${slot}, read${field.base})`;
      if (field.element === 'string') return `r.strings(${slot})`;
      return `r.${READERS[field.element === 'enum' ? 'ubyte' : field.base]}s(${slot})`;
  }
}

function renderWriter({ name, fields }, enums) {
  const isOffset = (field) => field.kind === 'string' || field.kind === 'vector';
  const offsets = fields
    .filter(isOffset)
    .map((field) => `  const ${camel(field.name)} = ${offsetExpression(field)};\n`);
  const puts = fields
    .map((field, i) => ({ field, i, size: isOffset(field) ? 4 : (SCALARS[field.base] ?? 1) }))
    .sort((a, b) => b.size - a.size) // widest first: least padding
    .map(({ field, i }) => {
      const member = camel(field.name);
      if (isOffset(field)) return `  w.offset(${i}, ${member});\n`;
      return `  w.${READERS[field.kind === 'enum' ? 'ubyte' : field.base]}(${i}, m.${member}, ${defaultOf(field, enums)});\n`;
    });
  return `/** Writes one ${name}; gives its offset. Members left out are absent from the frame. */\nexport function write${name}(w: Writer, m: Draft<${name}>): number {\n${offsets.join('')}  w.start(${fields.length});\n${puts.join('')}  return w.end();\n}\n`;
}

function offsetExpression(field) {
  const member = `m.${camel(field.name)}`;
  if (field.kind === 'string') return `w.string(${member})`;
  if (field.element === 'table') return `w.tables(${member}, write${field.base})`;
  if (field.element === 'string') return `w.strings(${member})`;
  return `w.vector(${member})`;
}

/** @param {Record<string, [number, string]>} limits */
export function renderLimits(limits) {
  return Object.entries(limits)
    .map(
      ([name, [value, doc]]) =>
        `/** ${doc[0].toUpperCase()}${doc.slice(1)}. */\nexport const ${name} = ${grouped(value)};\n`,
    )
    .join('\n');
}

/** Digits in groups of three from five digits on. */
export function grouped(value) {
  return value < 10_000 ? String(value) : String(value).replace(/\B(?=(\d{3})+$)/g, '_');
}
