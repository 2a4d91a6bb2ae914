// What clients are told of their rows.
import { checkEnum, checkPayload, equalLengths, payloadBytes } from './columns.js';
import { WireError } from './error.js';
import { assembleFrame, type Frame, type FrameParts, readBody } from './frame.js';
import { Codec, Home, Kind } from './generated/enums.js';
import { TASKS_PER_LAYER_MAX } from './generated/limits.js';
import * as tables from './generated/tables.js';
import type { Draft } from './reader.js';

/** @param payload values and error texts of the sections, by their `part` */
export const encodeUpdate = (
  epoch: number,
  message: Draft<tables.Update>,
  payload: readonly Uint8Array[] = [],
): FrameParts => assembleFrame(Kind.Update, epoch, tables.writeUpdate, message, payload);

export function decodeUpdate(frame: Frame): tables.Update {
  const message = readBody(frame, Kind.Update, tables.readUpdate);
  for (const section of message.sections) checkUpdateSection(section, frame.payload);
  return message;
}

/** Rows an update section speaks of: the sum of its runs. */
export function rowsOf(section: tables.UpdateSection): number {
  const counts = section.counts;
  let rows = 0;
  if (counts !== undefined) for (let i = 0; i < counts.length; i++) rows += counts[i] as number;
  return rows;
}

function checkUpdateSection(section: tables.UpdateSection, payload: readonly Uint8Array[]): void {
  const table = 'UpdateSection';
  const { starts, counts, codecs, sizes, homes, procs, attempts, blameSerials, blameIndices } =
    section;
  equalLengths(table, starts?.length ?? 0, { starts, counts });
  if (starts === undefined || counts === undefined)
    throw new WireError(`${table}: the runs are absent`);
  for (let i = 0; i < starts.length; i++) {
    const end = (starts[i] as number) + (counts[i] as number);
    if (end > TASKS_PER_LAYER_MAX) throw new WireError(`${table}: run ${i} ends at row ${end}`);
  }
  const rows = rowsOf(section);
  equalLengths(table, rows, { codecs, sizes, homes, procs, attempts, blameSerials, blameIndices });
  checkEnum(table, 'codecs', codecs, Codec.Args);
  checkEnum(table, 'homes', homes, Home.Stored);
  checkPayload(
    table,
    payload,
    section.part,
    section.offset,
    payloadBytes(rows, section.stride, sizes, homes),
  );
}

export const encodeCredit = (epoch: number, message: Draft<tables.Credit>): FrameParts =>
  assembleFrame(Kind.Credit, epoch, tables.writeCredit, message);
export const decodeCredit = (frame: Frame): tables.Credit =>
  readBody(frame, Kind.Credit, tables.readCredit);
