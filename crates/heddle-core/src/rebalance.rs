//! An idle lane while another has much ahead: half of what that one has not started is asked back. At most one
//! such request per lane is out, and only when nothing else is ready.

use crate::credit::{TASKS_MIN, WINDOW_NS};
use crate::engine::Engine;
use crate::id::{LaneSlot, Millis};
use crate::out::Out;

/// Lanes looked at per pass.
const LANES: usize = 64;

/// A lane that has not answered for so long may hold long tasks whatever was expected of them, ms.
const SILENT_MS: u64 = 50;

impl Engine {
    /// `joined`: a lane came up, so that even tasks thought to be short are worth sharing.
    pub(crate) fn rebalance(&mut self, joined: bool, out: &mut Out) {
        let idle = self.idle_lanes();
        if idle == 0 {
            return;
        }
        let mut victims: Vec<(u64, u32, LaneSlot)> = self
            .some_lanes(if joined { usize::MAX } else { LANES })
            .filter(|&slot| self.overloaded(slot, joined))
            .map(|slot| {
                (
                    self.lanes[slot].backlog_ns,
                    self.lanes[slot].in_flight,
                    slot,
                )
            })
            .collect();
        victims.sort_unstable();
        for &(_, _, slot) in victims.iter().rev().take(idle) {
            self.ask_back(slot, out);
        }
    }

    /// When a lane will have been silent for so long that records are asked back from it.
    pub(crate) fn rebalance_due(&self) -> Option<Millis> {
        if self.idle_lanes() == 0 {
            return None;
        }
        self.some_lanes(LANES)
            .filter(|&slot| self.loaded(slot))
            .map(|slot| Millis(self.lanes[slot].answered.0 + SILENT_MS))
            .min()
    }

    /// Lanes, of a few, that have nothing to do while nothing is ready.
    fn idle_lanes(&self) -> usize {
        if self.ready.in_layers > 0 || !self.ready.odd.is_empty() {
            return 0;
        }
        let open = self.lanes.open.iter().take(LANES);
        open.filter(|&&slot| self.lanes[slot].in_flight == 0)
            .count()
    }

    fn some_lanes(&self, most: usize) -> impl Iterator<Item = LaneSlot> + '_ {
        let all = self
            .procs
            .table
            .values()
            .flat_map(|proc| proc.lanes.iter().copied());
        all.take(most)
    }

    fn loaded(&self, slot: LaneSlot) -> bool {
        let lane = &self.lanes[slot];
        lane.up && !lane.quarantined && lane.in_flight >= TASKS_MIN
    }

    fn overloaded(&self, slot: LaneSlot, joined: bool) -> bool {
        let lane = &self.lanes[slot];
        let silent = self.now.0.saturating_sub(lane.answered.0) >= SILENT_MS;
        let slow = lane.backlog_ns > 2 * WINDOW_NS;
        self.loaded(slot)
            && (slow || silent || joined && lane.in_flight > TASKS_MIN)
            && (!lane.retracting || silent)
    }

    /// Asks a lane for the later half of its records. It answers with those it had not started.
    fn ask_back(&mut self, slot: LaneSlot, out: &mut Out) {
        let records = self.in_flight(slot);
        let keep = records.len().div_ceil(2);
        let lane = &mut self.lanes[slot];
        lane.retracting = true;
        // The next request waits as long again.
        lane.answered = self.now;
        for &task in records.iter().skip(keep) {
            self.retract(slot, task, false, out);
        }
    }
}
