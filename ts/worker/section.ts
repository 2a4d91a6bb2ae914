/**
 * Runs of records of a decoded Assign section, and how many bytes they take. Bounds were checked by
 * ts/wire.
 */
import { NO_PART, payloadBytes } from '../wire/columns.js';
import type { AssignSection } from '../wire/generated/tables.js';

const EMPTY = new Uint8Array(0);

/** Consecutive records of one section. */
export interface Run {
  readonly section: AssignSection;
  /** Payload part with row data and inline inputs; empty if there is none. */
  readonly payload: Uint8Array;
  readonly from: number;
  readonly to: number;
  /** Inputs of the records, as positions in the section's dep columns. */
  readonly depFrom: number;
  readonly depTo: number;
  /** Where the run's row data and inline inputs begin in the payload. */
  readonly dataAt: number;
  readonly depsAt: number;
  /** Inputs that are not inline; null: all are. */
  readonly held: HeldInputs | null;
}

/** A value another record made, or one part of it. */
export interface HeldValue {
  readonly codec: number;
  readonly bytes: Uint8Array;
}

/** Where the inputs of a run are, one entry per input. */
export interface HeldInputs {
  /** Position in `values`, {@link INLINE}, or {@link LOCAL} and a row. */
  readonly which: Uint32Array;
  readonly values: readonly HeldValue[];
}

/** In {@link HeldInputs.which}: the input's bytes travel with the run. */
export const INLINE = 0xffff_ffff;

/**
 * In {@link HeldInputs.which}, with a row of the lane's columns in the low bits: the input is the result of that row's
 * record, which the lane runs before.
 */
export const LOCAL = 0x8000_0000;

/** The payload part of a section. */
export function payloadOf(section: AssignSection, parts: readonly Uint8Array[]): Uint8Array {
  return section.part === NO_PART ? EMPTY : (parts[section.part] ?? EMPTY);
}

/** Bytes of row data of records `from` up to `to`. */
export function dataBytes(s: AssignSection, from: number, to: number): number {
  return payloadBytes(to - from, s.dataStride, s.dataSizes?.subarray(from, to), undefined);
}

/** Bytes of the inline inputs among inputs `from` up to `to`. */
export function inlineBytes(s: AssignSection, from: number, to: number): number {
  const sizes = s.depSizes?.subarray(from, to);
  return payloadBytes(to - from, s.depStride, sizes, s.depProcs?.subarray(from, to));
}

/** A whole section as one run of `deps` inputs, all of them inline. */
export function wholeRun(section: AssignSection, payload: Uint8Array): Run {
  return {
    section,
    payload,
    from: 0,
    to: section.count,
    depFrom: 0,
    depTo: section.depIndices?.length ?? 0,
    dataAt: section.dataOffset,
    depsAt: section.depOffset,
    held: null,
  };
}

/** Records `from` up to `to` of a run, as positions in its section. */
export function sliceRun(run: Run, from: number, to: number): Run {
  const { section } = run;
  const depsIn = (a: number, b: number): number => {
    let deps = 0;
    for (let k = a; k < b; k++) deps += section.depCounts?.[k] ?? 0;
    return deps;
  };
  const depFrom = run.depFrom + depsIn(run.from, from);
  const depTo = to === run.to ? run.depTo : depFrom + depsIn(from, to);
  const held = run.held;
  return {
    section,
    payload: run.payload,
    from,
    to,
    depFrom,
    depTo,
    dataAt: run.dataAt + dataBytes(section, run.from, from),
    depsAt: run.depsAt + inlineBytes(section, run.depFrom, depFrom),
    held: held && {
      which: held.which.subarray(depFrom - run.depFrom, depTo - run.depFrom),
      values: held.values,
    },
  };
}
