// Generated from schemas/limits.json by `npm run codegen`: do not edit.

//! Limits every part agrees on; each is enforced where its comment says, on both sides of the wire.

/// Frames of another major version are refused.
pub const PROTOCOL_MAJOR: usize = 1;

/// Appended fields raise this.
pub const PROTOCOL_MINOR: usize = 0;

/// Bytes before the FlatBuffer.
pub const HEADER_BYTES: usize = 16;

/// 'H', 'e' read as a little-endian u16.
pub const HEADER_MAGIC: usize = 25_928;

/// Largest part on a control socket.
pub const CONTROL_FRAME_BYTES_MAX: usize = 67_108_864;

/// Payload parts of one frame.
pub const PAYLOAD_PARTS_MAX: usize = 4096;

/// Largest chunk on a data socket.
pub const CHUNK_BYTES_MAX: usize = 1_048_576;

/// Larger results stay in the proc's store.
pub const INLINE_BYTES_MAX: usize = 1024;

/// Records of one section.
pub const RECORDS_PER_SECTION_MAX: usize = 65_536;

/// Sections of one frame.
pub const SECTIONS_PER_FRAME_MAX: usize = 16_384;

/// Rows of one layer.
pub const TASKS_PER_LAYER_MAX: usize = 268_435_456;

/// Rows with per-row columns in one Submit frame.
pub const TASKS_PER_SUBMIT_MAX: usize = 4_194_304;

/// Inputs of one task.
pub const DEPS_PER_TASK_MAX: usize = 1_048_576;

/// Layers of one Submit frame.
pub const LAYERS_PER_SUBMIT_MAX: usize = 4096;

/// Records in flight to one lane.
pub const CREDIT_TASKS_PER_LANE_MAX: usize = 4096;

/// Argument and inline bytes in flight to one lane.
pub const CREDIT_BYTES_PER_LANE_MAX: usize = 8_388_608;

/// Update frames in flight to one client.
pub const UPDATE_CREDIT_MAX: usize = 64;

/// Lanes of one worker process.
pub const LANES_PER_PROC_MAX: usize = 256;

/// Worker processes.
pub const PROCS_MAX: usize = 65_535;

/// A shipped function.
pub const FUNCTION_BODY_BYTES_MAX: usize = 1_048_576;

/// A layer's shared arguments.
pub const TEMPLATE_BYTES_MAX: usize = 1_048_576;

/// Row data of one task; larger values are scattered.
pub const ROW_DATA_BYTES_MAX: usize = 1_048_576;

/// A name, host, address or reason.
pub const TEXT_BYTES_MAX: usize = 4096;

/// An explicit key.
pub const KEY_BYTES_MAX: usize = 512;

/// An error message or stack.
pub const ERROR_TEXT_CHARS_MAX: usize = 10_000;

/// An encoded error with its causes.
pub const ERROR_BYTES_MAX: usize = 262_144;

/// Capabilities of one peer.
pub const CAPABILITIES_MAX: usize = 64;

/// Upstream layers of a regular layer.
pub const INPUTS_PER_LAYER_MAX: usize = 256;

/// Rows a window reaches to either side.
pub const WINDOW_RADIUS_MAX: usize = 1024;

/// Templates of one client.
pub const TEMPLATES_PER_CLIENT_MAX: usize = 1024;

/// All templates of one client.
pub const TEMPLATES_BYTES_MAX: usize = 67_108_864;

/// Application heartbeats.
pub const HEARTBEAT_MS: usize = 1000;

/// Silence after which a peer is lost.
pub const PEER_DEADLINE_MS: usize = 4000;

/// How long a lost client's demand is kept.
pub const CLIENT_GRACE_MS: usize = 30_000;
