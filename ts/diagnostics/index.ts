// What users import of the diagnostics.
export {
  type Advice,
  type Cost,
  Explanation,
  type ExplanationData,
  type Questions,
} from './explanation.js';
export type { HistogramData } from './histogram.js';
export type { LargeArgument } from './large_arguments.js';
export type { StageHistograms } from './snapshot.js';
