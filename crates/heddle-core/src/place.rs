//! Placement: O(k) per record. The procs that hold most of its stored input bytes are weighed against the lane
//! that is next in turn: expected backlog plus the time to move what is not there.

use crate::credit::{credit, expected_ns};
use crate::engine::Engine;
use crate::event::WHOLE;
use crate::id::{LaneSlot, ProcId, Task};
use crate::row::STORED;

/// Holders weighed.
const HOLDERS: usize = 4;

/// Lanes of a holder compared.
const LANES: usize = 16;

/// Time to move a byte within a host and between hosts, ps.
const SAME_HOST_PS: u64 = 1_000;
const OTHER_HOST_PS: u64 = 10_000;

/// Time to read a byte of input, ps: a guess at the least a body does with it.
const READ_PS: u64 = 1_000;

/// Fixed cost of moving anything, ns: a round trip.
const MOVE_NS: u64 = 200_000;

impl Engine {
    /// The lane for a row, the inputs of which are in `scratch`. `turn` is the lane whose turn it is.
    pub(crate) fn place(&self, task: Task, turn: LaneSlot) -> LaneSlot {
        let mut holders = [(ProcId(0), 0u64); HOLDERS];
        let mut total = 0;
        for (k, &input) in self.scratch.inputs.iter().enumerate() {
            let bytes = self.stored_bytes(k);
            if bytes == 0 {
                continue;
            }
            let row = &self.rows[input];
            total += bytes;
            let held = holders
                .iter_mut()
                .find(|(proc, _)| proc.0 == row.at || proc.0 == 0);
            if let Some((proc, sum)) = held {
                *proc = ProcId(row.at);
                *sum += bytes;
            }
        }
        if total == 0 {
            return turn;
        }
        let expected = expected_ns(self.layers[self.pages.layer(task)].duration_ns);
        let mut best = (self.cost(turn, &holders, total), turn);
        for &(proc, _) in holders.iter().filter(|(proc, _)| proc.0 != 0) {
            let Some(proc) = self.procs.table.get(&proc) else {
                continue;
            };
            for &slot in proc.lanes.iter().take(LANES) {
                let lane = &self.lanes[slot];
                if lane.up && credit(lane, expected) > 0 {
                    best = best.min((self.cost(slot, &holders, total), slot));
                }
            }
        }
        best.1
    }

    /// Bytes of input `k` in `scratch` that lie in a store. A part counts as one share of its value: how large it
    /// is, only its store knows.
    fn stored_bytes(&self, k: usize) -> u64 {
        let row = &self.rows[self.scratch.inputs[k]];
        if !row.is(STORED) {
            return 0;
        }
        let whole = self.scratch.parts.get(k).is_none_or(|&part| part == WHOLE);
        let shares = if whole { 1 } else { row.dependents.max(1) };
        ((row.value & 0xffff_ffff) / u64::from(shares)).max(1)
    }

    /// Least time the batch in `scratch` takes while nothing is known of its layer: that of reading its stored
    /// inputs. Without it a burst of heavy first tasks would look like nothing and go to one lane.
    pub(crate) fn reading_ns(&self) -> u64 {
        let bytes: u64 = (0..self.scratch.inputs.len())
            .map(|k| self.stored_bytes(k))
            .sum();
        bytes * READ_PS / 1000
    }

    /// When the record could start there, ns from now.
    fn cost(&self, slot: LaneSlot, holders: &[(ProcId, u64)], total: u64) -> u64 {
        let lane = &self.lanes[slot];
        let here = holders
            .iter()
            .find(|(proc, _)| *proc == lane.proc)
            .map_or(0, |(_, bytes)| *bytes);
        let away = total - here;
        if away == 0 {
            return lane.backlog_ns;
        }
        let host = |proc: ProcId| self.procs.table.get(&proc).map(|proc| proc.host);
        let near = holders
            .iter()
            .filter(|(proc, _)| proc.0 != 0)
            .all(|(proc, _)| host(*proc) == host(lane.proc));
        let per_byte = if near { SAME_HOST_PS } else { OTHER_HOST_PS };
        lane.backlog_ns + MOVE_NS + away * per_byte / 1000
    }
}
