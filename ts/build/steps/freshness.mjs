// Proof that the freshness check can fail: a check that never fails proves nothing.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { root, run, say } from './process.mjs';
import { filesUnder } from './stamp.mjs';

/** Alters one byte of each generated file in a copy of the tree and expects the check to fail every time. */
export async function provesStaleness() {
  const copy = mkdtempSync(join(tmpdir(), 'heddle-freshness-'));
  const remove = () => rmSync(copy, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    const generated = [...filesUnder('crates'), ...filesUnder('ts')].filter((file) =>
      file.includes('/generated/'),
    );
    for (const file of [...generated, ...filesUnder('schemas')])
      cpSync(join(root, file), join(copy, file));
    for (const file of generated) {
      const bytes = readFileSync(join(root, file));
      const altered = Buffer.from(bytes);
      altered[altered.length >> 1] ^= 1;
      writeFileSync(join(copy, file), altered);
      const code = await run(
        process.execPath,
        ['ts/build/codegen.mjs', '--check', '--root', copy],
        { output: 'stderr' },
      );
      writeFileSync(join(copy, file), bytes);
      if (code !== 0) continue;
      say(`a changed byte in ${file} was not noticed by codegen --check`);
      return 1;
    }
    return generated.length > 0 ? 0 : 1;
  } finally {
    process.off('exit', remove);
    remove();
  }
}
