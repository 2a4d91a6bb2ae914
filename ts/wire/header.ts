// The 16 bytes before every FlatBuffer, little-endian:
// u16 magic @0 | u8 major @2 | u8 minor @3 | u8 kind @4 | u8 flags @5 | u16 payload parts @6 | u32 epoch @8 |
// u32 crc32 @12 (over the FlatBuffer, then the payload parts; meant if flag bit 0 is set).
import { crc32 } from 'node:zlib';
import { WireError } from './error.js';
import { Kind } from './generated/enums.js';
import {
  HEADER_BYTES,
  HEADER_MAGIC,
  PAYLOAD_PARTS_MAX,
  PROTOCOL_MAJOR,
  PROTOCOL_MINOR,
} from './generated/limits.js';

const FLAG_CRC = 1;
const KNOWN_KINDS = new Uint8Array(256);
for (const kind of Object.values(Kind)) KNOWN_KINDS[kind] = 1;
const isKind = (kind: number): kind is Kind => KNOWN_KINDS[kind] === 1;

/** What a header says. */
export interface Header {
  readonly kind: Kind;
  /** The scheduler's epoch; 0 in Hello. */
  readonly epoch: number;
  readonly payloadParts: number;
  /** Absent if the frame carries none. */
  readonly crc: number | undefined;
}

/** Fills the first HEADER_BYTES of `part`. */
export function writeHeader(
  part: Uint8Array,
  kind: Kind,
  epoch: number,
  payloadParts: number,
): void {
  if (payloadParts > PAYLOAD_PARTS_MAX) throw new WireError(`${payloadParts} payload parts`);
  part[0] = HEADER_MAGIC & 0xff;
  part[1] = HEADER_MAGIC >> 8;
  part[2] = PROTOCOL_MAJOR;
  part[3] = PROTOCOL_MINOR;
  part[4] = kind;
  part[5] = 0;
  part[6] = payloadParts & 0xff;
  part[7] = payloadParts >> 8;
  putU32(part, 8, epoch);
  putU32(part, 12, 0);
}

/**
 * Reads and checks the header of `part`.
 * @throws WireError ERR_PROTOCOL_VERSION for another major version, ERR_PROTOCOL for anything else
 */
export function readHeader(part: Uint8Array): Header {
  if (part.length < HEADER_BYTES) throw new WireError(`a frame of ${part.length} bytes`);
  if (byteAt(part, 0) + (byteAt(part, 1) << 8) !== HEADER_MAGIC) {
    throw new WireError('not a Heddle frame');
  }
  const major = byteAt(part, 2);
  if (major !== PROTOCOL_MAJOR) {
    throw new WireError(
      `protocol version ${major}, this side speaks ${PROTOCOL_MAJOR}`,
      'ERR_PROTOCOL_VERSION',
    );
  }
  const kind = byteAt(part, 4);
  if (!isKind(kind)) throw new WireError(`unknown kind ${kind}`);
  const payloadParts = byteAt(part, 6) + (byteAt(part, 7) << 8);
  if (payloadParts > PAYLOAD_PARTS_MAX) throw new WireError(`${payloadParts} payload parts`);
  const hasCrc = (byteAt(part, 5) & FLAG_CRC) !== 0;
  return { kind, epoch: u32At(part, 8), payloadParts, crc: hasCrc ? u32At(part, 12) : undefined };
}

/** CRC-32 of a frame: part 0 after its header, then the payload parts. */
export function frameCrc(parts: readonly Uint8Array[]): number {
  let crc = 0;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as Uint8Array;
    crc = crc32(i === 0 ? part.subarray(HEADER_BYTES) : part, crc);
  }
  return crc;
}

/** Puts the frame's CRC in its header; for sockets over plain tcp. Gives the frame back. */
export function stampCrc(parts: Uint8Array[]): Uint8Array[] {
  const first = parts[0] as Uint8Array;
  putU32(first, 12, frameCrc(parts));
  first[5] = (first[5] as number) | FLAG_CRC;
  return parts;
}

function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] as number;

function u32At(bytes: Uint8Array, at: number): number {
  const high = (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24);
  return (byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | high) >>> 0;
}
