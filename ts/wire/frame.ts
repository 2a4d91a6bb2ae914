// Frames: ZeroMQ multiparts of [header | FlatBuffer][payload part …].
import { WireError } from './error.js';
import type { Kind } from './generated/enums.js';
import { CONTROL_FRAME_BYTES_MAX, HEADER_BYTES } from './generated/limits.js';
import { frameCrc, readHeader, writeHeader } from './header.js';
import { Reader } from './reader.js';
import { Writer } from './writer.js';

/** A received frame whose header was checked; the body has not been read. */
export interface Frame {
  readonly kind: Kind;
  /** The scheduler's epoch; 0 in Hello. */
  readonly epoch: number;
  /** The FlatBuffer; starts at a multiple of 8 in its ArrayBuffer. */
  readonly body: Uint8Array;
  readonly payload: readonly Uint8Array[];
}

/** A frame ready to send: part 0 and the payload parts. */
export type FrameParts = Uint8Array[];

/**
 * Checks the header (and the CRC, if there is one) of a received multipart.
 * @param parts as received, without routing ids; small received buffers share memory and may be misaligned, so
 *   part 0 is copied if it is
 * @throws WireError
 */
export function splitFrame(parts: readonly Uint8Array[]): Frame {
  const first = parts[0];
  if (first === undefined) throw new WireError('an empty message');
  const header = readHeader(first);
  if (header.payloadParts !== parts.length - 1) {
    throw new WireError(
      `${parts.length - 1} payload parts, the header says ${header.payloadParts}`,
    );
  }
  for (const part of parts) {
    if (part.byteLength > CONTROL_FRAME_BYTES_MAX)
      throw new WireError(`a part of ${part.byteLength} bytes`);
  }
  if (header.crc !== undefined && header.crc !== frameCrc(parts))
    throw new WireError('the CRC does not match');
  return { kind: header.kind, epoch: header.epoch, body: bodyOf(first), payload: parts.slice(1) };
}

/** The FlatBuffer as a plain Uint8Array at a multiple of 8: a view if it is, else a copy. */
function bodyOf(first: Uint8Array): Uint8Array {
  const source = first.byteOffset % 8 === 0 ? first : new Uint8Array(first);
  return new Uint8Array(
    source.buffer,
    source.byteOffset + HEADER_BYTES,
    source.byteLength - HEADER_BYTES,
  );
}

// Size of the last body of each kind: the next one's first allocation.
const sizeHints = new Uint32Array(256).fill(512);

/** Builds a frame of one root table. */
export function assembleFrame<T>(
  kind: Kind,
  epoch: number,
  write: (writer: Writer, message: T) => number,
  message: T,
  payload: readonly Uint8Array[] = [],
): FrameParts {
  const writer = new Writer(sizeHints[kind]);
  const first = writer.finish(write(writer, message));
  // A little more than the last one took: a steady stream then needs no growth copy.
  sizeHints[kind] = Math.min(65_536, first.byteLength + (first.byteLength >> 3) + 64);
  writeHeader(first, kind, epoch, payload.length);
  return [first, ...payload];
}

/** Reads the root table of a frame of the expected kind. */
export function readBody<T>(frame: Frame, kind: Kind, read: (reader: Reader, at: number) => T): T {
  if (frame.kind !== kind) throw new WireError(`kind ${frame.kind} where ${kind} was expected`);
  const reader = new Reader(frame.body);
  return read(reader, reader.root());
}
