//! The fence: one place decides whether a report speaks of what the engine now believes. Stale is normal and
//! only counted.

use crate::engine::Engine;
use crate::event::Fence;
use crate::id::{LaneSlot, ProcId, Task};
use crate::page::{Pages, Rows};
use crate::proc::ASIDE;
use crate::state::State;

/// True when the record is this attempt of this row, in flight on this lane.
#[inline]
pub(crate) fn is_current(
    rows: &Rows,
    pages: &Pages,
    task: Task,
    lane: LaneSlot,
    attempt: u32,
) -> bool {
    let row = &rows[task];
    row.state() == State::Processing && row.at == lane.0 && pages.attempt(task) == attempt
}

impl Engine {
    /// True when the sender is the proc it says it is, in this epoch and this incarnation.
    pub(crate) fn speaks(&self, from: Fence) -> bool {
        from.epoch == self.config.epoch
            && self
                .procs
                .table
                .get(&from.proc)
                .is_some_and(|proc| proc.incarnation == from.incarnation)
    }

    /// The lane, or the aside, with this number and epoch, if it is up.
    pub(crate) fn lane_of(&self, proc: ProcId, number: u32, epoch: u32) -> Option<LaneSlot> {
        let proc = self.procs.table.get(&proc)?;
        let lanes = if number & ASIDE == 0 {
            &proc.lanes
        } else {
            &proc.asides
        };
        let slot = *lanes.get((number & !ASIDE) as usize)?;
        let lane = &self.lanes[slot];
        (lane.up && lane.epoch == epoch).then_some(slot)
    }
}
