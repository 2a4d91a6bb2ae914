/** What the flights example prints. */
import type { Table } from 'apache-arrow';
import type { Stages } from './meter.js';

/** The result, as `--json` prints it. */
export interface Report {
  readonly rows: number;
  readonly partitions: number;
  readonly by: string;
  readonly tasks: number;
  readonly bytesBetweenWorkers: number;
  /** Wall time from opening the input to the last file written. */
  readonly seconds: number;
  readonly verified: boolean;
  /** Folder of the files; `null` when the proof failed and they were removed. */
  readonly output: string | null;
  readonly stages: Stages;
}

const QUESTIONS: readonly [keyof Stages, string][] = [
  ['describe', 'where the graph is generated'],
  ['communicate', 'how it reaches the scheduler'],
  ['process', 'how it is processed'],
  ['dispatch', 'how tasks reach workers'],
  ['compute', 'your code'],
];

const grouped = (value: number): string => value.toLocaleString('en-US');

/** The report in words. */
export function describeReport(report: Report): string {
  const { rows, partitions, by, tasks, bytesBetweenWorkers, seconds, stages } = report;
  const megabytes = (bytesBetweenWorkers / 1e6).toFixed(1);
  const lines = [
    `${grouped(rows)} rows ordered by ${by} in ${partitions} partitions, written in ${seconds.toFixed(2)} s`,
    `${grouped(tasks)} tasks; ${megabytes} MB crossed between workers`,
    'CPU seconds, all processes:',
    ...QUESTIONS.map(
      ([stage, question]) =>
        `  ${stage.padEnd(12)} ${stages[stage].toFixed(3).padStart(8)}   ${question}`,
    ),
    report.verified
      ? 'verified by DuckDB: same rows as the input, in order, equal keys together'
      : 'NOT VERIFIED',
  ];
  if (report.output !== null) lines.push(`files: ${report.output}`);
  return lines.join('\n');
}

/** Rows of a table in aligned columns. */
export function describeRows(table: Table): string {
  const names = table.schema.fields.map((field) => field.name);
  const isTime = table.schema.fields.map((field) => /^(Timestamp|Date)/.test(String(field.type)));
  const cells = table.toArray().map((row: Record<string, unknown>) =>
    names.map((column, i) => {
      const value = row[column];
      if (value === null || value === undefined) return 'null';
      return isTime[i] === true
        ? new Date(Number(value)).toISOString().replace('T', ' ').slice(0, 16)
        : String(value);
    }),
  );
  const widths = names.map((column, i) =>
    Math.max(column.length, ...cells.map((row: string[]) => (row[i] as string).length)),
  );
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => cell.padStart(widths[i] as number)).join('  ');
  return [line(names), ...cells.map(line)].join('\n');
}
