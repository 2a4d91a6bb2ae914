//! The eight states and the one qualifier.

/// Where a row is. `Ahead` is `processing` with its qualifier: sent before its inputs exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum State {
    /// Known; nothing is pending.
    Released = 0,
    /// Needed; an input is not in memory.
    Waiting = 1,
    /// Ready, but there is no lane at all.
    NoWorker = 2,
    /// Ready; no lane has credit.
    Queued = 3,
    /// Sent to exactly one lane.
    Processing = 4,
    /// Its value is inline or in a proc's store.
    Memory = 5,
    /// It or an input failed, or it was cancelled.
    Erred = 6,
    /// Nobody can ever ask for it again.
    Forgotten = 7,
    /// `processing`, sent before its inputs exist: a qualifier of its own column in the table.
    Ahead = 8,
}

impl State {
    /// Number of states.
    pub const COUNT: usize = 9;

    /// All states in order.
    pub const ALL: [State; State::COUNT] = [
        State::Released,
        State::Waiting,
        State::NoWorker,
        State::Queued,
        State::Processing,
        State::Memory,
        State::Erred,
        State::Forgotten,
        State::Ahead,
    ];

    /// The field's word for it.
    pub fn name(self) -> &'static str {
        [
            "released",
            "waiting",
            "no-worker",
            "queued",
            "processing",
            "memory",
            "erred",
            "forgotten",
            "ahead",
        ][self as usize]
    }
}
