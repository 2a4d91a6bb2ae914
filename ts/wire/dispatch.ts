// Dispatch messages between scheduler and workers. Columns come as views of the frame: a section of 256 records is
// read in the time of one. Absent columns are `undefined` and mean what the schema says.
import { checkCount, checkEnum, checkPayload, equalLengths, payloadBytes } from './columns.js';
import { WireError } from './error.js';
import { assembleFrame, type Frame, type FrameParts, readBody } from './frame.js';
import { Codec, Home, Kind, LaneState, Outcome } from './generated/enums.js';
import * as tables from './generated/tables.js';
import type { Draft } from './reader.js';

export const encodePeers = (epoch: number, message: Draft<tables.Peers>): FrameParts =>
  assembleFrame(Kind.Peers, epoch, tables.writePeers, message);
export const decodePeers = (frame: Frame): tables.Peers =>
  readBody(frame, Kind.Peers, tables.readPeers);

export const encodeDefineLayer = (epoch: number, message: Draft<tables.DefineLayer>): FrameParts =>
  assembleFrame(Kind.DefineLayer, epoch, tables.writeDefineLayer, message);
export const decodeDefineLayer = (frame: Frame): tables.DefineLayer =>
  readBody(frame, Kind.DefineLayer, tables.readDefineLayer);

/** @param payload row data and inline inputs, by the sections' `part` */
export const encodeAssign = (
  epoch: number,
  message: Draft<tables.Assign>,
  payload: readonly Uint8Array[] = [],
): FrameParts => assembleFrame(Kind.Assign, epoch, tables.writeAssign, message, payload);

export function decodeAssign(frame: Frame): tables.Assign {
  const message = readBody(frame, Kind.Assign, tables.readAssign);
  for (const section of message.sections) checkAssignSection(section, frame.payload);
  return message;
}

function checkAssignSection(section: tables.AssignSection, payload: readonly Uint8Array[]): void {
  const table = 'AssignSection';
  const { count, indices, attempts, functions, priorities, resourceClasses, flags } = section;
  const { timeoutsMs, dataSizes, depCounts } = section;
  checkCount(table, indices === undefined ? section.first : 0, count);
  equalLengths(table, count, { indices, attempts, functions, priorities, resourceClasses, flags });
  equalLengths(table, count, { timeoutsMs, dataSizes, depCounts });
  const { depSerials, depIndices, depAttempts, depParts, depProcs, depCodecs, depSizes } = section;
  let deps = 0;
  if (depCounts !== undefined) for (let i = 0; i < count; i++) deps += depCounts[i] as number;
  equalLengths(table, deps, {
    depSerials,
    depIndices,
    depAttempts,
    depParts,
    depProcs,
    depCodecs,
    depSizes,
  });
  if (deps > 0 && depIndices === undefined) throw new WireError(`${table}.depIndices is absent`);
  checkEnum(table, 'depCodecs', depCodecs, Codec.Args);
  const { part, dataOffset, dataStride, depOffset, depStride } = section;
  checkPayload(
    table,
    payload,
    part,
    dataOffset,
    payloadBytes(count, dataStride, dataSizes, undefined),
  );
  checkPayload(table, payload, part, depOffset, payloadBytes(deps, depStride, depSizes, depProcs));
}

export const encodeRetract = (epoch: number, message: Draft<tables.Retract>): FrameParts =>
  assembleFrame(Kind.Retract, epoch, tables.writeRetract, message);

export function decodeRetract(frame: Frame): tables.Retract {
  const message = readBody(frame, Kind.Retract, tables.readRetract);
  for (const { indices, attempts } of message.sections) {
    equalLengths('RetractSection', indices?.length ?? 0, { attempts });
  }
  return message;
}

export const encodeFree = (epoch: number, message: Draft<tables.Free>): FrameParts =>
  assembleFrame(Kind.Free, epoch, tables.writeFree, message);

export function decodeFree(frame: Frame): tables.Free {
  const message = readBody(frame, Kind.Free, tables.readFree);
  const { serials, starts, counts, attempts } = message;
  equalLengths('Free', serials?.length ?? 0, { starts, counts, attempts });
  if (serials !== undefined && (starts === undefined || counts === undefined)) {
    throw new WireError('Free: a column is absent');
  }
  return message;
}

export const encodeForget = (epoch: number, message: Draft<tables.Forget>): FrameParts =>
  assembleFrame(Kind.Forget, epoch, tables.writeForget, message);
export const decodeForget = (frame: Frame): tables.Forget =>
  readBody(frame, Kind.Forget, tables.readForget);

/** @param payload results of the sections, by their `part` */
export const encodeDone = (
  epoch: number,
  message: Draft<tables.Done>,
  payload: readonly Uint8Array[] = [],
): FrameParts => assembleFrame(Kind.Done, epoch, tables.writeDone, message, payload);

export function decodeDone(frame: Frame): tables.Done {
  const message = readBody(frame, Kind.Done, tables.readDone);
  for (const section of message.sections) checkDoneSection(section, frame.payload);
  return message;
}

function checkDoneSection(section: tables.DoneSection, payload: readonly Uint8Array[]): void {
  const table = 'DoneSection';
  const { count, indices, attempts, codecs, sizes, homes, durationsUs } = section;
  checkCount(table, indices === undefined ? section.first : 0, count);
  equalLengths(table, count, { indices, attempts, codecs, sizes, homes, durationsUs });
  checkEnum(table, 'codecs', codecs, Codec.Args);
  checkEnum(table, 'homes', homes, Home.Stored);
  checkPayload(
    table,
    payload,
    section.part,
    section.offset,
    payloadBytes(count, section.stride, sizes, homes),
  );
  const { missingSerials, missingIndices, missingProcs } = section;
  equalLengths(table, count, { missingSerials, missingIndices, missingProcs });
  const named =
    missingSerials !== undefined && missingIndices !== undefined && missingProcs !== undefined;
  if (section.outcome === Outcome.MissingInput && !named)
    throw new WireError(`${table}: the missing inputs are not named`);
}

export const encodeLanes = (epoch: number, message: Draft<tables.Lanes>): FrameParts =>
  assembleFrame(Kind.Lanes, epoch, tables.writeLanes, message);

export function decodeLanes(frame: Frame): tables.Lanes {
  const message = readBody(frame, Kind.Lanes, tables.readLanes);
  const { lanes, laneEpochs, states } = message;
  equalLengths('Lanes', lanes?.length ?? 0, { laneEpochs, states });
  checkEnum('Lanes', 'states', states, LaneState.Lost);
  return message;
}
