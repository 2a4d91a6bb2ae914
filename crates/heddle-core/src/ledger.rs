//! The book of state changes: the one table of legal pairs, how often each was hit, how many rows are in each
//! state, and a short log of what happened last.

use crate::id::Task;
use crate::state::State;

use State::{Ahead, Erred, Forgotten, Memory, NoWorker, Processing, Queued, Released, Waiting};

/// Every pair that some event causes.
pub const LEGAL: [(State, State); 30] = [
    (Released, Waiting),
    (Released, Erred),
    (Released, Forgotten),
    (Waiting, Queued),
    (Waiting, NoWorker),
    (Waiting, Memory),
    (Waiting, Erred),
    (Waiting, Released),
    (Waiting, Ahead),
    (Ahead, Processing),
    (Ahead, Waiting),
    (Ahead, Erred),
    (Ahead, Released),
    (Queued, Processing),
    (Queued, NoWorker),
    (Queued, Waiting),
    (Queued, Erred),
    (Queued, Released),
    (NoWorker, Queued),
    (NoWorker, Waiting),
    (NoWorker, Erred),
    (NoWorker, Released),
    (Processing, Memory),
    (Processing, Waiting),
    (Processing, Erred),
    (Processing, Released),
    (Memory, Released),
    (Memory, Erred),
    (Memory, Forgotten),
    (Erred, Forgotten),
];

const MASKS: [u16; State::COUNT] = masks();

const fn masks() -> [u16; State::COUNT] {
    let mut masks = [0; State::COUNT];
    let mut i = 0;
    while i < LEGAL.len() {
        masks[LEGAL[i].0 as usize] |= 1 << LEGAL[i].1 as u16;
        i += 1;
    }
    masks
}

/// Changes kept for stories; a power of two.
const LOG: usize = 1024;

/// One logged change.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// Which row (its page slot may have been reused since).
    pub task: Task,
    /// Event number, lower bits.
    pub event: u16,
    /// From.
    pub from: State,
    /// To.
    pub to: State,
}

const _: () = assert!(size_of::<Change>() == 8);

/// See the module.
#[derive(Debug)]
pub struct Ledger {
    hits: [[u64; State::COUNT]; State::COUNT],
    /// Rows born minus rows gone, in each state: with the hits, these give how many are there.
    ends: [u64; State::COUNT],
    log: Box<[Change; LOG]>,
    written: usize,
    event: u32,
    event_from: usize,
}

impl Default for Ledger {
    fn default() -> Ledger {
        Ledger {
            hits: [[0; State::COUNT]; State::COUNT],
            ends: [0; State::COUNT],
            log: Box::new(
                [Change {
                    task: Task::NONE,
                    event: 0,
                    from: Released,
                    to: Released,
                }; LOG],
            ),
            written: 0,
            event: 0,
            event_from: 0,
        }
    }
}

impl Ledger {
    /// True when some event causes this change.
    #[inline]
    pub fn legal(from: State, to: State) -> bool {
        MASKS[from as usize] >> to as u16 & 1 == 1
    }

    /// Enters a change; an illegal one is a defect of the engine and stops it.
    #[inline]
    pub fn record(&mut self, task: Task, from: State, to: State) {
        if !Ledger::legal(from, to) {
            illegal(task, from, to);
        }
        self.hits[from as usize][to as usize] += 1;
        self.log[self.written % LOG] = Change {
            task,
            event: self.event as u16,
            from,
            to,
        };
        self.written += 1;
    }

    /// Rows that begin to exist.
    pub fn born(&mut self, rows: u64) {
        self.ends[Released as usize] = self.ends[Released as usize].wrapping_add(rows);
    }

    /// Rows, all in one state, that cease to exist with their page.
    pub fn gone(&mut self, state: State, rows: u64) {
        self.ends[state as usize] = self.ends[state as usize].wrapping_sub(rows);
    }

    /// A new event begins.
    pub fn begin(&mut self) {
        self.event = self.event.wrapping_add(1);
        self.event_from = self.written;
    }

    /// Rows in each state.
    pub fn counts(&self) -> [u64; State::COUNT] {
        let mut counts = self.ends;
        for from in 0..State::COUNT {
            for to in 0..State::COUNT {
                let hits = self.hits[from][to];
                counts[from] = counts[from].wrapping_sub(hits);
                counts[to] = counts[to].wrapping_add(hits);
            }
        }
        counts
    }

    /// How often the pair was hit.
    pub fn hits(&self, from: State, to: State) -> u64 {
        self.hits[from as usize][to as usize]
    }

    /// Rows the present event changed, or None when there were more than the log holds.
    pub fn touched(&self) -> Option<Vec<Task>> {
        let n = self.written - self.event_from;
        (n <= LOG).then(|| {
            (self.event_from..self.written)
                .map(|at| self.log[at % LOG].task)
                .collect()
        })
    }

    /// The last changes of a row, oldest first.
    pub fn story(&self, task: Task) -> Vec<Change> {
        let from = self.written.saturating_sub(LOG);
        (from..self.written)
            .map(|at| self.log[at % LOG])
            .filter(|change| change.task == task)
            .collect()
    }
}

#[cold]
#[inline(never)]
fn illegal(task: Task, from: State, to: State) -> ! {
    panic!(
        "illegal change {} -> {} of row {task:?}",
        from.name(),
        to.name()
    )
}
