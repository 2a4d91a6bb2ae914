// README's example, taken from README itself: type-checked, run, and its output compared.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { Script } from './support.js';

// Inside the package, so that 'heddle' resolves as it does for a user.
const folder = fileURLToPath(new URL('../../test-readme/', import.meta.url));
const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Fenced blocks of README in a language, in order. */
function blocks(language: string): string[] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    (match) => match[1] as string,
  );
}

before(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const [tasks, main] = blocks('ts') as [string, string];
  writeFileSync(join(folder, 'tasks.ts'), tasks);
  writeFileSync(join(folder, 'main.ts'), main);
  writeFileSync(join(folder, 'plain.mjs'), blocks('js')[0] as string);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('the example type-checks, and compiles for Node 20', () => {
  const program = ts.createProgram([join(folder, 'main.ts')], {
    strict: true,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
    skipLibCheck: true,
  });
  const { diagnostics } = program.emit();
  const all = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
  assert.deepEqual(
    all.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
    [],
  );
});

test('the example prints what it says', async () => {
  const said = / \/\/ (14 \[.*\])$/m.exec(readFileSync(join(folder, 'main.ts'), 'utf8'))?.[1];
  using script = new Script(new URL(`file://${folder}main.js`));
  assert.equal(await script.ended, 0, script.errors);
  assert.equal(script.output.trim(), said);
});

test('the plain JavaScript variant prints the total', async () => {
  using script = new Script(new URL(`file://${folder}plain.mjs`));
  assert.equal(await script.ended, 0, script.errors);
  assert.equal(script.output.trim(), '14');
});
