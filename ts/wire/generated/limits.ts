// Generated from schemas/limits.json by `npm run codegen`: do not edit.

/** Frames of another major version are refused. */
export const PROTOCOL_MAJOR = 1;

/** Appended fields raise this. */
export const PROTOCOL_MINOR = 0;

/** Bytes before the FlatBuffer. */
export const HEADER_BYTES = 16;

/** 'H', 'e' read as a little-endian u16. */
export const HEADER_MAGIC = 25_928;

/** Largest part on a control socket. */
export const CONTROL_FRAME_BYTES_MAX = 67_108_864;

/** Payload parts of one frame. */
export const PAYLOAD_PARTS_MAX = 4096;

/** Largest chunk on a data socket. */
export const CHUNK_BYTES_MAX = 1_048_576;

/** Larger results stay in the proc's store. */
export const INLINE_BYTES_MAX = 1024;

/** Records of one section. */
export const RECORDS_PER_SECTION_MAX = 65_536;

/** Sections of one frame. */
export const SECTIONS_PER_FRAME_MAX = 16_384;

/** Rows of one layer. */
export const TASKS_PER_LAYER_MAX = 268_435_456;

/** Rows with per-row columns in one Submit frame. */
export const TASKS_PER_SUBMIT_MAX = 4_194_304;

/** Inputs of one task. */
export const DEPS_PER_TASK_MAX = 1_048_576;

/** Layers of one Submit frame. */
export const LAYERS_PER_SUBMIT_MAX = 4096;

/** Records in flight to one lane. */
export const CREDIT_TASKS_PER_LANE_MAX = 4096;

/** Argument and inline bytes in flight to one lane. */
export const CREDIT_BYTES_PER_LANE_MAX = 8_388_608;

/** Update frames in flight to one client. */
export const UPDATE_CREDIT_MAX = 64;

/** Lanes of one worker process. */
export const LANES_PER_PROC_MAX = 256;

/** Worker processes. */
export const PROCS_MAX = 65_535;

/** A shipped function. */
export const FUNCTION_BODY_BYTES_MAX = 1_048_576;

/** A layer's shared arguments. */
export const TEMPLATE_BYTES_MAX = 1_048_576;

/** Row data of one task; larger values are scattered. */
export const ROW_DATA_BYTES_MAX = 1_048_576;

/** A name, host, address or reason. */
export const TEXT_BYTES_MAX = 4096;

/** An explicit key. */
export const KEY_BYTES_MAX = 512;

/** An error message or stack. */
export const ERROR_TEXT_CHARS_MAX = 10_000;

/** An encoded error with its causes. */
export const ERROR_BYTES_MAX = 262_144;

/** Capabilities of one peer. */
export const CAPABILITIES_MAX = 64;

/** Upstream layers of a regular layer. */
export const INPUTS_PER_LAYER_MAX = 256;

/** Rows a window reaches to either side. */
export const WINDOW_RADIUS_MAX = 1024;

/** Templates of one client. */
export const TEMPLATES_PER_CLIENT_MAX = 1024;

/** All templates of one client. */
export const TEMPLATES_BYTES_MAX = 67_108_864;

/** Application heartbeats. */
export const HEARTBEAT_MS = 1000;

/** Silence after which a peer is lost. */
export const PEER_DEADLINE_MS = 4000;

/** How long a lost client's demand is kept. */
export const CLIENT_GRACE_MS = 30_000;
