/** `heddle replay`: repeats a recorded run offline, timed by stage. */
import process from 'node:process';
import { PACKAGE_VERSION } from '../client/version.js';
import { formatBytes, formatMicros } from '../diagnostics/format.js';
import { HeddleError } from '../errors/index.js';
import { type ReplayReport, replayRecord } from '../native/index.js';

/** Parsed options of the command. */
export interface ReplayCommand {
  /** How often to replay. */
  readonly repeat: number;
  /** Print one JSON object per replay. */
  readonly json: boolean;
}

/**
 * Replays a record and prints what came of it.
 *
 * @throws HeddleError what `replayRecord` throws; `ERR_RECORD_DIVERGED` too if two replays differ.
 */
export async function runReplay(file: string, { repeat, json }: ReplayCommand): Promise<void> {
  let first: ReplayReport | undefined;
  for (let i = 0; i < repeat; i++) {
    const report = await replayRecord(file, PACKAGE_VERSION);
    first ??= report;
    if (report.digest !== first.digest) {
      throw new HeddleError(
        'ERR_RECORD_DIVERGED',
        `two replays of ${file} differ: ${first.digest} and ${report.digest}`,
      );
    }
    process.stdout.write(`${json ? JSON.stringify(report) : textOf(report)}\n`);
  }
}

function textOf(report: ReplayReport): string {
  const { events, frames, turns, tasksCompleted, tasksFailed, bytes, digest } = report;
  const stages: [string, number][] = [
    ['read', report.readNs],
    ['decode', report.decodeNs],
    ['apply', report.applyNs],
    ['encode', report.encodeNs],
  ];
  const tasks = Math.max(1, tasksCompleted + tasksFailed);
  return [
    `digest ${digest}, as recorded`,
    `${events} events (${frames} frames, ${formatBytes(bytes)}) in ${turns} turns; ${tasksCompleted} tasks completed, ${tasksFailed} failed`,
    ...stages.map(
      ([name, ns]) =>
        `  ${name.padEnd(8)}${formatMicros(ns / 1e3).padStart(10)}${`${formatMicros(ns / 1e3 / tasks)}/task`.padStart(16)}`,
    ),
  ].join('\n');
}
