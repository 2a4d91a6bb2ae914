// `tsc -b` over the library and, when asked, its tests and benchmarks.
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { must, root, say } from './process.mjs';
import { filesUnder, Stamp } from './stamp.mjs';

/** Projects in the order of their references. */
const REFERENCES = { ts: [], test: ['ts', 'bench'], bench: ['ts'] };

/** Those of `projects` whose sources have changed since they were last compiled. */
export function staleProjects(projects) {
  return projects
    .map((project) => {
      const source = (file) => /\.(ts|json)$/.test(file) && !file.startsWith('ts/build/');
      const folders = [...REFERENCES[project], project];
      const files = ['package.json', ...folders.flatMap((folder) => filesUnder(folder, source))];
      const output = project === 'ts' ? 'dist/.tsbuildinfo' : `dist/${project}/.tsbuildinfo`;
      return { project, stamp: new Stamp(`tsc-${project}`, files, [output]) };
    })
    .filter(({ stamp }) => !stamp.fresh());
}

/** Compiles the projects given. */
export async function compile(stale) {
  const projects = stale.map(({ project }) => project);
  say(`compiling ${projects.join(', ')}`);
  const tsc = join(root, 'node_modules/typescript/lib/tsc.js');
  await must('the TypeScript code does not compile', process.execPath, [tsc, '-b', ...projects]);
  const cli = join(root, 'dist/daemon/main.js');
  if (existsSync(cli)) chmodSync(cli, 0o755);
  for (const { stamp } of stale) stamp.note();
}
