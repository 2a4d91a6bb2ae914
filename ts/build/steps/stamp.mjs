// Stamps: a step is fresh while the hash of all it reads equals the one noted when it last succeeded.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { root } from './process.mjs';

/**
 * Files under `path` (itself, when it is a file) that `keep` accepts, relative to the root, sorted.
 * Folders of tools and outputs are never entered.
 */
export function filesUnder(path, keep = () => true) {
  const full = join(root, path);
  if (!existsSync(full)) return [];
  const found = [];
  const walk = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const name = `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!['node_modules', 'target', 'dist'].includes(entry.name)) walk(name);
      } else if (keep(name)) found.push(name);
    }
  };
  if (existsSync(join(full, '.'))) walk(path);
  else found.push(path);
  return found.sort();
}

/** A step's stamp: `fresh()` compares, `note()` writes. Its file lies in `dist`, the thing it speaks of. */
export class Stamp {
  /**
   * @param {string} name
   * @param {string[]} files what the step reads, relative to the root
   * @param {string[]} outputs what it leaves, relative to the root
   */
  constructor(name, files, outputs) {
    this.path = join(root, 'dist/.stamps', name);
    this.outputs = outputs;
    // Another Node or platform needs other outputs.
    const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`);
    for (const file of files)
      hash
        .update(`${file}\n`)
        .update(readFileSync(join(root, file)))
        .update('\n');
    this.hash = hash.digest('hex');
  }

  fresh() {
    return (
      this.outputs.every((output) => existsSync(join(root, output))) &&
      existsSync(this.path) &&
      readFileSync(this.path, 'utf8') === this.hash
    );
  }

  note() {
    mkdirSync(dirname(this.path), { recursive: true });
    writeFileSync(this.path, this.hash);
  }
}
