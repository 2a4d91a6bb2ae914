//! Everything that can happen to the engine: a closed set. Events borrow columns straight from verified frames,
//! so decoding allocates nothing per task. Wire-independent: an absent column is an empty one.

use crate::column::{I32s, U8s, U16s, U32s};
use crate::id::{ClientId, Incarnation, LayerSerial, Millis, ProcId};

/// One thing that happened. `Engine::apply` has no other input but the time.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A client said hello.
    ClientJoined {
        /// Its id, never used before in this epoch.
        client: ClientId,
        /// Update frames it takes before its next credit.
        update_credit: u32,
    },
    /// A client that was lost is back within its grace: every state of its rows is told again.
    ClientResumed {
        /// The id it had.
        client: ClientId,
        /// Update frames it takes before its next credit.
        update_credit: u32,
    },
    /// A client's connection is gone; its demand is kept until `deadline`, then a `Tick` releases it.
    ClientLost {
        /// Who.
        client: ClientId,
        /// When its demand ends.
        deadline: Millis,
    },
    /// A client said goodbye: its demand is released at once.
    ClientLeft {
        /// Who.
        client: ClientId,
    },
    /// A client defines a function.
    FunctionDefined(FunctionDefined<'a>),
    /// A client describes work: one frame, taken or refused as a whole.
    GraphSubmitted(Submit<'a>),
    /// A client wants rows.
    Wanted(Demand<'a>),
    /// A client no longer wants rows.
    Released(Demand<'a>),
    /// A client cancels rows and all that depends on them.
    Cancelled(Demand<'a>),
    /// A client asks that the present state of rows be told again.
    Gathered(Demand<'a>),
    /// A client has digested every update up to `seq`.
    Credited {
        /// Who.
        client: ClientId,
        /// The last update digested.
        seq: u32,
    },
    /// A worker process said hello.
    ProcJoined(ProcJoined<'a>),
    /// A worker process is gone, its store with it.
    ProcLost {
        /// Who.
        proc: ProcId,
        /// Which connection of it.
        incarnation: Incarnation,
    },
    /// Lanes of a proc came up or were lost.
    LanesChanged {
        /// Who says so.
        from: Fence,
        /// Lane numbers.
        lanes: U32s<'a>,
        /// The epoch that came up or was lost.
        lane_epochs: U32s<'a>,
        /// 1 up, 2 lost.
        states: U8s<'a>,
    },
    /// Outcomes of records.
    Done {
        /// Who says so.
        from: Fence,
        /// One section per lane and layer.
        sections: &'a [DoneSection<'a>],
    },
    /// Time passed: graces that ended are acted upon.
    Tick,
}

/// What every frame of a worker says of its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fence {
    /// From the frame's header.
    pub epoch: u32,
    /// The sender, as the connection proves it.
    pub proc: ProcId,
    /// The sender's incarnation as the frame claims it.
    pub incarnation: Incarnation,
}

/// A function of a client, by content hash. The body is opaque.
#[derive(Clone, Copy, Debug)]
pub struct FunctionDefined<'a> {
    /// Who defines it.
    pub client: ClientId,
    /// The client's number for it.
    pub function: u32,
    /// SHA-256 of the body.
    pub hash: [u8; 32],
    /// For people.
    pub name: &'a str,
    /// What workers need to run it.
    pub body: &'a [u8],
}

/// Ranges of a client's rows: three equally long columns.
#[derive(Clone, Copy, Debug)]
pub struct Demand<'a> {
    /// Whose rows.
    pub client: ClientId,
    /// The client's layer numbers.
    pub layers: U32s<'a>,
    /// First rows.
    pub starts: U32s<'a>,
    /// Numbers of rows.
    pub counts: U32s<'a>,
    /// Cancel: why, for people.
    pub reason: &'a str,
}

/// A worker process that joins.
#[derive(Clone, Copy, Debug)]
pub struct ProcJoined<'a> {
    /// Never used before in this epoch, at least 1.
    pub proc: ProcId,
    /// Said in every frame both ways.
    pub incarnation: Incarnation,
    /// Equal on one machine.
    pub host: &'a str,
    /// For people.
    pub name: &'a str,
    /// Lanes 0 … lanes - 1 are up, each at lane epoch 1.
    pub lanes: u32,
    /// Where its values are fetched.
    pub data_address: &'a str,
    /// Managed memory limit; 0: unknown.
    pub memory_bytes: u64,
    /// It takes records sent ahead of their inputs.
    pub ahead: bool,
}

/// What a client submits in one frame.
#[derive(Clone, Copy, Debug)]
pub struct Submit<'a> {
    /// Whose.
    pub client: ClientId,
    /// The client's number for the graph, echoed in the answer.
    pub graph: u32,
    /// Its layers, upstream before downstream.
    pub layers: &'a [LayerSpec<'a>],
}

/// How a layer's edges are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum LayerKind {
    /// CSR columns.
    #[default]
    Explicit = 0,
    /// Row i reads row `first + i` of each input.
    Map = 1,
    /// The same by another name: several inputs.
    Blockwise = 2,
    /// Levels of `fan_in` over one input, the root last.
    TreeReduce = 3,
    /// Values a client scatters: no function, no inputs.
    Data = 4,
    /// Row i reads the rows around row `first + i` of each input that is not broadcast.
    Window = 5,
}

impl LayerKind {
    /// The kind with this number.
    pub fn from_u8(kind: u8) -> Option<LayerKind> {
        [
            LayerKind::Explicit,
            LayerKind::Map,
            LayerKind::Blockwise,
            LayerKind::TreeReduce,
            LayerKind::Data,
            LayerKind::Window,
        ]
        .get(usize::from(kind))
        .copied()
    }
}

/// The whole value of an input, in a `part` column.
pub const WHOLE: u32 = u32::MAX;

/// In [`LayerSpec::function`]: the layer names no function, each row does.
pub const FUNCTION_PER_ROW: u32 = u32::MAX;

/// One upstream layer of a regular layer.
#[derive(Clone, Copy, Debug)]
pub struct InputSpec {
    /// The client's layer number.
    pub layer: u32,
    /// First row used.
    pub first: u32,
    /// One part of each row's value, or [`WHOLE`].
    pub part: u32,
    /// Every row reads the same `count` rows.
    pub broadcast: bool,
    /// Broadcast: rows read by every row, 0 is 1. Tree: rows it is over, 0: all from `first` on.
    pub count: u32,
}

/// Rows of one layer as a client describes them; fields as in `schemas/graph.fbs`.
#[derive(Clone, Copy, Debug, Default)]
pub struct LayerSpec<'a> {
    /// The client's number; ascending.
    pub layer: u32,
    /// How edges are known.
    pub kind: LayerKind,
    /// Rows the layer already holds (append), else 0.
    pub first: u32,
    /// Rows in this message.
    pub tasks: u32,
    /// For people.
    pub name: &'a str,
    /// The client's function number.
    pub function: u32,
    /// Higher first.
    pub priority: i32,
    /// Runs after the first that a failure may cost.
    pub retries: u16,
    /// 0: none.
    pub timeout_ms: u32,
    /// Handed to workers.
    pub resource_class: u8,
    /// Bit 0: rows are wanted by the client. Bit 2: the last row alone is.
    pub flags: u8,
    /// Shared argument list; None: the item, then the inputs.
    pub template: Option<&'a [u8]>,
    /// Codec of the row data.
    pub data_codec: u8,
    /// > 0: bytes of row data of every row.
    pub data_stride: u32,
    /// Bytes of row data per row when there is no stride.
    pub data_sizes: U32s<'a>,
    /// Row data of all rows, without gaps; None: rows have none.
    pub data: Option<&'a [u8]>,
    /// Regular: not 0: row i's data is the double `range_start + i * range_step`.
    pub range_step: f64,
    /// See `range_step`.
    pub range_start: f64,
    /// Upstream layers of a regular layer.
    pub inputs: &'a [InputSpec],
    /// TreeReduce: rows read by one row.
    pub fan_in: u32,
    /// Window: rows it reaches to either side.
    pub radius: u32,
    /// Window: beyond one end follows the other; else it is cut short there.
    pub periodic: bool,
    /// Explicit: tasks + 1 offsets; absent: no dependencies.
    pub dep_offsets: U32s<'a>,
    /// Layer of every dependency when `dep_layers` is absent.
    pub dep_layer: u32,
    /// Layer of each dependency.
    pub dep_layers: U32s<'a>,
    /// Row of each dependency.
    pub dep_indices: U32s<'a>,
    /// Part of each dependency's value; absent: whole.
    pub dep_parts: U32s<'a>,
    /// Function of each row; absent: `function`.
    pub functions: U32s<'a>,
    /// Priority of each row; absent: `priority`.
    pub priorities: I32s<'a>,
    /// Retries of each row; absent: `retries`.
    pub row_retries: U16s<'a>,
    /// Timeout of each row; absent: `timeout_ms`.
    pub row_timeouts_ms: U32s<'a>,
    /// Rows with an explicit key.
    pub key_rows: U32s<'a>,
    /// Their keys.
    pub keys: &'a [&'a str],
}

/// What a worker says of the records of a section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// Here is the result.
    #[default]
    Ok = 0,
    /// Here is the error.
    Failed = 1,
    /// An input could not be fetched; the record did not run.
    MissingInput = 2,
    /// Taken back before it started.
    Retracted = 3,
    /// Its body waits for tasks it submitted. The lane goes on with others; the outcome follows from its aside.
    Seceded = 4,
}

impl Outcome {
    /// The outcome with this number.
    pub fn from_u8(outcome: u8) -> Option<Outcome> {
        [
            Outcome::Ok,
            Outcome::Failed,
            Outcome::MissingInput,
            Outcome::Retracted,
            Outcome::Seceded,
        ]
        .get(usize::from(outcome))
        .copied()
    }
}

/// In [`DoneSection::lane`]: not a lane but the proc's main thread speaks (a client's scattered values).
pub const NO_LANE: u32 = u32::MAX;

/// Outcomes of records of one layer from one lane; fields as in `schemas/dispatch.fbs`.
#[derive(Clone, Copy, Debug, Default)]
pub struct DoneSection<'a> {
    /// Which lane, or [`NO_LANE`].
    pub lane: u32,
    /// Which thread of that lane.
    pub lane_epoch: u32,
    /// The layer.
    pub serial: LayerSerial,
    /// Of every record.
    pub outcome: Outcome,
    /// First row when `indices` is absent.
    pub first: u32,
    /// Records.
    pub count: u32,
    /// Rows.
    pub indices: U32s<'a>,
    /// Attempts; absent: all 1.
    pub attempts: U32s<'a>,
    /// Codec of every value when `codecs` is absent.
    pub codec: u8,
    /// Codec of each value.
    pub codecs: U8s<'a>,
    /// Bytes of every value when `sizes` is absent.
    pub stride: u32,
    /// Bytes of each value.
    pub sizes: U32s<'a>,
    /// 0 inline, 1 stored; absent: all inline.
    pub homes: U8s<'a>,
    /// Inline values (and errors) in record order, without gaps. Absent payload: empty.
    pub values: &'a [u8],
    /// Wall time of user code, all records together.
    pub duration_us: u32,
    /// Wall time of each record; absent: `duration_us` is spread evenly.
    pub durations_us: U32s<'a>,
    /// Failed: may be retried.
    pub retryable: bool,
    /// MissingInput: the input per record.
    pub missing_serials: U32s<'a>,
    /// MissingInput: its row.
    pub missing_indices: U32s<'a>,
    /// MissingInput: the proc that should have held it.
    pub missing_procs: U32s<'a>,
}

/// An event that says what no correct peer says. The engine is as it was; the peer ought to be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Parallel columns of unequal length, or values that do not add up to the payload.
    Columns,
    /// A client the engine does not know.
    UnknownClient,
    /// An id that is in use or out of range.
    Id,
    /// A number beyond its limit.
    Limit,
}
