// One message of every kind, as each side would send it. The golden frames in test/compat/golden are these.
import * as wire from '#heddle/wire/index.js';

const u32 = (...values: number[]): Uint32Array => Uint32Array.from(values);
const u8 = (...values: number[]): Uint8Array => Uint8Array.from(values);
export const EPOCH = 0xdead_beef;

/** Eight bytes per value. */
export const doubles = (...values: number[]): Uint8Array =>
  new Uint8Array(Float64Array.from(values).buffer);

export interface Fixture {
  readonly name: string;
  readonly parts: wire.FrameParts;
  readonly message: object;
  readonly decode: (frame: wire.Frame) => object;
}

function fixture<T extends object>(
  name: string,
  message: T,
  encode: (message: T) => wire.FrameParts,
  decode: (frame: wire.Frame) => object,
): Fixture {
  return { name, message, parts: encode(message), decode };
}

const demand = { layers: u32(1, 2), starts: u32(0, 10), counts: u32(5, 1), reason: 'why' };
const demandOf =
  (kind: wire.DemandKind) =>
  (message: typeof demand): wire.FrameParts =>
    wire.encodeDemand(kind, EPOCH, message);

const at =
  <T>(encode: (epoch: number, message: T) => wire.FrameParts) =>
  (message: T): wire.FrameParts =>
    encode(EPOCH, message);

/** What clients and workers send: written here, read by the scheduler. */
export const INBOUND: readonly Fixture[] = [
  fixture(
    'hello-client',
    {
      role: wire.Role.Client,
      session: Uint8Array.from({ length: 16 }, (_, i) => i),
      packageVersion: '0.1.0',
      capabilities: ['map', 'blockwise'],
      name: 'a client',
      host: 'höst',
      pid: 4242,
      updateCredit: 16,
      graceMs: 30_000,
    },
    wire.encodeHello,
    wire.decodeHello,
  ),
  fixture(
    'hello-worker',
    {
      role: wire.Role.Worker,
      packageVersion: '0.1.0',
      keyBinding: u8(1, 2, 3),
      name: 'w0',
      host: 'here',
      pid: 7,
      dataAddress: 'ipc:///tmp/x',
      lanes: 2,
      memoryBytes: 2 ** 40,
    },
    wire.encodeHello,
    wire.decodeHello,
  ),
  fixture('bye', { reason: 'close()' }, at(wire.encodeBye), wire.decodeBye),
  fixture(
    'heartbeat',
    {
      peer: 3,
      incarnation: 3,
      loopLagUs: 120,
      rssBytes: 1e9,
      storedValues: 5,
      cpuComputeNs: 2 ** 53,
    },
    at(wire.encodeHeartbeat),
    wire.decodeHeartbeat,
  ),
  fixture(
    'query',
    { request: 9, what: 'stats', body: '{}' },
    at(wire.encodeQuery),
    wire.decodeQuery,
  ),
  fixture(
    'define-function',
    { function: 5, hash: new Uint8Array(32).fill(7), name: 'square', body: u8(1, 2, 3) },
    at(wire.encodeDefineFunction),
    wire.decodeDefineFunction,
  ),
  fixture(
    'submit',
    {
      graph: 11,
      layers: [
        {
          layer: 1,
          kind: wire.LayerKind.Map,
          tasks: 3,
          name: 'square',
          function: 5,
          priority: -2,
          retries: 3,
          timeoutMs: 1000,
          flags: 1,
          template: u8(0x91, 0xc0),
          dataCodec: wire.Codec.F64,
          dataStride: 8,
          dataPart: 0,
        },
        {
          layer: 2,
          kind: wire.LayerKind.Explicit,
          tasks: 2,
          name: 'sum',
          function: 6,
          depOffsets: u32(0, 2, 3),
          depLayer: 1,
          depIndices: u32(0, 2, 1),
          depParts: u32(wire.WHOLE_VALUE, 0, 1),
          priorities: Int32Array.of(-1, 1),
          rowRetries: Uint16Array.of(0, 65_535),
          dataCodec: wire.Codec.Msgpack,
          dataSizes: u32(1, 2),
          dataPart: 1,
          keyRows: u32(1),
          keys: ['the-sum'],
        },
        {
          layer: 3,
          kind: wire.LayerKind.TreeReduce,
          tasks: 1,
          function: 6,
          inputs: [{ layer: 2, first: 0, part: wire.WHOLE_VALUE, broadcast: true }],
          fanIn: 8,
        },
      ],
    },
    (message) => wire.encodeSubmit(EPOCH, message, [doubles(1, 2, 3), u8(1, 2, 3)]),
    wire.decodeSubmit,
  ),
  fixture('want', demand, demandOf(wire.Kind.Want), wire.decodeDemand),
  fixture('release', demand, demandOf(wire.Kind.Release), wire.decodeDemand),
  fixture('cancel', demand, demandOf(wire.Kind.Cancel), wire.decodeDemand),
  fixture('gather', demand, demandOf(wire.Kind.Gather), wire.decodeDemand),
  fixture('credit', { seq: 77 }, at(wire.encodeCredit), wire.decodeCredit),
  fixture(
    'done',
    {
      proc: 3,
      incarnation: 3,
      sections: [
        {
          lane: 1,
          laneEpoch: 1,
          serial: 40,
          outcome: wire.Outcome.Ok,
          first: 100,
          count: 3,
          codec: wire.Codec.F64,
          stride: 8,
          part: 0,
          durationUs: 12,
        },
        {
          lane: 1,
          laneEpoch: 1,
          serial: 41,
          outcome: wire.Outcome.Ok,
          count: 2,
          indices: u32(9, 4),
          attempts: u32(2, 1),
          codecs: u8(wire.Codec.Msgpack, wire.Codec.Bytes),
          sizes: u32(3, 5000),
          homes: u8(wire.Home.Inline, wire.Home.Stored),
          part: 0,
          offset: 24,
          durationsUs: u32(5, 6),
        },
        {
          lane: 0,
          laneEpoch: 2,
          serial: 41,
          outcome: wire.Outcome.MissingInput,
          count: 1,
          indices: u32(7),
          missingSerials: u32(40),
          missingIndices: u32(101),
          missingProcs: u32(2),
        },
      ],
    },
    (message) =>
      wire.encodeDone(EPOCH, message, [new Uint8Array([...doubles(1.5, -0, 3), 0x92, 1, 2])]),
    wire.decodeDone,
  ),
  fixture(
    'lanes',
    { proc: 3, incarnation: 3, lanes: u32(0, 1), laneEpochs: u32(1, 2), states: u8(2, 1) },
    at(wire.encodeLanes),
    wire.decodeLanes,
  ),
];

/** What workers and clients say on data sockets. */
export const DATA: readonly Fixture[] = [
  fixture(
    'fetch',
    {
      request: 1,
      serials: u32(40, 40),
      indices: u32(1, 2),
      attempts: u32(1, 1),
      parts: u32(wire.WHOLE_VALUE, 3),
      offsets: u32(0, 1 << 20),
      bytesMax: 1 << 20,
    },
    at(wire.encodeFetch),
    wire.decodeFetch,
  ),
  fixture(
    'data',
    {
      request: 1,
      items: u32(0, 1),
      codecs: u8(wire.Codec.Bytes, wire.Codec.Msgpack),
      offsets: u32(0, 16),
      sizes: u32(3, 4),
      totals: u32(3, 20),
      missing: u32(7),
    },
    (message) => wire.encodeData(EPOCH, message, [u8(1, 2, 3, 0, 0, 0, 0, 0, 4, 5, 6, 7)]),
    wire.decodeData,
  ),
  fixture(
    'put',
    { request: 4, serial: 50, index: 2, codec: wire.Codec.Bytes, offset: 0, total: 3 },
    (message) => wire.encodePut(EPOCH, message, u8(7, 8, 9)),
    wire.decodePut,
  ),
  fixture(
    'put-reply',
    { request: 4, code: 'ERR_INTERNAL', message: 'no' },
    at(wire.encodePutReply),
    wire.decodePutReply,
  ),
];

/** What the scheduler sends: golden frames of it are written by its own encoder. */
export const OUTBOUND: readonly Fixture[] = [
  fixture(
    'welcome',
    {
      peer: 3,
      incarnation: 4,
      epoch: EPOCH,
      heartbeatMs: 1000,
      inlineBytesMax: 1024,
      packageVersion: '0.1.0',
      capabilities: ['map'],
    },
    at(wire.encodeWelcome),
    wire.decodeWelcome,
  ),
  fixture(
    'reject',
    { code: 'ERR_PROTOCOL_VERSION', message: 'other version' },
    at(wire.encodeReject),
    wire.decodeReject,
  ),
  fixture('reply', { request: 9, body: '{"a":1}' }, at(wire.encodeReply), wire.decodeReply),
  fixture(
    'notice',
    { code: 'ERR_NO_WORKERS', message: 'waiting', cleared: true },
    at(wire.encodeNotice),
    wire.decodeNotice,
  ),
  fixture(
    'accepted',
    { graph: 11, layers: u32(1, 2), serials: u32(40, 41) },
    at(wire.encodeAccepted),
    wire.decodeAccepted,
  ),
  fixture(
    'refused',
    { graph: 11, code: 'ERR_GRAPH_CYCLE', message: 'rows wait for each other', layer: 2, index: 1 },
    at(wire.encodeRefused),
    wire.decodeRefused,
  ),
  fixture(
    'peers',
    {
      peers: [{ proc: 3, incarnation: 4, address: 'ipc:///tmp/x', host: 'here' }],
      gone: u32(1, 2),
    },
    at(wire.encodePeers),
    wire.decodePeers,
  ),
  fixture(
    'define-layer',
    {
      serial: 40,
      function: 5,
      name: 'square',
      template: u8(0x91, 0xc0),
      dataCodec: wire.Codec.F64,
    },
    at(wire.encodeDefineLayer),
    wire.decodeDefineLayer,
  ),
  fixture(
    'assign',
    {
      proc: 3,
      incarnation: 4,
      sections: [
        {
          lane: 1,
          laneEpoch: 1,
          serial: 40,
          first: 100,
          count: 3,
          part: 0,
          dataStride: 8,
        },
        {
          lane: 0,
          laneEpoch: 2,
          serial: 41,
          count: 2,
          indices: u32(5, 9),
          attempts: u32(1, 2),
          priorities: Int32Array.of(-1, 1),
          timeoutsMs: u32(0, 500),
          part: 0,
          depCounts: u32(1, 2),
          depSerial: 40,
          depIndices: u32(100, 101, 102),
          depProcs: u32(0, 2, 0),
          depCodec: wire.Codec.F64,
          depSizes: u32(8, 4096, 8),
          depOffset: 24,
        },
      ],
    },
    (message) => wire.encodeAssign(EPOCH, message, [doubles(1, 2, 3, 4, 5)]),
    wire.decodeAssign,
  ),
  // Rows whose data is of zero bytes: sizes of 0 tell them from rows without data.
  fixture(
    'assign-empty-data',
    {
      proc: 3,
      incarnation: 4,
      sections: [{ laneEpoch: 1, serial: 42, count: 2, dataSizes: u32(0, 0) }],
    },
    at(wire.encodeAssign),
    wire.decodeAssign,
  ),
  fixture(
    'retract',
    {
      proc: 3,
      incarnation: 4,
      sections: [
        { lane: 1, laneEpoch: 1, serial: 40, indices: u32(101), attempts: u32(1), cancel: true },
      ],
    },
    at(wire.encodeRetract),
    wire.decodeRetract,
  ),
  fixture(
    'free',
    {
      proc: 3,
      incarnation: 4,
      serials: u32(40, 41),
      starts: u32(0, 9),
      counts: u32(100, 1),
      attempts: u32(1, 2),
    },
    at(wire.encodeFree),
    wire.decodeFree,
  ),
  fixture(
    'forget',
    { proc: 3, incarnation: 4, layers: u32(40, 41), functions: u32(5) },
    at(wire.encodeForget),
    wire.decodeForget,
  ),
  fixture(
    'update',
    {
      seq: 5,
      sections: [
        {
          layer: 1,
          serial: 40,
          state: wire.RowState.Done,
          starts: u32(0, 5),
          counts: u32(2, 1),
          codec: wire.Codec.F64,
          stride: 8,
          part: 0,
        },
        {
          layer: 2,
          serial: 41,
          state: wire.RowState.Failed,
          starts: u32(7),
          counts: u32(2),
          codec: wire.Codec.Error,
          sizes: u32(2, 9000),
          homes: u8(wire.Home.Inline, wire.Home.Stored),
          procs: u32(0, 3),
          attempts: u32(1, 4),
          part: 0,
          offset: 24,
          blameSerials: u32(40, 41),
          blameIndices: u32(3, 8),
        },
      ],
      peers: [{ proc: 3, incarnation: 4, address: 'ipc:///tmp/x', host: 'here' }],
    },
    (message) =>
      wire.encodeUpdate(EPOCH, message, [new Uint8Array([...doubles(1, 2, 3), 0x81, 0xc0])]),
    wire.decodeUpdate,
  ),
];

export const ALL: readonly Fixture[] = [...INBOUND, ...DATA, ...OUTBOUND];
