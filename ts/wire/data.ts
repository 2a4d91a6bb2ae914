// Messages of the data sockets, where values over the inline limit move. Epoch is the scheduler's, so that a value
// of another epoch is never mistaken for one of this.
import { checkEnum, checkPayload, equalLengths } from './columns.js';
import { WireError } from './error.js';
import { assembleFrame, type Frame, type FrameParts, readBody } from './frame.js';
import { Codec, Kind } from './generated/enums.js';
import { CHUNK_BYTES_MAX, RECORDS_PER_SECTION_MAX } from './generated/limits.js';
import * as tables from './generated/tables.js';
import type { Draft } from './reader.js';

/** Where the next chunk begins in payload part 0 of a Data frame. */
export const nextChunk = (end: number): number => (end + 7) & ~7;

export const encodeFetch = (epoch: number, message: Draft<tables.Fetch>): FrameParts =>
  assembleFrame(Kind.Fetch, epoch, tables.writeFetch, message);

export function decodeFetch(frame: Frame): tables.Fetch {
  const message = readBody(frame, Kind.Fetch, tables.readFetch);
  const { serials, indices, attempts, parts, offsets } = message;
  const items = serials?.length ?? 0;
  if (items === 0 || items > RECORDS_PER_SECTION_MAX)
    throw new WireError(`Fetch names ${items} values`);
  equalLengths('Fetch', items, { indices, attempts, parts, offsets });
  if (indices === undefined) throw new WireError('Fetch.indices is absent');
  return message;
}

/** @param payload one part that holds the chunks, each at the next multiple of 8; none if nothing is held */
export const encodeData = (
  epoch: number,
  message: Draft<tables.Data>,
  payload: readonly Uint8Array[] = [],
): FrameParts => assembleFrame(Kind.Data, epoch, tables.writeData, message, payload);

export function decodeData(frame: Frame): tables.Data {
  const message = readBody(frame, Kind.Data, tables.readData);
  const { items, codecs, offsets, sizes, totals } = message;
  const chunks = items?.length ?? 0;
  equalLengths('Data', chunks, { codecs, offsets, sizes, totals });
  if (chunks > 0 && (codecs === undefined || sizes === undefined || totals === undefined)) {
    throw new WireError('Data: a column is absent');
  }
  checkEnum('Data', 'codecs', codecs, Codec.Args);
  let end = 0;
  for (let i = 0; i < chunks; i++) {
    const size = sizes?.[i] as number;
    if ((offsets?.[i] ?? 0) + size > (totals?.[i] as number)) {
      throw new WireError(`Data: chunk ${i} ends beyond its value`);
    }
    checkPayload('Data', frame.payload, 0, nextChunk(end), size);
    end = nextChunk(end) + size;
  }
  return message;
}

/** @param chunk at most CHUNK_BYTES_MAX bytes of the value */
export const encodePut = (
  epoch: number,
  message: Draft<tables.Put>,
  chunk: Uint8Array,
): FrameParts => assembleFrame(Kind.Put, epoch, tables.writePut, message, [chunk]);

export function decodePut(frame: Frame): tables.Put {
  const message = readBody(frame, Kind.Put, tables.readPut);
  const chunk = frame.payload[0];
  if (chunk === undefined) throw new WireError('Put: the chunk is absent');
  if (chunk.byteLength > CHUNK_BYTES_MAX) {
    throw new WireError(`Put: a chunk of ${chunk.byteLength} bytes`);
  }
  if (message.offset + chunk.byteLength > message.total)
    throw new WireError('Put: the chunk ends beyond its value');
  return message;
}

export const encodePutReply = (epoch: number, message: Draft<tables.PutReply>): FrameParts =>
  assembleFrame(Kind.PutReply, epoch, tables.writePutReply, message);
export const decodePutReply = (frame: Frame): tables.PutReply =>
  readBody(frame, Kind.PutReply, tables.readPutReply);
