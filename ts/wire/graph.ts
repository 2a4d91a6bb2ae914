// Graph messages, client to scheduler, and the scheduler's answers.
import { checkPayload, equalLengths, NO_PART, payloadBytes } from './columns.js';
import { WireError } from './error.js';
import { assembleFrame, type Frame, type FrameParts, readBody } from './frame.js';
import { Kind } from './generated/enums.js';
import { LAYERS_PER_SUBMIT_MAX } from './generated/limits.js';
import * as tables from './generated/tables.js';
import type { Draft } from './reader.js';

/** Want, Release, Cancel and Gather share one shape. */
export type DemandKind =
  | typeof Kind.Want
  | typeof Kind.Release
  | typeof Kind.Cancel
  | typeof Kind.Gather;

export const encodeDefineFunction = (
  epoch: number,
  message: Draft<tables.DefineFunction>,
): FrameParts => assembleFrame(Kind.DefineFunction, epoch, tables.writeDefineFunction, message);

export function decodeDefineFunction(frame: Frame): tables.DefineFunction {
  const message = readBody(frame, Kind.DefineFunction, tables.readDefineFunction);
  if (message.hash?.length !== 32) throw new WireError('DefineFunction.hash is not 32 bytes');
  return message;
}

/** @param payload row data of the layers, by their `dataPart` */
export const encodeSubmit = (
  epoch: number,
  message: Draft<tables.Submit>,
  payload: readonly Uint8Array[] = [],
): FrameParts => assembleFrame(Kind.Submit, epoch, tables.writeSubmit, message, payload);

export function decodeSubmit(frame: Frame): tables.Submit {
  const message = readBody(frame, Kind.Submit, tables.readSubmit);
  if (message.layers.length > LAYERS_PER_SUBMIT_MAX) {
    throw new WireError(`Submit.layers has ${message.layers.length} elements`);
  }
  for (const layer of message.layers) checkLayer(layer, frame.payload);
  return message;
}

/** @param payload row data of the layers, by their `dataPart` */
export const encodeTemplate = (
  epoch: number,
  message: Draft<tables.Template>,
  payload: readonly Uint8Array[],
): FrameParts => assembleFrame(Kind.Template, epoch, tables.writeTemplate, message, payload);

/** @param payload the values of the parameters, if they take any bytes */
export const encodeInstantiate = (
  epoch: number,
  message: Draft<tables.Instantiate>,
  payload: readonly Uint8Array[],
): FrameParts => assembleFrame(Kind.Instantiate, epoch, tables.writeInstantiate, message, payload);

export const encodeDropTemplate = (
  epoch: number,
  message: Draft<tables.DropTemplate>,
): FrameParts => assembleFrame(Kind.DropTemplate, epoch, tables.writeDropTemplate, message);

function checkLayer(layer: tables.Layer, payload: readonly Uint8Array[]): void {
  const { tasks, dataSizes, depOffsets, depLayers, depIndices, depParts } = layer;
  const { functions, priorities, rowRetries, rowTimeoutsMs, keyRows } = layer;
  equalLengths('Layer', tasks, { dataSizes, functions, priorities, rowRetries, rowTimeoutsMs });
  equalLengths('Layer', tasks + 1, { depOffsets });
  equalLengths('Layer', depOffsets?.[tasks] ?? 0, { depLayers, depIndices, depParts });
  equalLengths('Layer', layer.keys.length, { keyRows });
  for (let i = 0; depOffsets !== undefined && i < tasks; i++) {
    if ((depOffsets[i] as number) > (depOffsets[i + 1] as number)) {
      throw new WireError(`Layer.depOffsets[${i}] is larger than the next`);
    }
  }
  const part = layer.dataPart;
  const bytes = part === NO_PART ? 0 : payloadBytes(tasks, layer.dataStride, dataSizes, undefined);
  checkPayload('Layer', payload, part, 0, bytes);
}

export const encodeAccepted = (epoch: number, message: Draft<tables.Accepted>): FrameParts =>
  assembleFrame(Kind.Accepted, epoch, tables.writeAccepted, message);

export function decodeAccepted(frame: Frame): tables.Accepted {
  const message = readBody(frame, Kind.Accepted, tables.readAccepted);
  const { layers, serials } = message;
  equalLengths('Accepted', layers?.length ?? 0, { layers, serials });
  if (layers !== undefined && serials === undefined)
    throw new WireError('Accepted.serials is absent');
  return message;
}

export const encodeRefused = (epoch: number, message: Draft<tables.Refused>): FrameParts =>
  assembleFrame(Kind.Refused, epoch, tables.writeRefused, message);
export const decodeRefused = (frame: Frame): tables.Refused =>
  readBody(frame, Kind.Refused, tables.readRefused);

export const encodeDemand = (
  kind: DemandKind,
  epoch: number,
  message: Draft<tables.Demand>,
): FrameParts => assembleFrame(kind, epoch, tables.writeDemand, message);

export function decodeDemand(frame: Frame): tables.Demand {
  const { kind } = frame;
  if (kind !== Kind.Want && kind !== Kind.Release && kind !== Kind.Cancel && kind !== Kind.Gather) {
    throw new WireError(`kind ${kind} where a demand was expected`);
  }
  const message = readBody(frame, kind, tables.readDemand);
  const { layers, starts, counts } = message;
  equalLengths('Demand', layers?.length ?? 0, { starts, counts });
  if (layers !== undefined && (starts === undefined || counts === undefined)) {
    throw new WireError('Demand: a column is absent');
  }
  return message;
}
