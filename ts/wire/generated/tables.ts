// Generated from schemas/*.fbs by `npm run codegen`: do not edit.

import { Codec, LayerKind, Outcome, Role, RowState } from './enums.js';
import type { Draft, Reader } from '../reader.js';
import type { Writer } from '../writer.js';

/** First frame of every connection. A worker's reconnect is a new incarnation with empty state. */
export interface Hello {
  role: Role;
  /** 16 random bytes, the same over reconnects of one client */
  session: Uint8Array | undefined;
  packageVersion: string | undefined;
  capabilities: readonly string[];
  /** the CURVE public key this peer claims; empty on loopback */
  keyBinding: Uint8Array | undefined;
  name: string | undefined;
  /** equal on one machine */
  host: string | undefined;
  pid: number;
  /** workers: where values are fetched */
  dataAddress: string | undefined;
  /** workers */
  lanes: number;
  /** workers: managed memory limit */
  memoryBytes: number;
  /** clients: Update frames it takes before the next Credit */
  updateCredit: number;
  /** clients: how long its demand outlives a lost connection */
  graceMs: number;
  /** clients: ascending over the connections of a session */
  greeting: number;
  /** clients: the last graph that was accepted or refused */
  answered: number;
}

/** Reads the Hello at byte `at`. */
export function readHello(r: Reader, at: number): Hello {
  r.enter(at, 'Hello');
  return {
    role: r.enumeration(4, Role.Client, 1, 2) as Role,
    session: r.u8s(6),
    packageVersion: r.string(8),
    capabilities: r.strings(10),
    keyBinding: r.u8s(12),
    name: r.string(14),
    host: r.string(16),
    pid: r.u32(18, 0),
    dataAddress: r.string(20),
    lanes: r.u16(22, 0),
    memoryBytes: r.f64(24, 0),
    updateCredit: r.u32(26, 0),
    graceMs: r.u32(28, 0),
    greeting: r.u32(30, 0),
    answered: r.u32(32, 0),
  };
}

/** Writes one Hello; gives its offset. Members left out are absent from the frame. */
export function writeHello(w: Writer, m: Draft<Hello>): number {
  const session = w.vector(m.session);
  const packageVersion = w.string(m.packageVersion);
  const capabilities = w.strings(m.capabilities);
  const keyBinding = w.vector(m.keyBinding);
  const name = w.string(m.name);
  const host = w.string(m.host);
  const dataAddress = w.string(m.dataAddress);
  w.start(15);
  w.f64(10, m.memoryBytes, 0);
  w.offset(1, session);
  w.offset(2, packageVersion);
  w.offset(3, capabilities);
  w.offset(4, keyBinding);
  w.offset(5, name);
  w.offset(6, host);
  w.u32(7, m.pid, 0);
  w.offset(8, dataAddress);
  w.u32(11, m.updateCredit, 0);
  w.u32(12, m.graceMs, 0);
  w.u32(13, m.greeting, 0);
  w.u32(14, m.answered, 0);
  w.u16(9, m.lanes, 0);
  w.u8(0, m.role, Role.Client);
  return w.end();
}

export interface Welcome {
  /** client id or proc id */
  peer: number;
  /** workers: to be said in every frame */
  incarnation: number;
  epoch: number;
  heartbeatMs: number;
  /** larger results stay in the proc's store */
  inlineBytesMax: number;
  packageVersion: string | undefined;
  capabilities: readonly string[];
  /** clients: frames of this session taken in so far (see README: Return) */
  received: number;
}

/** Reads the Welcome at byte `at`. */
export function readWelcome(r: Reader, at: number): Welcome {
  r.enter(at, 'Welcome');
  return {
    peer: r.u32(4, 0),
    incarnation: r.u32(6, 0),
    epoch: r.u32(8, 0),
    heartbeatMs: r.u32(10, 0),
    inlineBytesMax: r.u32(12, 0),
    packageVersion: r.string(14),
    capabilities: r.strings(16),
    received: r.f64(18, 0),
  };
}

/** Writes one Welcome; gives its offset. Members left out are absent from the frame. */
export function writeWelcome(w: Writer, m: Draft<Welcome>): number {
  const packageVersion = w.string(m.packageVersion);
  const capabilities = w.strings(m.capabilities);
  w.start(8);
  w.f64(7, m.received, 0);
  w.u32(0, m.peer, 0);
  w.u32(1, m.incarnation, 0);
  w.u32(2, m.epoch, 0);
  w.u32(3, m.heartbeatMs, 0);
  w.u32(4, m.inlineBytesMax, 0);
  w.offset(5, packageVersion);
  w.offset(6, capabilities);
  return w.end();
}

/** The peer is refused and dropped. */
export interface Reject {
  code: string | undefined;
  message: string | undefined;
}

/** Reads the Reject at byte `at`. */
export function readReject(r: Reader, at: number): Reject {
  r.enter(at, 'Reject');
  return {
    code: r.string(4),
    message: r.string(6),
  };
}

/** Writes one Reject; gives its offset. Members left out are absent from the frame. */
export function writeReject(w: Writer, m: Draft<Reject>): number {
  const code = w.string(m.code);
  const message = w.string(m.message);
  w.start(2);
  w.offset(0, code);
  w.offset(1, message);
  return w.end();
}

/** Explicit, graceful end of a connection: demand is released at once. */
export interface Bye {
  reason: string | undefined;
  /** clients: as in Hello, for the connection may be a new one */
  session: Uint8Array | undefined;
}

/** Reads the Bye at byte `at`. */
export function readBye(r: Reader, at: number): Bye {
  r.enter(at, 'Bye');
  return {
    reason: r.string(4),
    session: r.u8s(6),
  };
}

/** Writes one Bye; gives its offset. Members left out are absent from the frame. */
export function writeBye(w: Writer, m: Draft<Bye>): number {
  const reason = w.string(m.reason);
  const session = w.vector(m.session);
  w.start(2);
  w.offset(0, reason);
  w.offset(1, session);
  return w.end();
}

/** Application heartbeat, both ways; counters are totals since the process began. */
export interface Heartbeat {
  /** to clients: 0 if the sender is not known, and must say hello */
  peer: number;
  incarnation: number;
  loopLagUs: number;
  rssBytes: number;
  /** bytes of values in the proc's store */
  storedBytes: number;
  storedValues: number;
  /** bytes fetched from other procs */
  fetchedBytes: number;
  tasksRun: number;
  /** CPU of user code, all lanes */
  cpuComputeNs: number;
  /** CPU of lanes outside user code */
  cpuLaneNs: number;
  /** CPU of the worker's main thread */
  cpuMainNs: number;
  /** to clients: as in Welcome */
  received: number;
  /** from clients: as in Hello */
  answered: number;
  /** from workers: layer definitions held, all threads */
  layers: number;
  /** from workers: cells of histograms that are not 0 (ts/diagnostics/README.md) */
  stageCells: Uint32Array | undefined;
  /** one per cell */
  stageCounts: Uint32Array | undefined;
}

/** Reads the Heartbeat at byte `at`. */
export function readHeartbeat(r: Reader, at: number): Heartbeat {
  r.enter(at, 'Heartbeat');
  return {
    peer: r.u32(4, 0),
    incarnation: r.u32(6, 0),
    loopLagUs: r.u32(8, 0),
    rssBytes: r.f64(10, 0),
    storedBytes: r.f64(12, 0),
    storedValues: r.u32(14, 0),
    fetchedBytes: r.f64(16, 0),
    tasksRun: r.f64(18, 0),
    cpuComputeNs: r.f64(20, 0),
    cpuLaneNs: r.f64(22, 0),
    cpuMainNs: r.f64(24, 0),
    received: r.f64(26, 0),
    answered: r.u32(28, 0),
    layers: r.u32(30, 0),
    stageCells: r.u32s(32),
    stageCounts: r.u32s(34),
  };
}

/** Writes one Heartbeat; gives its offset. Members left out are absent from the frame. */
export function writeHeartbeat(w: Writer, m: Draft<Heartbeat>): number {
  const stageCells = w.vector(m.stageCells);
  const stageCounts = w.vector(m.stageCounts);
  w.start(16);
  w.f64(3, m.rssBytes, 0);
  w.f64(4, m.storedBytes, 0);
  w.f64(6, m.fetchedBytes, 0);
  w.f64(7, m.tasksRun, 0);
  w.f64(8, m.cpuComputeNs, 0);
  w.f64(9, m.cpuLaneNs, 0);
  w.f64(10, m.cpuMainNs, 0);
  w.f64(11, m.received, 0);
  w.u32(0, m.peer, 0);
  w.u32(1, m.incarnation, 0);
  w.u32(2, m.loopLagUs, 0);
  w.u32(5, m.storedValues, 0);
  w.u32(12, m.answered, 0);
  w.u32(13, m.layers, 0);
  w.offset(14, stageCells);
  w.offset(15, stageCounts);
  return w.end();
}

/** Question and answer for tools: what = "info" | "stats" | "stages" | "digest" | "why"; both bodies are JSON. */
export interface Query {
  request: number;
  what: string | undefined;
  body: string | undefined;
}

/** Reads the Query at byte `at`. */
export function readQuery(r: Reader, at: number): Query {
  r.enter(at, 'Query');
  return {
    request: r.u32(4, 0),
    what: r.string(6),
    body: r.string(8),
  };
}

/** Writes one Query; gives its offset. Members left out are absent from the frame. */
export function writeQuery(w: Writer, m: Draft<Query>): number {
  const what = w.string(m.what);
  const body = w.string(m.body);
  w.start(3);
  w.u32(0, m.request, 0);
  w.offset(1, what);
  w.offset(2, body);
  return w.end();
}

export interface Reply {
  request: number;
  body: string | undefined;
}

/** Reads the Reply at byte `at`. */
export function readReply(r: Reader, at: number): Reply {
  r.enter(at, 'Reply');
  return {
    request: r.u32(4, 0),
    body: r.string(6),
  };
}

/** Writes one Reply; gives its offset. Members left out are absent from the frame. */
export function writeReply(w: Writer, m: Draft<Reply>): number {
  const body = w.string(m.body);
  w.start(2);
  w.u32(0, m.request, 0);
  w.offset(1, body);
  return w.end();
}

/** Something a person should know, such as work that waits because there are no workers. */
export interface Notice {
  code: string | undefined;
  message: string | undefined;
  cleared: boolean;
}

/** Reads the Notice at byte `at`. */
export function readNotice(r: Reader, at: number): Notice {
  r.enter(at, 'Notice');
  return {
    code: r.string(4),
    message: r.string(6),
    cleared: r.bool(8, false),
  };
}

/** Writes one Notice; gives its offset. Members left out are absent from the frame. */
export function writeNotice(w: Writer, m: Draft<Notice>): number {
  const code = w.string(m.code);
  const message = w.string(m.message);
  w.start(3);
  w.offset(0, code);
  w.offset(1, message);
  w.bool(2, m.cleared, false);
  return w.end();
}

/** A function, once per connection by content hash. To the scheduler the body is opaque. */
export interface DefineFunction {
  /** sender's number: the client's own, or the scheduler's serial towards workers */
  function: number;
  /** 32 bytes: SHA-256 of the body */
  hash: Uint8Array | undefined;
  name: string | undefined;
  body: Uint8Array | undefined;
}

/** Reads the DefineFunction at byte `at`. */
export function readDefineFunction(r: Reader, at: number): DefineFunction {
  r.enter(at, 'DefineFunction');
  return {
    function: r.u32(4, 0),
    hash: r.u8s(6),
    name: r.string(8),
    body: r.u8s(10),
  };
}

/** Writes one DefineFunction; gives its offset. Members left out are absent from the frame. */
export function writeDefineFunction(w: Writer, m: Draft<DefineFunction>): number {
  const hash = w.vector(m.hash);
  const name = w.string(m.name);
  const body = w.vector(m.body);
  w.start(4);
  w.u32(0, m.function, 0);
  w.offset(1, hash);
  w.offset(2, name);
  w.offset(3, body);
  return w.end();
}

/** One upstream layer of a regular layer. */
export interface Input {
  /** client's layer number */
  layer: number;
  /** first row used */
  first: number;
  /** one part of each row's value; the default is the whole value */
  part: number;
  /** every row takes the same upstream rows, `count` of them */
  broadcast: boolean;
  /** broadcast: rows taken, 0 is 1; TreeReduce: rows it is over, 0: all from `first` on */
  count: number;
}

/** Reads the Input at byte `at`. */
export function readInput(r: Reader, at: number): Input {
  r.enter(at, 'Input');
  return {
    layer: r.u32(4, 0),
    first: r.u32(6, 0),
    part: r.u32(8, 4294967295),
    broadcast: r.bool(10, false),
    count: r.u32(12, 0),
  };
}

/** Writes one Input; gives its offset. Members left out are absent from the frame. */
export function writeInput(w: Writer, m: Draft<Input>): number {
  w.start(5);
  w.u32(0, m.layer, 0);
  w.u32(1, m.first, 0);
  w.u32(2, m.part, 4294967295);
  w.u32(4, m.count, 0);
  w.bool(3, m.broadcast, false);
  return w.end();
}

/** Rows of one layer. Regular kinds carry no edges; Explicit carries CSR columns. A client may append rows to
 * a layer of its own (`first` is then the number of rows it already holds). Flags, bit 2: of a regular layer the last
 * row alone is wanted by the client. */
export interface Layer {
  /** client's layer number, chosen by the client, ascending */
  layer: number;
  kind: LayerKind;
  first: number;
  /** rows in this message */
  tasks: number;
  name: string | undefined;
  function: number;
  /** higher first */
  priority: number;
  retries: number;
  /** 0: none */
  timeoutMs: number;
  resourceClass: number;
  /** bit 0: rows are wanted by the client; bit 1: a running task submitted them: ahead of others */
  flags: number;
  /** shared argument list with placeholders; absent: the item, then the inputs */
  template: Uint8Array | undefined;
  /** of the row data */
  dataCodec: Codec;
  /** > 0: every row has this many bytes; else data_sizes */
  dataStride: number;
  dataSizes: Uint32Array | undefined;
  /** payload part that holds the row data; 65535: rows have none */
  dataPart: number;
  /** regular kinds */
  inputs: readonly Input[];
  /** TreeReduce */
  fanIn: number;
  /** Explicit: tasks + 1 */
  depOffsets: Uint32Array | undefined;
  /** Explicit: the layer of every dependency when dep_layers is absent */
  depLayer: number;
  depLayers: Uint32Array | undefined;
  depIndices: Uint32Array | undefined;
  /** absent: whole values */
  depParts: Uint32Array | undefined;
  /** absent: function */
  functions: Uint32Array | undefined;
  priorities: Int32Array | undefined;
  rowRetries: Uint16Array | undefined;
  rowTimeoutsMs: Uint32Array | undefined;
  /** rows with an explicit key */
  keyRows: Uint32Array | undefined;
  keys: readonly string[];
  /** Window: row i takes the rows i - radius … i + radius of each input not broadcast */
  radius: number;
  /** Window: beyond one end follows the other; else windows are cut short at the ends */
  periodic: boolean;
  rangeStart: number;
  /** not 0: row i's data is the double range_start + i * range_step (codec F64) */
  rangeStep: number;
}

/** Reads the Layer at byte `at`. */
export function readLayer(r: Reader, at: number): Layer {
  r.enter(at, 'Layer');
  return {
    layer: r.u32(4, 0),
    kind: r.enumeration(6, LayerKind.Explicit, 0, 5) as LayerKind,
    first: r.u32(8, 0),
    tasks: r.u32(10, 0),
    name: r.string(12),
    function: r.u32(14, 0),
    priority: r.i32(16, 0),
    retries: r.u16(18, 0),
    timeoutMs: r.u32(20, 0),
    resourceClass: r.u8(22, 0),
    flags: r.u8(24, 0),
    template: r.u8s(26),
    dataCodec: r.enumeration(28, Codec.Undefined, 0, 7) as Codec,
    dataStride: r.u32(30, 0),
    dataSizes: r.u32s(32),
    dataPart: r.u16(34, 65535),
    inputs: r.tables(36, readInput),
    fanIn: r.u32(38, 0),
    depOffsets: r.u32s(40),
    depLayer: r.u32(42, 0),
    depLayers: r.u32s(44),
    depIndices: r.u32s(46),
    depParts: r.u32s(48),
    functions: r.u32s(50),
    priorities: r.i32s(52),
    rowRetries: r.u16s(54),
    rowTimeoutsMs: r.u32s(56),
    keyRows: r.u32s(58),
    keys: r.strings(60),
    radius: r.u32(62, 0),
    periodic: r.bool(64, false),
    rangeStart: r.f64(66, 0),
    rangeStep: r.f64(68, 0),
  };
}

/** Writes one Layer; gives its offset. Members left out are absent from the frame. */
export function writeLayer(w: Writer, m: Draft<Layer>): number {
  const name = w.string(m.name);
  const template = w.vector(m.template);
  const dataSizes = w.vector(m.dataSizes);
  const inputs = w.tables(m.inputs, writeInput);
  const depOffsets = w.vector(m.depOffsets);
  const depLayers = w.vector(m.depLayers);
  const depIndices = w.vector(m.depIndices);
  const depParts = w.vector(m.depParts);
  const functions = w.vector(m.functions);
  const priorities = w.vector(m.priorities);
  const rowRetries = w.vector(m.rowRetries);
  const rowTimeoutsMs = w.vector(m.rowTimeoutsMs);
  const keyRows = w.vector(m.keyRows);
  const keys = w.strings(m.keys);
  w.start(33);
  w.f64(31, m.rangeStart, 0);
  w.f64(32, m.rangeStep, 0);
  w.u32(0, m.layer, 0);
  w.u32(2, m.first, 0);
  w.u32(3, m.tasks, 0);
  w.offset(4, name);
  w.u32(5, m.function, 0);
  w.i32(6, m.priority, 0);
  w.u32(8, m.timeoutMs, 0);
  w.offset(11, template);
  w.u32(13, m.dataStride, 0);
  w.offset(14, dataSizes);
  w.offset(16, inputs);
  w.u32(17, m.fanIn, 0);
  w.offset(18, depOffsets);
  w.u32(19, m.depLayer, 0);
  w.offset(20, depLayers);
  w.offset(21, depIndices);
  w.offset(22, depParts);
  w.offset(23, functions);
  w.offset(24, priorities);
  w.offset(25, rowRetries);
  w.offset(26, rowTimeoutsMs);
  w.offset(27, keyRows);
  w.offset(28, keys);
  w.u32(29, m.radius, 0);
  w.u16(7, m.retries, 0);
  w.u16(15, m.dataPart, 65535);
  w.u8(1, m.kind, LayerKind.Explicit);
  w.u8(9, m.resourceClass, 0);
  w.u8(10, m.flags, 0);
  w.u8(12, m.dataCodec, Codec.Undefined);
  w.bool(30, m.periodic, false);
  return w.end();
}

/** A graph may be sent in several frames; the last has more = false. */
export interface Submit {
  graph: number;
  layers: readonly Layer[];
  more: boolean;
}

/** Reads the Submit at byte `at`. */
export function readSubmit(r: Reader, at: number): Submit {
  r.enter(at, 'Submit');
  return {
    graph: r.u32(4, 0),
    layers: r.tables(6, readLayer),
    more: r.bool(8, false),
  };
}

/** Writes one Submit; gives its offset. Members left out are absent from the frame. */
export function writeSubmit(w: Writer, m: Draft<Submit>): number {
  const layers = w.tables(m.layers, writeLayer);
  w.start(3);
  w.u32(0, m.graph, 0);
  w.offset(1, layers);
  w.bool(2, m.more, false);
  return w.end();
}

/** A graph that is kept, to be submitted again by number; answered as a graph of its own, without layers. A layer number
 * from 2147483648 on counts from the instance's first, which is the layer of its parameters. */
export interface Template {
  /** client's number, ascending */
  template: number;
  graph: number;
  /** rows of the layer of parameters; 0: there is none */
  params: number;
  /** with such numbers, ascending */
  layers: readonly Layer[];
}

/** Reads the Template at byte `at`. */
export function readTemplate(r: Reader, at: number): Template {
  r.enter(at, 'Template');
  return {
    template: r.u32(4, 0),
    graph: r.u32(6, 0),
    params: r.u32(8, 0),
    layers: r.tables(10, readLayer),
  };
}

/** Writes one Template; gives its offset. Members left out are absent from the frame. */
export function writeTemplate(w: Writer, m: Draft<Template>): number {
  const layers = w.tables(m.layers, writeLayer);
  w.start(4);
  w.u32(0, m.template, 0);
  w.u32(1, m.graph, 0);
  w.u32(2, m.params, 0);
  w.offset(3, layers);
  return w.end();
}

/** Submits a template; its layers' numbers count from `layer`, that of the parameters. Answered as a Submit. Nobody has handles of parameters: their rows are released at once. Their values stand in payload part 0. */
export interface Instantiate {
  template: number;
  graph: number;
  layer: number;
  dataCodec: Codec;
  dataStride: number;
  dataSizes: Uint32Array | undefined;
}

/** Reads the Instantiate at byte `at`. */
export function readInstantiate(r: Reader, at: number): Instantiate {
  r.enter(at, 'Instantiate');
  return {
    template: r.u32(4, 0),
    graph: r.u32(6, 0),
    layer: r.u32(8, 0),
    dataCodec: r.enumeration(10, Codec.Undefined, 0, 7) as Codec,
    dataStride: r.u32(12, 0),
    dataSizes: r.u32s(14),
  };
}

/** Writes one Instantiate; gives its offset. Members left out are absent from the frame. */
export function writeInstantiate(w: Writer, m: Draft<Instantiate>): number {
  const dataSizes = w.vector(m.dataSizes);
  w.start(6);
  w.u32(0, m.template, 0);
  w.u32(1, m.graph, 0);
  w.u32(2, m.layer, 0);
  w.u32(4, m.dataStride, 0);
  w.offset(5, dataSizes);
  w.u8(3, m.dataCodec, Codec.Undefined);
  return w.end();
}

export interface DropTemplate {
  template: number;
}

/** Reads the DropTemplate at byte `at`. */
export function readDropTemplate(r: Reader, at: number): DropTemplate {
  r.enter(at, 'DropTemplate');
  return {
    template: r.u32(4, 0),
  };
}

/** Writes one DropTemplate; gives its offset. Members left out are absent from the frame. */
export function writeDropTemplate(w: Writer, m: Draft<DropTemplate>): number {
  w.start(1);
  w.u32(0, m.template, 0);
  return w.end();
}

export interface Accepted {
  graph: number;
  layers: Uint32Array | undefined;
  serials: Uint32Array | undefined;
}

/** Reads the Accepted at byte `at`. */
export function readAccepted(r: Reader, at: number): Accepted {
  r.enter(at, 'Accepted');
  return {
    graph: r.u32(4, 0),
    layers: r.u32s(6),
    serials: r.u32s(8),
  };
}

/** Writes one Accepted; gives its offset. Members left out are absent from the frame. */
export function writeAccepted(w: Writer, m: Draft<Accepted>): number {
  const layers = w.vector(m.layers);
  const serials = w.vector(m.serials);
  w.start(3);
  w.u32(0, m.graph, 0);
  w.offset(1, layers);
  w.offset(2, serials);
  return w.end();
}

export interface Refused {
  graph: number;
  code: string | undefined;
  message: string | undefined;
  layer: number;
  index: number;
}

/** Reads the Refused at byte `at`. */
export function readRefused(r: Reader, at: number): Refused {
  r.enter(at, 'Refused');
  return {
    graph: r.u32(4, 0),
    code: r.string(6),
    message: r.string(8),
    layer: r.u32(10, 0),
    index: r.u32(12, 0),
  };
}

/** Writes one Refused; gives its offset. Members left out are absent from the frame. */
export function writeRefused(w: Writer, m: Draft<Refused>): number {
  const code = w.string(m.code);
  const message = w.string(m.message);
  w.start(5);
  w.u32(0, m.graph, 0);
  w.offset(1, code);
  w.offset(2, message);
  w.u32(3, m.layer, 0);
  w.u32(4, m.index, 0);
  return w.end();
}

/** Want, Release, Cancel and Gather share this shape: ranges of the client's rows.
 * Gather asks that the rows' present state be sent again (a fetch failed). */
export interface Demand {
  layers: Uint32Array | undefined;
  starts: Uint32Array | undefined;
  counts: Uint32Array | undefined;
  reason: string | undefined;
}

/** Reads the Demand at byte `at`. */
export function readDemand(r: Reader, at: number): Demand {
  r.enter(at, 'Demand');
  return {
    layers: r.u32s(4),
    starts: r.u32s(6),
    counts: r.u32s(8),
    reason: r.string(10),
  };
}

/** Writes one Demand; gives its offset. Members left out are absent from the frame. */
export function writeDemand(w: Writer, m: Draft<Demand>): number {
  const layers = w.vector(m.layers);
  const starts = w.vector(m.starts);
  const counts = w.vector(m.counts);
  const reason = w.string(m.reason);
  w.start(4);
  w.offset(0, layers);
  w.offset(1, starts);
  w.offset(2, counts);
  w.offset(3, reason);
  return w.end();
}

export interface Peer {
  proc: number;
  incarnation: number;
  address: string | undefined;
  host: string | undefined;
}

/** Reads the Peer at byte `at`. */
export function readPeer(r: Reader, at: number): Peer {
  r.enter(at, 'Peer');
  return {
    proc: r.u32(4, 0),
    incarnation: r.u32(6, 0),
    address: r.string(8),
    host: r.string(10),
  };
}

/** Writes one Peer; gives its offset. Members left out are absent from the frame. */
export function writePeer(w: Writer, m: Draft<Peer>): number {
  const address = w.string(m.address);
  const host = w.string(m.host);
  w.start(4);
  w.u32(0, m.proc, 0);
  w.u32(1, m.incarnation, 0);
  w.offset(2, address);
  w.offset(3, host);
  return w.end();
}

/** Addresses a worker will need, before the first record that names them; procs that are gone. */
export interface Peers {
  peers: readonly Peer[];
  gone: Uint32Array | undefined;
}

/** Reads the Peers at byte `at`. */
export function readPeers(r: Reader, at: number): Peers {
  r.enter(at, 'Peers');
  return {
    peers: r.tables(4, readPeer),
    gone: r.u32s(6),
  };
}

/** Writes one Peers; gives its offset. Members left out are absent from the frame. */
export function writePeers(w: Writer, m: Draft<Peers>): number {
  const peers = w.tables(m.peers, writePeer);
  const gone = w.vector(m.gone);
  w.start(2);
  w.offset(0, peers);
  w.offset(1, gone);
  return w.end();
}

/** What rows of a layer have in common, once per proc before its first record. */
export interface DefineLayer {
  serial: number;
  /** function serial; 4294967295: each record names its own */
  function: number;
  name: string | undefined;
  template: Uint8Array | undefined;
  dataCodec: Codec;
}

/** Reads the DefineLayer at byte `at`. */
export function readDefineLayer(r: Reader, at: number): DefineLayer {
  r.enter(at, 'DefineLayer');
  return {
    serial: r.u32(4, 0),
    function: r.u32(6, 0),
    name: r.string(8),
    template: r.u8s(10),
    dataCodec: r.enumeration(12, Codec.Undefined, 0, 7) as Codec,
  };
}

/** Writes one DefineLayer; gives its offset. Members left out are absent from the frame. */
export function writeDefineLayer(w: Writer, m: Draft<DefineLayer>): number {
  const name = w.string(m.name);
  const template = w.vector(m.template);
  w.start(5);
  w.u32(0, m.serial, 0);
  w.u32(1, m.function, 0);
  w.offset(2, name);
  w.offset(3, template);
  w.u8(4, m.dataCodec, Codec.Undefined);
  return w.end();
}

/** Records of one layer for one lane. Row data, then the bytes of inline inputs, stand in payload part `part`:
 * row data from `data_offset`, inputs from `dep_offset`, each without gaps in record order. */
export interface AssignSection {
  lane: number;
  laneEpoch: number;
  serial: number;
  /** indices absent: rows first … first + count - 1 */
  first: number;
  count: number;
  indices: Uint32Array | undefined;
  /** absent: all 1 */
  attempts: Uint32Array | undefined;
  /** function serials; absent: the layer's */
  functions: Uint32Array | undefined;
  priorities: Int32Array | undefined;
  resourceClasses: Uint8Array | undefined;
  flags: Uint8Array | undefined;
  timeoutsMs: Uint32Array | undefined;
  part: number;
  dataOffset: number;
  dataStride: number;
  dataSizes: Uint32Array | undefined;
  /** inputs per record; absent: none */
  depCounts: Uint32Array | undefined;
  /** layer of every input when dep_serials is absent */
  depSerial: number;
  depSerials: Uint32Array | undefined;
  depIndices: Uint32Array | undefined;
  /** absent: all 1 */
  depAttempts: Uint32Array | undefined;
  /** absent: whole values */
  depParts: Uint32Array | undefined;
  /** 0: inline here; else proc id (ids start at 1) that holds it; absent: all inline */
  depProcs: Uint32Array | undefined;
  /** absent: dep_codec */
  depCodecs: Uint8Array | undefined;
  depCodec: Codec;
  depStride: number;
  /** inline: bytes here; held: size of the stored value (estimate for parts) */
  depSizes: Uint32Array | undefined;
  depOffset: number;
}

/** Reads the AssignSection at byte `at`. */
export function readAssignSection(r: Reader, at: number): AssignSection {
  r.enter(at, 'AssignSection');
  return {
    lane: r.u32(4, 0),
    laneEpoch: r.u32(6, 0),
    serial: r.u32(8, 0),
    first: r.u32(10, 0),
    count: r.u32(12, 0),
    indices: r.u32s(14),
    attempts: r.u32s(16),
    functions: r.u32s(18),
    priorities: r.i32s(20),
    resourceClasses: r.u8s(22),
    flags: r.u8s(24),
    timeoutsMs: r.u32s(26),
    part: r.u16(28, 65535),
    dataOffset: r.u32(30, 0),
    dataStride: r.u32(32, 0),
    dataSizes: r.u32s(34),
    depCounts: r.u32s(36),
    depSerial: r.u32(38, 0),
    depSerials: r.u32s(40),
    depIndices: r.u32s(42),
    depAttempts: r.u32s(44),
    depParts: r.u32s(46),
    depProcs: r.u32s(48),
    depCodecs: r.u8s(50),
    depCodec: r.enumeration(52, Codec.Undefined, 0, 7) as Codec,
    depStride: r.u32(54, 0),
    depSizes: r.u32s(56),
    depOffset: r.u32(58, 0),
  };
}

/** Writes one AssignSection; gives its offset. Members left out are absent from the frame. */
export function writeAssignSection(w: Writer, m: Draft<AssignSection>): number {
  const indices = w.vector(m.indices);
  const attempts = w.vector(m.attempts);
  const functions = w.vector(m.functions);
  const priorities = w.vector(m.priorities);
  const resourceClasses = w.vector(m.resourceClasses);
  const flags = w.vector(m.flags);
  const timeoutsMs = w.vector(m.timeoutsMs);
  const dataSizes = w.vector(m.dataSizes);
  const depCounts = w.vector(m.depCounts);
  const depSerials = w.vector(m.depSerials);
  const depIndices = w.vector(m.depIndices);
  const depAttempts = w.vector(m.depAttempts);
  const depParts = w.vector(m.depParts);
  const depProcs = w.vector(m.depProcs);
  const depCodecs = w.vector(m.depCodecs);
  const depSizes = w.vector(m.depSizes);
  w.start(28);
  w.u32(0, m.lane, 0);
  w.u32(1, m.laneEpoch, 0);
  w.u32(2, m.serial, 0);
  w.u32(3, m.first, 0);
  w.u32(4, m.count, 0);
  w.offset(5, indices);
  w.offset(6, attempts);
  w.offset(7, functions);
  w.offset(8, priorities);
  w.offset(9, resourceClasses);
  w.offset(10, flags);
  w.offset(11, timeoutsMs);
  w.u32(13, m.dataOffset, 0);
  w.u32(14, m.dataStride, 0);
  w.offset(15, dataSizes);
  w.offset(16, depCounts);
  w.u32(17, m.depSerial, 0);
  w.offset(18, depSerials);
  w.offset(19, depIndices);
  w.offset(20, depAttempts);
  w.offset(21, depParts);
  w.offset(22, depProcs);
  w.offset(23, depCodecs);
  w.u32(25, m.depStride, 0);
  w.offset(26, depSizes);
  w.u32(27, m.depOffset, 0);
  w.u16(12, m.part, 65535);
  w.u8(24, m.depCodec, Codec.Undefined);
  return w.end();
}

export interface Assign {
  proc: number;
  incarnation: number;
  sections: readonly AssignSection[];
}

/** Reads the Assign at byte `at`. */
export function readAssign(r: Reader, at: number): Assign {
  r.enter(at, 'Assign');
  return {
    proc: r.u32(4, 0),
    incarnation: r.u32(6, 0),
    sections: r.tables(8, readAssignSection),
  };
}

/** Writes one Assign; gives its offset. Members left out are absent from the frame. */
export function writeAssign(w: Writer, m: Draft<Assign>): number {
  const sections = w.tables(m.sections, writeAssignSection);
  w.start(3);
  w.u32(0, m.proc, 0);
  w.u32(1, m.incarnation, 0);
  w.offset(2, sections);
  return w.end();
}

/** Take back records that have not started; cancel also aborts ones that have. */
export interface RetractSection {
  lane: number;
  laneEpoch: number;
  serial: number;
  indices: Uint32Array | undefined;
  attempts: Uint32Array | undefined;
  cancel: boolean;
}

/** Reads the RetractSection at byte `at`. */
export function readRetractSection(r: Reader, at: number): RetractSection {
  r.enter(at, 'RetractSection');
  return {
    lane: r.u32(4, 0),
    laneEpoch: r.u32(6, 0),
    serial: r.u32(8, 0),
    indices: r.u32s(10),
    attempts: r.u32s(12),
    cancel: r.bool(14, false),
  };
}

/** Writes one RetractSection; gives its offset. Members left out are absent from the frame. */
export function writeRetractSection(w: Writer, m: Draft<RetractSection>): number {
  const indices = w.vector(m.indices);
  const attempts = w.vector(m.attempts);
  w.start(6);
  w.u32(0, m.lane, 0);
  w.u32(1, m.laneEpoch, 0);
  w.u32(2, m.serial, 0);
  w.offset(3, indices);
  w.offset(4, attempts);
  w.bool(5, m.cancel, false);
  return w.end();
}

export interface Retract {
  proc: number;
  incarnation: number;
  sections: readonly RetractSection[];
}

/** Reads the Retract at byte `at`. */
export function readRetract(r: Reader, at: number): Retract {
  r.enter(at, 'Retract');
  return {
    proc: r.u32(4, 0),
    incarnation: r.u32(6, 0),
    sections: r.tables(8, readRetractSection),
  };
}

/** Writes one Retract; gives its offset. Members left out are absent from the frame. */
export function writeRetract(w: Writer, m: Draft<Retract>): number {
  const sections = w.tables(m.sections, writeRetractSection);
  w.start(3);
  w.u32(0, m.proc, 0);
  w.u32(1, m.incarnation, 0);
  w.offset(2, sections);
  return w.end();
}

/** Outcomes of records, batched by a lane; results in record order in payload part `part` from `offset`. */
export interface DoneSection {
  lane: number;
  laneEpoch: number;
  serial: number;
  /** of every record of the section */
  outcome: Outcome;
  /** indices absent: rows first … first + count - 1 */
  first: number;
  count: number;
  indices: Uint32Array | undefined;
  /** absent: all 1 */
  attempts: Uint32Array | undefined;
  codec: Codec;
  codecs: Uint8Array | undefined;
  stride: number;
  sizes: Uint32Array | undefined;
  /** Home per record; absent: all inline */
  homes: Uint8Array | undefined;
  part: number;
  offset: number;
  /** wall time of user code, all records together */
  durationUs: number;
  durationsUs: Uint32Array | undefined;
  /** Failed: may be retried; false for errors no retry can cure */
  retryable: boolean;
  /** MissingInput: the input that could not be had, per record */
  missingSerials: Uint32Array | undefined;
  missingIndices: Uint32Array | undefined;
  missingProcs: Uint32Array | undefined;
  /** traced runs: ms since the Unix epoch that the next two columns count from */
  traceMs: number;
  beginsUs: Uint32Array | undefined;
  endsUs: Uint32Array | undefined;
}

/** Reads the DoneSection at byte `at`. */
export function readDoneSection(r: Reader, at: number): DoneSection {
  r.enter(at, 'DoneSection');
  return {
    lane: r.u32(4, 0),
    laneEpoch: r.u32(6, 0),
    serial: r.u32(8, 0),
    outcome: r.enumeration(10, Outcome.Ok, 0, 4) as Outcome,
    first: r.u32(12, 0),
    count: r.u32(14, 0),
    indices: r.u32s(16),
    attempts: r.u32s(18),
    codec: r.enumeration(20, Codec.Undefined, 0, 7) as Codec,
    codecs: r.u8s(22),
    stride: r.u32(24, 0),
    sizes: r.u32s(26),
    homes: r.u8s(28),
    part: r.u16(30, 65535),
    offset: r.u32(32, 0),
    durationUs: r.u32(34, 0),
    durationsUs: r.u32s(36),
    retryable: r.bool(38, false),
    missingSerials: r.u32s(40),
    missingIndices: r.u32s(42),
    missingProcs: r.u32s(44),
    traceMs: r.f64(46, 0),
    beginsUs: r.u32s(48),
    endsUs: r.u32s(50),
  };
}

/** Writes one DoneSection; gives its offset. Members left out are absent from the frame. */
export function writeDoneSection(w: Writer, m: Draft<DoneSection>): number {
  const indices = w.vector(m.indices);
  const attempts = w.vector(m.attempts);
  const codecs = w.vector(m.codecs);
  const sizes = w.vector(m.sizes);
  const homes = w.vector(m.homes);
  const durationsUs = w.vector(m.durationsUs);
  const missingSerials = w.vector(m.missingSerials);
  const missingIndices = w.vector(m.missingIndices);
  const missingProcs = w.vector(m.missingProcs);
  const beginsUs = w.vector(m.beginsUs);
  const endsUs = w.vector(m.endsUs);
  w.start(24);
  w.f64(21, m.traceMs, 0);
  w.u32(0, m.lane, 0);
  w.u32(1, m.laneEpoch, 0);
  w.u32(2, m.serial, 0);
  w.u32(4, m.first, 0);
  w.u32(5, m.count, 0);
  w.offset(6, indices);
  w.offset(7, attempts);
  w.offset(9, codecs);
  w.u32(10, m.stride, 0);
  w.offset(11, sizes);
  w.offset(12, homes);
  w.u32(14, m.offset, 0);
  w.u32(15, m.durationUs, 0);
  w.offset(16, durationsUs);
  w.offset(18, missingSerials);
  w.offset(19, missingIndices);
  w.offset(20, missingProcs);
  w.offset(22, beginsUs);
  w.offset(23, endsUs);
  w.u16(13, m.part, 65535);
  w.u8(3, m.outcome, Outcome.Ok);
  w.u8(8, m.codec, Codec.Undefined);
  w.bool(17, m.retryable, false);
  return w.end();
}

/** Transfers are those that ended since the last frame, of traced runs alone. */
export interface Done {
  proc: number;
  incarnation: number;
  sections: readonly DoneSection[];
  /** ms since the Unix epoch that the columns of times count from */
  transferMs: number;
  /** from where */
  transferProcs: Uint32Array | undefined;
  transferBytes: Uint32Array | undefined;
  transferBeginsUs: Uint32Array | undefined;
  transferEndsUs: Uint32Array | undefined;
}

/** Reads the Done at byte `at`. */
export function readDone(r: Reader, at: number): Done {
  r.enter(at, 'Done');
  return {
    proc: r.u32(4, 0),
    incarnation: r.u32(6, 0),
    sections: r.tables(8, readDoneSection),
    transferMs: r.f64(10, 0),
    transferProcs: r.u32s(12),
    transferBytes: r.u32s(14),
    transferBeginsUs: r.u32s(16),
    transferEndsUs: r.u32s(18),
  };
}

/** Writes one Done; gives its offset. Members left out are absent from the frame. */
export function writeDone(w: Writer, m: Draft<Done>): number {
  const sections = w.tables(m.sections, writeDoneSection);
  const transferProcs = w.vector(m.transferProcs);
  const transferBytes = w.vector(m.transferBytes);
  const transferBeginsUs = w.vector(m.transferBeginsUs);
  const transferEndsUs = w.vector(m.transferEndsUs);
  w.start(8);
  w.f64(3, m.transferMs, 0);
  w.u32(0, m.proc, 0);
  w.u32(1, m.incarnation, 0);
  w.offset(2, sections);
  w.offset(4, transferProcs);
  w.offset(5, transferBytes);
  w.offset(6, transferBeginsUs);
  w.offset(7, transferEndsUs);
  return w.end();
}

/** Drop stored values. All rows of a run have the attempt given for the run. */
export interface Free {
  proc: number;
  incarnation: number;
  serials: Uint32Array | undefined;
  starts: Uint32Array | undefined;
  counts: Uint32Array | undefined;
  attempts: Uint32Array | undefined;
}

/** Reads the Free at byte `at`. */
export function readFree(r: Reader, at: number): Free {
  r.enter(at, 'Free');
  return {
    proc: r.u32(4, 0),
    incarnation: r.u32(6, 0),
    serials: r.u32s(8),
    starts: r.u32s(10),
    counts: r.u32s(12),
    attempts: r.u32s(14),
  };
}

/** Writes one Free; gives its offset. Members left out are absent from the frame. */
export function writeFree(w: Writer, m: Draft<Free>): number {
  const serials = w.vector(m.serials);
  const starts = w.vector(m.starts);
  const counts = w.vector(m.counts);
  const attempts = w.vector(m.attempts);
  w.start(6);
  w.u32(0, m.proc, 0);
  w.u32(1, m.incarnation, 0);
  w.offset(2, serials);
  w.offset(3, starts);
  w.offset(4, counts);
  w.offset(5, attempts);
  return w.end();
}

/** Definitions of layers and functions that no record will name any more: each is told once to every proc that was
 * given it, after the last frame that needs it. Serials are never used twice. */
export interface Forget {
  proc: number;
  incarnation: number;
  layers: Uint32Array | undefined;
  functions: Uint32Array | undefined;
}

/** Reads the Forget at byte `at`. */
export function readForget(r: Reader, at: number): Forget {
  r.enter(at, 'Forget');
  return {
    proc: r.u32(4, 0),
    incarnation: r.u32(6, 0),
    layers: r.u32s(8),
    functions: r.u32s(10),
  };
}

/** Writes one Forget; gives its offset. Members left out are absent from the frame. */
export function writeForget(w: Writer, m: Draft<Forget>): number {
  const layers = w.vector(m.layers);
  const functions = w.vector(m.functions);
  w.start(4);
  w.u32(0, m.proc, 0);
  w.u32(1, m.incarnation, 0);
  w.offset(2, layers);
  w.offset(3, functions);
  return w.end();
}

/** Lanes that came up or were lost. The record that ran when a lane died is reported Failed before this. */
export interface Lanes {
  proc: number;
  incarnation: number;
  lanes: Uint32Array | undefined;
  laneEpochs: Uint32Array | undefined;
  states: Uint8Array | undefined;
}

/** Reads the Lanes at byte `at`. */
export function readLanes(r: Reader, at: number): Lanes {
  r.enter(at, 'Lanes');
  return {
    proc: r.u32(4, 0),
    incarnation: r.u32(6, 0),
    lanes: r.u32s(8),
    laneEpochs: r.u32s(10),
    states: r.u8s(12),
  };
}

/** Writes one Lanes; gives its offset. Members left out are absent from the frame. */
export function writeLanes(w: Writer, m: Draft<Lanes>): number {
  const lanes = w.vector(m.lanes);
  const laneEpochs = w.vector(m.laneEpochs);
  const states = w.vector(m.states);
  w.start(5);
  w.u32(0, m.proc, 0);
  w.u32(1, m.incarnation, 0);
  w.offset(2, lanes);
  w.offset(3, laneEpochs);
  w.offset(4, states);
  return w.end();
}

/** Rows of one client layer in one state. Values and error texts stand in row order in payload part `part`
 * from byte `offset`, without gaps. */
export interface UpdateSection {
  /** client's layer number */
  layer: number;
  serial: number;
  state: RowState;
  /** runs of rows */
  starts: Uint32Array | undefined;
  counts: Uint32Array | undefined;
  /** of every row when codecs is absent */
  codec: Codec;
  codecs: Uint8Array | undefined;
  /** > 0: every row has this many bytes; else sizes */
  stride: number;
  /** bytes; for stored rows the size of the stored value, with no bytes in the payload */
  sizes: Uint32Array | undefined;
  /** Home per row; absent: all inline */
  homes: Uint8Array | undefined;
  /** proc per row where stored; absent: none is */
  procs: Uint32Array | undefined;
  /** absent: all 1 */
  attempts: Uint32Array | undefined;
  part: number;
  offset: number;
  /** Failed: the row that failed first */
  blameSerials: Uint32Array | undefined;
  blameIndices: Uint32Array | undefined;
}

/** Reads the UpdateSection at byte `at`. */
export function readUpdateSection(r: Reader, at: number): UpdateSection {
  r.enter(at, 'UpdateSection');
  return {
    layer: r.u32(4, 0),
    serial: r.u32(6, 0),
    state: r.enumeration(8, RowState.Done, 1, 4) as RowState,
    starts: r.u32s(10),
    counts: r.u32s(12),
    codec: r.enumeration(14, Codec.Undefined, 0, 7) as Codec,
    codecs: r.u8s(16),
    stride: r.u32(18, 0),
    sizes: r.u32s(20),
    homes: r.u8s(22),
    procs: r.u32s(24),
    attempts: r.u32s(26),
    part: r.u16(28, 65535),
    offset: r.u32(30, 0),
    blameSerials: r.u32s(32),
    blameIndices: r.u32s(34),
  };
}

/** Writes one UpdateSection; gives its offset. Members left out are absent from the frame. */
export function writeUpdateSection(w: Writer, m: Draft<UpdateSection>): number {
  const starts = w.vector(m.starts);
  const counts = w.vector(m.counts);
  const codecs = w.vector(m.codecs);
  const sizes = w.vector(m.sizes);
  const homes = w.vector(m.homes);
  const procs = w.vector(m.procs);
  const attempts = w.vector(m.attempts);
  const blameSerials = w.vector(m.blameSerials);
  const blameIndices = w.vector(m.blameIndices);
  w.start(16);
  w.u32(0, m.layer, 0);
  w.u32(1, m.serial, 0);
  w.offset(3, starts);
  w.offset(4, counts);
  w.offset(6, codecs);
  w.u32(7, m.stride, 0);
  w.offset(8, sizes);
  w.offset(9, homes);
  w.offset(10, procs);
  w.offset(11, attempts);
  w.u32(13, m.offset, 0);
  w.offset(14, blameSerials);
  w.offset(15, blameIndices);
  w.u16(12, m.part, 65535);
  w.u8(2, m.state, RowState.Done);
  w.u8(5, m.codec, Codec.Undefined);
  return w.end();
}

export interface Update {
  seq: number;
  sections: readonly UpdateSection[];
  peers: readonly Peer[];
}

/** Reads the Update at byte `at`. */
export function readUpdate(r: Reader, at: number): Update {
  r.enter(at, 'Update');
  return {
    seq: r.u32(4, 0),
    sections: r.tables(6, readUpdateSection),
    peers: r.tables(8, readPeer),
  };
}

/** Writes one Update; gives its offset. Members left out are absent from the frame. */
export function writeUpdate(w: Writer, m: Draft<Update>): number {
  const sections = w.tables(m.sections, writeUpdateSection);
  const peers = w.tables(m.peers, writePeer);
  w.start(3);
  w.u32(0, m.seq, 0);
  w.offset(1, sections);
  w.offset(2, peers);
  return w.end();
}

/** The client has digested every Update up to seq. */
export interface Credit {
  seq: number;
}

/** Reads the Credit at byte `at`. */
export function readCredit(r: Reader, at: number): Credit {
  r.enter(at, 'Credit');
  return {
    seq: r.u32(4, 0),
  };
}

/** Writes one Credit; gives its offset. Members left out are absent from the frame. */
export function writeCredit(w: Writer, m: Draft<Credit>): number {
  w.start(1);
  w.u32(0, m.seq, 0);
  return w.end();
}

/** Data sockets only (worker to worker, client to worker). The receiver pulls, so its window of outstanding
 * requests is the credit. A request asks for `bytes_max` bytes at most; larger values take several requests. */
export interface Fetch {
  request: number;
  serials: Uint32Array | undefined;
  indices: Uint32Array | undefined;
  attempts: Uint32Array | undefined;
  /** 4294967295: the whole value */
  parts: Uint32Array | undefined;
  /** where to begin in each value */
  offsets: Uint32Array | undefined;
  bytesMax: number;
}

/** Reads the Fetch at byte `at`. */
export function readFetch(r: Reader, at: number): Fetch {
  r.enter(at, 'Fetch');
  return {
    request: r.u32(4, 0),
    serials: r.u32s(6),
    indices: r.u32s(8),
    attempts: r.u32s(10),
    parts: r.u32s(12),
    offsets: r.u32s(14),
    bytesMax: r.u32(16, 0),
  };
}

/** Writes one Fetch; gives its offset. Members left out are absent from the frame. */
export function writeFetch(w: Writer, m: Draft<Fetch>): number {
  const serials = w.vector(m.serials);
  const indices = w.vector(m.indices);
  const attempts = w.vector(m.attempts);
  const parts = w.vector(m.parts);
  const offsets = w.vector(m.offsets);
  w.start(7);
  w.u32(0, m.request, 0);
  w.offset(1, serials);
  w.offset(2, indices);
  w.offset(3, attempts);
  w.offset(4, parts);
  w.offset(5, offsets);
  w.u32(6, m.bytesMax, 0);
  return w.end();
}

/** Answer: chunk i belongs to item `items[i]` of the request. Chunks stand in payload part 0, each at the next
 * multiple of 8. Items not mentioned did not fit and are asked for again. */
export interface Data {
  request: number;
  items: Uint32Array | undefined;
  codecs: Uint8Array | undefined;
  offsets: Uint32Array | undefined;
  /** bytes of this chunk */
  sizes: Uint32Array | undefined;
  /** bytes of the whole value (or part) */
  totals: Uint32Array | undefined;
  /** items this proc does not hold */
  missing: Uint32Array | undefined;
}

/** Reads the Data at byte `at`. */
export function readData(r: Reader, at: number): Data {
  r.enter(at, 'Data');
  return {
    request: r.u32(4, 0),
    items: r.u32s(6),
    codecs: r.u8s(8),
    offsets: r.u32s(10),
    sizes: r.u32s(12),
    totals: r.u32s(14),
    missing: r.u32s(16),
  };
}

/** Writes one Data; gives its offset. Members left out are absent from the frame. */
export function writeData(w: Writer, m: Draft<Data>): number {
  const items = w.vector(m.items);
  const codecs = w.vector(m.codecs);
  const offsets = w.vector(m.offsets);
  const sizes = w.vector(m.sizes);
  const totals = w.vector(m.totals);
  const missing = w.vector(m.missing);
  w.start(7);
  w.u32(0, m.request, 0);
  w.offset(1, items);
  w.offset(2, codecs);
  w.offset(3, offsets);
  w.offset(4, sizes);
  w.offset(5, totals);
  w.offset(6, missing);
  return w.end();
}

/** A client's scattered value, in chunks of at most 1 MiB, to rows of a Data layer. */
export interface Put {
  request: number;
  serial: number;
  index: number;
  codec: Codec;
  offset: number;
  total: number;
}

/** Reads the Put at byte `at`. */
export function readPut(r: Reader, at: number): Put {
  r.enter(at, 'Put');
  return {
    request: r.u32(4, 0),
    serial: r.u32(6, 0),
    index: r.u32(8, 0),
    codec: r.enumeration(10, Codec.Undefined, 0, 7) as Codec,
    offset: r.u32(12, 0),
    total: r.u32(14, 0),
  };
}

/** Writes one Put; gives its offset. Members left out are absent from the frame. */
export function writePut(w: Writer, m: Draft<Put>): number {
  w.start(6);
  w.u32(0, m.request, 0);
  w.u32(1, m.serial, 0);
  w.u32(2, m.index, 0);
  w.u32(4, m.offset, 0);
  w.u32(5, m.total, 0);
  w.u8(3, m.codec, Codec.Undefined);
  return w.end();
}

export interface PutReply {
  request: number;
  code: string | undefined;
  message: string | undefined;
}

/** Reads the PutReply at byte `at`. */
export function readPutReply(r: Reader, at: number): PutReply {
  r.enter(at, 'PutReply');
  return {
    request: r.u32(4, 0),
    code: r.string(6),
    message: r.string(8),
  };
}

/** Writes one PutReply; gives its offset. Members left out are absent from the frame. */
export function writePutReply(w: Writer, m: Draft<PutReply>): number {
  const code = w.string(m.code);
  const message = w.string(m.message);
  w.start(3);
  w.u32(0, m.request, 0);
  w.offset(1, code);
  w.offset(2, message);
  return w.end();
}
