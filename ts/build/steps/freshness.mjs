// Proof that the freshness check can fail: a check that never fails proves nothing.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { root, run, say } from './process.mjs';
import { filesUnder } from './stamp.mjs';

const isGenerated = (file) =>
  /^\/\/ Generated from .*: do not edit\.$/m.test(readFileSync(join(root, file), 'utf8'));

/** Alters one byte of each generated file in a copy of the tree and expects the check to fail every time. */
export async function provesStaleness() {
  const copy = mkdtempSync(join(tmpdir(), 'heddle-freshness-'));
  const remove = () => rmSync(copy, { recursive: true, force: true });
  process.once('exit', remove);
  const check = () => run(process.execPath, ['ts/build/codegen.mjs', '--check', '--root', copy]);
  try {
    const code = (file) => /\.(rs|ts)$/.test(file);
    const generated = [...filesUnder('crates', code), ...filesUnder('ts', code)].filter(
      isGenerated,
    );
    for (const file of [...generated, ...filesUnder('schemas')]) {
      cpSync(join(root, file), join(copy, file));
    }
    // Before anything is altered the copy must pass, or its failures would mean nothing.
    if (generated.length === 0 || (await check()) !== 0) return 1;
    for (const file of generated) {
      const bytes = readFileSync(join(root, file));
      const altered = Buffer.from(bytes);
      altered[altered.length >> 1] ^= 1;
      writeFileSync(join(copy, file), altered);
      const noticed = (await check()) !== 0;
      writeFileSync(join(copy, file), bytes);
      if (noticed) continue;
      say(`a changed byte in ${file} was not noticed by codegen --check`);
      return 1;
    }
    return 0;
  } finally {
    process.off('exit', remove);
    remove();
  }
}
