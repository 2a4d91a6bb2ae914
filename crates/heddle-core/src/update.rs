//! What clients are told: the present state of rows that changed, read only when the client has credit for it.
//! A silent client costs its set of changed rows and nothing else.

use crate::id::ProcId;

/// What a client is told of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum RowState {
    /// Here is its value, or who holds it.
    #[default]
    Done = 1,
    /// It failed, and why.
    Failed = 2,
    /// It was cancelled.
    Cancelled = 3,
    /// Its value was lost and is being computed again.
    Pending = 4,
}

/// One update to one client; buffers are reused.
#[derive(Debug, Default)]
pub struct UpdateOut {
    /// Ascending per client; a credit acknowledges it.
    pub seq: u32,
    /// Procs that hold values named here, whose addresses this client was not told before.
    pub peers: Vec<ProcId>,
    sections: Vec<UpdateSection>,
    used: usize,
}

impl UpdateOut {
    /// An empty update.
    pub fn new() -> UpdateOut {
        UpdateOut::default()
    }

    /// Rows, grouped by layer and state.
    pub fn sections(&self) -> &[UpdateSection] {
        self.sections.get(..self.used).unwrap_or_default()
    }

    pub(crate) fn clear(&mut self) {
        self.peers.clear();
        self.sections
            .iter_mut()
            .take(self.used)
            .for_each(UpdateSection::clear);
        self.used = 0;
    }

    /// The section for `state` of the layer whose sections start at `from`.
    pub(crate) fn section(
        &mut self,
        from: usize,
        layer: u32,
        serial: u32,
        state: RowState,
    ) -> &mut UpdateSection {
        let at = match (from..self.used).find(|&at| self.sections[at].state == state) {
            Some(at) => at,
            None => {
                if self.used == self.sections.len() {
                    self.sections.push(UpdateSection::default());
                }
                self.used += 1;
                let section = &mut self.sections[self.used - 1];
                section.layer = layer;
                section.serial = serial;
                section.state = state;
                self.used - 1
            }
        };
        &mut self.sections[at]
    }

    pub(crate) fn used(&self) -> usize {
        self.used
    }
}

/// Rows of one layer in one state: the columns of `UpdateSection` in `schemas/results.fbs`. An empty column
/// is absent.
#[derive(Debug, Default)]
pub struct UpdateSection {
    /// The client's layer number.
    pub layer: u32,
    /// Its serial.
    pub serial: u32,
    /// Of every row.
    pub state: RowState,
    /// Runs of rows: first …
    pub starts: Vec<u32>,
    /// … and number.
    pub counts: Vec<u32>,
    /// Rows in all runs.
    pub rows: u32,
    /// Codec of every row when `codecs` is empty.
    pub codec: u8,
    /// Codec of each row.
    pub codecs: Vec<u8>,
    /// Bytes of every row when `sizes` is empty.
    pub stride: u32,
    /// Bytes of each row; stored rows: size of the stored value, with no bytes here.
    pub sizes: Vec<u32>,
    /// 0 inline, 1 stored; empty: all inline.
    pub homes: Vec<u8>,
    /// Proc per row where stored; empty: none is.
    pub procs: Vec<u32>,
    /// Empty: all 1.
    pub attempts: Vec<u32>,
    /// Failed: the row that failed first.
    pub blame_serials: Vec<u32>,
    /// Failed: its index.
    pub blame_indices: Vec<u32>,
    /// Values and errors in row order, without gaps.
    pub bytes: Vec<u8>,
}

impl UpdateSection {
    /// One more row.
    pub(crate) fn push_index(&mut self, index: u32) {
        self.rows += 1;
        if let (Some(start), Some(count)) = (self.starts.last(), self.counts.last_mut())
            && start + *count == index
        {
            *count += 1;
            return;
        }
        self.starts.push(index);
        self.counts.push(1);
    }

    fn clear(&mut self) {
        self.starts.clear();
        self.counts.clear();
        self.rows = 0;
        self.codec = 0;
        self.codecs.clear();
        self.stride = 0;
        self.sizes.clear();
        self.homes.clear();
        self.procs.clear();
        self.attempts.clear();
        self.blame_serials.clear();
        self.blame_indices.clear();
        self.bytes.clear();
    }
}
