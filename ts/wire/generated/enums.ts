// Generated from schemas/*.fbs by `npm run codegen`: do not edit.

export const Role = {
  Client: 1,
  Worker: 2,
} as const;
export type Role = (typeof Role)[keyof typeof Role];

/** How the bytes of one value are to be read. The scheduler stores the code and never looks at the bytes. */
export const Codec = {
  Undefined: 0,
  F64: 1,
  Msgpack: 2,
  Bytes: 3,
  Typed: 4,
  Parts: 5,
  Error: 6,
  Args: 7,
} as const;
export type Codec = (typeof Codec)[keyof typeof Codec];

export const LayerKind = {
  Explicit: 0,
  Map: 1,
  Blockwise: 2,
  TreeReduce: 3,
  Data: 4,
  Window: 5,
} as const;
export type LayerKind = (typeof LayerKind)[keyof typeof LayerKind];

/** What a client is told of a row. */
export const RowState = {
  Done: 1,
  Failed: 2,
  Cancelled: 3,
  Pending: 4,
} as const;
export type RowState = (typeof RowState)[keyof typeof RowState];

/** What a worker says of a record.
 * Seceded: its body waits for tasks it submitted, and its lane goes on with other records; the outcome is told later,
 * under the lane's number + 2147483648. */
export const Outcome = {
  Ok: 0,
  Failed: 1,
  MissingInput: 2,
  Retracted: 3,
  Seceded: 4,
} as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

export const LaneState = {
  Up: 1,
  Lost: 2,
} as const;
export type LaneState = (typeof LaneState)[keyof typeof LaneState];

/** Where the bytes of a result are. */
export const Home = {
  Inline: 0,
  Stored: 1,
} as const;
export type Home = (typeof Home)[keyof typeof Home];

/** The header's kind byte: which root table follows. C client, S scheduler, W worker. */
export const Kind = {
  Hello: 1,
  Welcome: 2,
  Reject: 3,
  Bye: 4,
  Heartbeat: 5,
  Query: 6,
  Reply: 7,
  Notice: 8,
  DefineFunction: 10,
  Submit: 11,
  Accepted: 12,
  Refused: 13,
  Want: 14,
  Release: 15,
  Cancel: 16,
  Gather: 17,
  Update: 18,
  Credit: 19,
  Template: 20,
  Instantiate: 21,
  DropTemplate: 22,
  Peers: 30,
  DefineLayer: 31,
  Assign: 32,
  Retract: 33,
  Free: 34,
  Done: 35,
  Lanes: 36,
  Forget: 37,
  Fetch: 50,
  Data: 51,
  Put: 52,
  PutReply: 53,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];
