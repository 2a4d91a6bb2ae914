// The protocol's TypeScript side: header, frames, one encoder and one decoder per message, and the value codec.
// Every decoder bounds what it reads by the frame; see schemas/README.md for sequences and layouts.

export { type ArgsMaker, compileTemplate, decodeArgs, encodeArgs } from './args.js';
export * from './columns.js';
export * from './data.js';
export * from './dispatch.js';
export { WireError } from './error.js';
export { type Frame, type FrameParts, splitFrame } from './frame.js';
export * from './generated/enums.js';
export * as limits from './generated/limits.js';
export type {
  Accepted,
  Assign,
  AssignSection,
  Bye,
  Credit,
  Data as DataMessage,
  DefineFunction,
  DefineLayer,
  Demand,
  Done,
  DoneSection,
  Fetch,
  Forget,
  Free,
  Heartbeat,
  Hello,
  Input,
  Lanes,
  Layer,
  Notice,
  Peer,
  Peers,
  Put,
  PutReply,
  Query,
  Refused,
  Reject,
  Reply,
  Retract,
  RetractSection,
  Submit,
  Update,
  UpdateSection,
  Welcome,
} from './generated/tables.js';
export * from './graph.js';
export { type Header, readHeader, stampCrc } from './header.js';
export { Dep, Deps, Item, REST } from './msgpack.js';
export { type EncodedParts, joinParts, PartsValue, splitParts } from './parts.js';
export type { Draft } from './reader.js';
export * from './results.js';
export * from './session.js';
export {
  type ColumnShape,
  ColumnWriter,
  type EncodedColumn,
  encodeColumn,
  ValueColumn,
} from './value_columns.js';
export {
  decodeError,
  decodeValue,
  type Encoded,
  encodeError,
  encodeResult,
  encodeValue,
  type ValueRole,
} from './values.js';
