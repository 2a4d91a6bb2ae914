// `heddle profile` and `heddle trace` on a real script: the files are there and say what they should.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { temporaryFolder } from './support.js';

const HEDDLE = fileURLToPath(new URL('../../daemon/main.js', import.meta.url));
const SCRIPT = fileURLToPath(new URL('scripts/profiled.js', import.meta.url));
const run = promisify(execFile);

test('heddle profile writes a profile of every thread and a flame graph', async () => {
  using folder = temporaryFolder();
  const output = join(folder.path, 'profiles');
  const { stdout } = await run(process.execPath, [
    ...[HEDDLE, 'profile', '--output', output, '--', SCRIPT],
  ]);
  const files = readdirSync(output);
  const ending = (end: string): string[] => files.filter((file) => file.endsWith(end));
  // The client with its scheduler, and the worker.
  assert.ok(ending('.cpuprofile').length >= 2, files.join(' '));
  for (const file of ending('.cpuprofile')) {
    const { nodes } = JSON.parse(readFileSync(join(output, file), 'utf8')) as { nodes: unknown[] };
    assert.ok(nodes.length > 0, file);
  }
  const [folded] = ending('.folded');
  const stacks = readFileSync(join(output, folded as string), 'utf8');
  assert.match(stacks, /^heddle-sched;.*heddle_\w+::.* \d+$/m);
  assert.equal(ending('.svg').length, 1);
  assert.match(readFileSync(join(output, ending('.svg')[0] as string), 'utf8'), /^<svg .*<\/svg>/s);
  for (const file of files) assert.ok(stdout.includes(file), `${file} is not listed`);
});

test('heddle trace writes the trace of a script', async () => {
  using folder = temporaryFolder();
  const output = join(folder.path, 'trace.json');
  const { stdout } = await run(process.execPath, [
    ...[HEDDLE, 'trace', '--output', output, '--', SCRIPT],
  ]);
  assert.match(stdout, /^300000 tasks in .*trace\.json\nOpen it at https:\/\/ui\.perfetto\.dev/);
  const none = run(process.execPath, [
    ...[HEDDLE, 'trace', '--output', `${output}.none`, '--', process.execPath, '--version'],
  ]);
  await assert.rejects(none, { stderr: /no trace came.*\[ERR_FILE_MISSING\]/ });
});

test('what cannot be run is named', async () => {
  const nothing = run(process.execPath, [HEDDLE, 'trace', '--', './no-such-command']);
  await assert.rejects(nothing, { stderr: /no-such-command cannot be run.*\[ERR_FILE_MISSING\]/ });
});
