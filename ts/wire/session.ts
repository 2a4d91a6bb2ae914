// Session messages: who is there, who is gone, and questions for tools.
import { assembleFrame, type Frame, type FrameParts, readBody } from './frame.js';
import { Kind } from './generated/enums.js';
import * as tables from './generated/tables.js';
import type { Draft } from './reader.js';

/** The first frame of a connection; its epoch is 0, for the scheduler's is not known yet. */
export const encodeHello = (message: Draft<tables.Hello>): FrameParts =>
  assembleFrame(Kind.Hello, 0, tables.writeHello, message);
export const decodeHello = (frame: Frame): tables.Hello =>
  readBody(frame, Kind.Hello, tables.readHello);

export const encodeWelcome = (epoch: number, message: Draft<tables.Welcome>): FrameParts =>
  assembleFrame(Kind.Welcome, epoch, tables.writeWelcome, message);
export const decodeWelcome = (frame: Frame): tables.Welcome =>
  readBody(frame, Kind.Welcome, tables.readWelcome);

export const encodeReject = (epoch: number, message: Draft<tables.Reject>): FrameParts =>
  assembleFrame(Kind.Reject, epoch, tables.writeReject, message);
export const decodeReject = (frame: Frame): tables.Reject =>
  readBody(frame, Kind.Reject, tables.readReject);

export const encodeBye = (epoch: number, message: Draft<tables.Bye>): FrameParts =>
  assembleFrame(Kind.Bye, epoch, tables.writeBye, message);
export const decodeBye = (frame: Frame): tables.Bye => readBody(frame, Kind.Bye, tables.readBye);

export const encodeHeartbeat = (epoch: number, message: Draft<tables.Heartbeat>): FrameParts =>
  assembleFrame(Kind.Heartbeat, epoch, tables.writeHeartbeat, message);
export const decodeHeartbeat = (frame: Frame): tables.Heartbeat =>
  readBody(frame, Kind.Heartbeat, tables.readHeartbeat);

export const encodeQuery = (epoch: number, message: Draft<tables.Query>): FrameParts =>
  assembleFrame(Kind.Query, epoch, tables.writeQuery, message);
export const decodeQuery = (frame: Frame): tables.Query =>
  readBody(frame, Kind.Query, tables.readQuery);

export const encodeReply = (epoch: number, message: Draft<tables.Reply>): FrameParts =>
  assembleFrame(Kind.Reply, epoch, tables.writeReply, message);
export const decodeReply = (frame: Frame): tables.Reply =>
  readBody(frame, Kind.Reply, tables.readReply);

export const encodeNotice = (epoch: number, message: Draft<tables.Notice>): FrameParts =>
  assembleFrame(Kind.Notice, epoch, tables.writeNotice, message);
export const decodeNotice = (frame: Frame): tables.Notice =>
  readBody(frame, Kind.Notice, tables.readNotice);
