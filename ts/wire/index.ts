// The protocol's TypeScript side: header, frames, one encoder and one decoder per message, and the value codec.
// Every decoder bounds what it reads by the frame; see schemas/README.md for sequences and layouts.
export * from './columns.js';
export * from './data.js';
export * from './dispatch.js';
export { WireError } from './error.js';
export { type Frame, type Parts, splitFrame } from './frame.js';
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
export type { Draft } from './reader.js';
export * from './results.js';
export * from './session.js';
