//! Read-only answers for encoders and tools.

use crate::id::{FunctionSerial, Incarnation, LayerSerial, ProcId};
use crate::state::State;

/// What `DefineFunction` says.
#[derive(Clone, Copy, Debug)]
pub struct FunctionView<'a> {
    /// The scheduler's number.
    pub serial: FunctionSerial,
    /// SHA-256 of the body.
    pub hash: &'a [u8; 32],
    /// For people.
    pub name: &'a str,
    /// Opaque.
    pub body: &'a [u8],
}

/// What `DefineLayer` says.
#[derive(Clone, Copy, Debug)]
pub struct LayerView<'a> {
    /// The layer.
    pub serial: LayerSerial,
    /// Function serial; [`FUNCTION_PER_ROW`](crate::event::FUNCTION_PER_ROW): each record names its own.
    pub function: u32,
    /// For people.
    pub name: &'a str,
    /// Shared argument list.
    pub template: Option<&'a [u8]>,
    /// Codec of the row data.
    pub data_codec: u8,
}

/// What `Peers` says of a proc, and tools.
#[derive(Clone, Copy, Debug)]
pub struct ProcView<'a> {
    /// Its id.
    pub proc: ProcId,
    /// Its connection.
    pub incarnation: Incarnation,
    /// Equal on one machine.
    pub host: &'a str,
    /// For people.
    pub name: &'a str,
    /// Where its values are fetched.
    pub data_address: &'a str,
    /// Lanes that are up.
    pub lanes: u32,
    /// Records sent and not answered.
    pub in_flight: u64,
    /// Bytes of live values in its store.
    pub stored_bytes: u64,
}

/// Counters since the engine began, and what is there now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Results accepted.
    pub tasks_completed: u64,
    /// Tasks that failed for good, dependents not counted.
    pub tasks_failed: u64,
    /// Records sent.
    pub attempts: u64,
    /// Records and frames that spoke of something superseded.
    pub stale: u64,
    /// Events found malformed.
    pub malformed: u64,
    /// Rows in each state, by [`State`] as a number. Rows of pages not yet or no longer there are not counted.
    pub states: [u64; State::COUNT],
    /// Clients known.
    pub clients: u64,
    /// Procs known.
    pub procs: u64,
    /// Lanes that are up.
    pub lanes: u64,
    /// Layers known.
    pub layers: u64,
    /// Pages allocated.
    pub pages: u64,
    /// Bytes of inline values.
    pub inline_bytes: u64,
}

/// Why a row is where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// Its state.
    pub state: &'static str,
    /// For people.
    pub reason: String,
}
