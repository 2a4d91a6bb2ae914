/** All cases, in the order of the report. */
import type { Case } from '../harness.js';
import { E2E_CASES } from './e2e.js';
import { NATIVE_CASES } from './engine.js';
import { FLOOR_CASES } from './floors.js';
import { GROWTH_CASES } from './growth.js';
import { memory } from './memory.js';
import { METG_CASES } from './metg.js';
import { piscina, poolifier } from './peers.js';
import { shuffle } from './shuffle.js';
import { SUBMIT_CASES } from './submit.js';
import { ZERO_CASES } from './zero.js';

/** Every case `--only` can name. */
export const CASES: readonly Case[] = [
  ...NATIVE_CASES,
  ...SUBMIT_CASES,
  ...ZERO_CASES,
  ...GROWTH_CASES,
  ...E2E_CASES,
  ...METG_CASES,
  ...FLOOR_CASES,
  piscina,
  poolifier,
  shuffle,
  memory,
];
