// The packed package, unpacked elsewhere: it holds what it needs, runs README's example, and says in one line when
// its addon is not there.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const root = dirname(fileURLToPath(import.meta.resolve('heddle/package.json')));
const folder = mkdtempSync(join(tmpdir(), 'heddle-pack-'));
const installed = join(folder, 'node_modules/heddle');

before(() => {
  // What is there is packed as it is: a test builds nothing.
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
    cwd: root,
    timeout: 60_000,
  });
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  assert.ok(tarball !== undefined);
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, tarball), '--strip-components=1', '-C', installed]);
  // Its dependencies, as an installation would place them, without a network.
  const { dependencies } = require(join(installed, 'package.json')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies)) {
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
});

after(() => rmSync(folder, { recursive: true, force: true }));

function node(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', timeout: 60_000 });
}

/** README's code blocks of a language. */
function examples(language: string): string[] {
  const text = readFileSync(join(installed, 'README.md'), 'utf8');
  return [...text.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, code]) => code ?? '',
  );
}

test('the package holds the licence, the notices, the protocol and both addons', () => {
  const addons = readdirSync(join(installed, 'dist/native')).filter((name) =>
    name.endsWith('.node'),
  );
  assert.equal(addons.length, 2);
  for (const path of ['LICENSE', 'README.md', 'crates/THIRD_PARTY_NOTICES.md', 'schemas']) {
    assert.ok(existsSync(join(installed, path)), path);
  }
  for (const path of ['dist/test', 'dist/bench', 'node_modules', 'crates/heddle-core']) {
    assert.ok(!existsSync(join(installed, path)), path);
  }
});

test("README's plain JavaScript example runs with it", () => {
  const tasks = examples('ts').find((code) => code.includes('export const square')) ?? '';
  const main = examples('js').find((code) => code.includes('LocalCluster.start')) ?? '';
  // The types are all that makes the module of tasks TypeScript.
  writeFileSync(join(folder, 'tasks.js'), tasks.replaceAll(/: number(\[\])?/g, ''));
  writeFileSync(join(folder, 'main.js'), main);
  const { status, stdout, stderr } = node('main.js');
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^14\b/);
});

test('the command is there', () => {
  const { status, stdout } = node(join(installed, 'dist/daemon/main.js'), '--version');
  assert.equal(status, 0);
  const { version } = require(join(installed, 'package.json')) as { version: string };
  assert.equal(stdout.trim(), version);
});

test('without its addon it says so in one line', () => {
  const native = join(installed, 'dist/native');
  for (const name of readdirSync(native)) if (name.endsWith('.node')) rmSync(join(native, name));
  const command = node(join(installed, 'dist/daemon/main.js'), 'scheduler', '--port', '0');
  assert.notEqual(command.status, 0);
  assert.equal(command.stdout, '');
  assert.match(
    command.stderr,
    /^heddle: the native addon 'heddle' is not built .*npm run build.*\n$/,
  );

  const use =
    "import('heddle').then((h) => h.LocalCluster.start()).catch((e) => console.log(e.code))";
  assert.equal(node('-e', use).stdout.trim(), 'ERR_NATIVE_MISSING');
});
