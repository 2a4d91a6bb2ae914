//! One row's hot columns, packed so that touching a row in any way costs one cache line.

use crate::id::Task;
use crate::ledger::Ledger;
use crate::state::State;

/// The client wants the row's result.
pub const WANTED: u8 = 1;
/// In memory: the value is in a proc's store.
pub const STORED: u8 = 1 << 1;
/// Has a priority of its own and so stands in the ordered queue, not in its layer's set.
pub const ODD: u8 = 1 << 2;
/// Lists of waiting rows may name this row more than once: count its unmet inputs afresh at each notice.
pub const RESCAN: u8 = 1 << 3;
/// The page still holds this row's arguments.
pub const ARGS: u8 = 1 << 4;
/// Gave up its claim on the lineage of its inputs: it can never run again.
pub const DETACHED: u8 = 1 << 5;
/// Was in flight when a proc was lost: runs alone until it is finished.
pub const SUSPECT: u8 = 1 << 6;
/// Somebody needed it once: when nobody does any more, it is forgotten.
pub const USED: u8 = 1 << 7;

/// In [`Row::len`]: the value cell is the handle of a blob.
pub const BLOB: u8 = u8::MAX;

/// A row.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    state: State,
    /// Bits above.
    pub flags: u8,
    /// Codec of the value.
    pub codec: u8,
    /// Inline: bytes in `value` (at most 8) or [`BLOB`]. Ahead: inputs not in memory.
    pub len: u8,
    /// Waiting: inputs not in memory. Processing, ahead: lane slot. Memory, stored: proc id. Erred: error handle.
    pub at: u32,
    /// Edges of active consumers: they need the value.
    pub refs: u32,
    /// Edges of all consumers that may ever run (again): they need the lineage. At least `refs`.
    pub dependents: u32,
    /// Inline: the bytes, or a blob's handle. Stored: size below, counted list of waiting rows above. Not in
    /// memory: list of waiting rows.
    pub value: u64,
}

const _: () = assert!(size_of::<Row>() == 24);

impl Row {
    /// A row nobody needs yet.
    pub fn new(flags: u8) -> Row {
        Row {
            state: State::Released,
            flags,
            codec: 0,
            len: 0,
            at: 0,
            refs: 0,
            dependents: 0,
            value: 0,
        }
    }

    /// Where it is.
    #[inline]
    pub fn state(&self) -> State {
        self.state
    }

    /// The only writer of a state.
    #[inline]
    pub fn set_state(&mut self, task: Task, to: State, ledger: &mut Ledger) {
        ledger.record(task, self.state, to);
        self.state = to;
    }

    /// True when all of `bits` are set.
    #[inline]
    pub fn is(&self, bits: u8) -> bool {
        self.flags & bits == bits
    }

    /// True when a client or an active consumer needs the value.
    #[inline]
    pub fn needed(&self) -> bool {
        self.refs > 0 || self.flags & WANTED != 0
    }

    /// Between demanded and done: it holds references to its inputs' values.
    #[inline]
    pub fn active(&self) -> bool {
        matches!(
            self.state,
            State::Waiting | State::Queued | State::NoWorker | State::Processing | State::Ahead
        )
    }

    /// The list of rows that wait for it (see `waiters`); 0: none.
    #[inline]
    pub fn list(&self) -> u64 {
        match (self.state, self.flags & STORED) {
            (State::Memory, 0) => 0,
            (State::Memory, _) => self.value >> 32 << 32,
            _ => self.value,
        }
    }

    /// Sets the counted list of a stored row.
    #[inline]
    pub fn set_counted(&mut self, head: u32) {
        self.value = self.value & 0xffff_ffff | u64::from(head) << 32;
    }
}
