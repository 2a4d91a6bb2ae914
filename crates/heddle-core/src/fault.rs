//! Why a submission is refused: a stable code, where, and what to do.

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Stable code of the one table.
    pub code: &'static str,
    /// For people: what and how to fix it.
    pub message: String,
    /// The client's layer number.
    pub layer: u32,
    /// The row, if one is to blame.
    pub index: u32,
}

/// A column, bound or reference is wrong.
pub const GRAPH_INVALID: &str = "ERR_GRAPH_INVALID";
/// Rows wait for each other.
pub const GRAPH_CYCLE: &str = "ERR_GRAPH_CYCLE";
/// A number is beyond its limit.
pub const LIMIT_EXCEEDED: &str = "ERR_LIMIT_EXCEEDED";
/// One key names two different tasks.
pub const KEY_CONFLICT: &str = "ERR_KEY_CONFLICT";
/// A dependency was released and forgotten before.
pub const DEPENDENCY_LOST: &str = "ERR_DEPENDENCY_LOST";
/// Its workers died while it ran.
pub const TASK_KILLED_WORKERS: &str = "ERR_TASK_KILLED_WORKERS";
/// Cancelled by its client.
pub const CANCELLED: &str = "ERR_CANCELLED";
/// Ready tasks wait and there is no lane.
pub const NO_WORKERS: &str = "ERR_NO_WORKERS";
