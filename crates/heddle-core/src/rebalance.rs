//! An idle lane while another has much ahead: half of what that one has not started is asked back. At most one
//! such request per lane is out, and only when nothing else is ready.

use crate::credit::{TASKS_MIN, WINDOW_NS};
use crate::engine::Engine;
use crate::id::LaneSlot;
use crate::out::Out;

/// Lanes looked at per pass.
const LANES: usize = 64;

/// A lane that has not answered for so long may hold long tasks whatever was expected of them, ms.
const SILENT_MS: u64 = 50;

impl Engine {
    /// `eager`: also take back from lanes whose tasks are of unknown duration (a lane came up, time passed).
    pub(crate) fn rebalance(&mut self, eager: bool, out: &mut Out) {
        let ready = self.ready.in_layers > 0 || !self.ready.odd.is_empty();
        if ready || self.lanes.open.is_empty() {
            return;
        }
        let idle = self
            .lanes
            .open
            .iter()
            .take(LANES)
            .filter(|&&slot| self.lanes[slot].in_flight == 0)
            .count();
        if idle == 0 {
            return;
        }
        let mut victims: Vec<(u64, u32, LaneSlot)> = self
            .procs
            .table
            .values()
            .flat_map(|proc| proc.lanes.iter().copied())
            .take(if eager { usize::MAX } else { LANES })
            .filter(|&slot| self.overloaded(slot, eager))
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

    fn overloaded(&self, slot: LaneSlot, eager: bool) -> bool {
        let lane = &self.lanes[slot];
        let silent = self.now.0.saturating_sub(lane.answered.0) >= SILENT_MS;
        let slow = lane.backlog_ns > 2 * WINDOW_NS;
        lane.up
            && !lane.quarantined
            && lane.in_flight >= TASKS_MIN
            && (slow || eager && (silent || lane.in_flight > TASKS_MIN))
            && (!lane.retracting || eager && silent)
    }

    /// Asks a lane for the later half of its records. It answers with those it had not started.
    fn ask_back(&mut self, slot: LaneSlot, out: &mut Out) {
        let records = self.in_flight(slot);
        let keep = records.len().div_ceil(2);
        self.lanes[slot].retracting = true;
        for &task in records.iter().skip(keep) {
            self.retract(slot, task, false, out);
        }
    }
}
