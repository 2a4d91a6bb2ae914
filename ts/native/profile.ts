/**
 * Profiles the Rust half of this process from the first scheduler or replay on, where the environment asks for it:
 * `HEDDLE_PROFILE` names the folder that `heddle profile` made.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { flameGraph } from '../diagnostics/flame_graph.js';

/** The environment's name for the folder. */
export const PROFILE_FOLDER = 'HEDDLE_PROFILE';

/** What samples. */
export interface Sampler {
  profileStart(): void;
  /** Ends it; gives folded stacks. */
  profileStop(): string;
}

let begun = false;

/** Begins to sample, once, if asked to; what was found is written when the process exits. */
export function profileIfAsked(sampler: Sampler): void {
  const folder = process.env[PROFILE_FOLDER];
  if (begun || folder === undefined || folder === '') return;
  begun = true;
  sampler.profileStart();
  process.once('exit', () => {
    const folded = sampler.profileStop();
    const file = join(folder, `rust-${process.pid}`);
    writeFileSync(`${file}.folded`, folded);
    writeFileSync(`${file}.svg`, flameGraph(folded, `Heddle's Rust half, process ${process.pid}`));
  });
}
