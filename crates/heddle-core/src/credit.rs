//! Credit of lanes: about one batch interval of work ahead, by measured durations, in tasks and in bytes. Little
//! is sent early, so little needs to be taken back.

use crate::engine::Engine;
use crate::event::{DoneSection, Outcome};
use crate::id::{LaneSlot, Task};
use crate::limits::{CREDIT_BYTES_PER_LANE_MAX, CREDIT_TASKS_PER_LANE_MAX};
use crate::out::{Out, RetractSection};
use crate::proc::Lane;
use crate::state::State;

/// Work sent ahead to a lane, ns.
pub(crate) const WINDOW_NS: u64 = 2_000_000;

/// Records a lane may have in flight however long they take: one running, one to follow.
pub(crate) const TASKS_MIN: u32 = 2;

/// Records in flight to a lane of which nothing is known.
const TASKS_UNKNOWN: u64 = 64;

/// Records in flight to a lane however short they are: more would only cool the cache.
const TASKS_TINY: u64 = 2048;

/// Work worth waking another lane for, ns: what a message, its frame and a wake-up cost together.
const GRAIN_NS: u64 = 20_000;

/// Records to keep together on a lane, given the mean of their layer: tasks known to be tiny are not dealt one by one.
pub(crate) fn grain(mean: u64) -> u32 {
    if mean == 0 {
        return 1;
    }
    (GRAIN_NS / expected_ns(mean)).max(1) as u32
}

/// Expected duration of a task, given the mean of its layer (0: unknown).
pub(crate) fn expected_ns(mean: u64) -> u64 {
    if mean == 0 {
        WINDOW_NS / TASKS_UNKNOWN
    } else {
        mean.max(WINDOW_NS / TASKS_TINY)
    }
}

/// Records of that duration the lane may be sent now.
#[inline]
pub(crate) fn credit(lane: &Lane, expected_ns: u64) -> u32 {
    let full = lane.bytes >= CREDIT_BYTES_PER_LANE_MAX as u64 && lane.in_flight >= TASKS_MIN;
    // A lane that has plenty is left alone until a worthwhile batch fits: else every answer would send a trickle.
    let plenty = lane.backlog_ns > WINDOW_NS / 4 * 3 && lane.in_flight >= TASKS_UNKNOWN as u32;
    // What was asked back is not for the lane that kept it from running.
    if lane.quarantined || lane.asked || full || plenty {
        return 0;
    }
    let by_time = (WINDOW_NS.saturating_sub(lane.backlog_ns) / expected_ns) as u32;
    let least = TASKS_MIN.saturating_sub(lane.in_flight);
    let room = (CREDIT_TASKS_PER_LANE_MAX as u32).saturating_sub(lane.in_flight);
    by_time.max(least).min(room)
}

impl Engine {
    /// Records of a lane were answered or taken back: it has credit again.
    pub(crate) fn leave_lane_many(&mut self, slot: LaneSlot, records: u32) {
        let draining = self.lanes.quarantine == Some(slot);
        let lane = &mut self.lanes[slot];
        if records == 0 || lane.in_flight == 0 {
            return;
        }
        let share = |total: u64| total * u64::from(records) / u64::from(lane.in_flight);
        let (backlog, bytes) = (share(lane.backlog_ns), share(lane.bytes));
        lane.backlog_ns -= backlog;
        lane.bytes -= bytes;
        lane.in_flight -= records;
        if lane.in_flight == 0 {
            lane.backlog_ns = 0;
            lane.bytes = 0;
            lane.retracting = false;
            lane.asked = false;
            lane.quarantined = draining;
        }
        self.lanes.weigh(slot);
        if !self.lanes[slot].quarantined {
            self.lanes.open(slot);
        }
    }

    /// A row in flight is so no longer.
    pub(crate) fn leave_lane(&mut self, task: Task) {
        self.leave_lane_many(LaneSlot(self.rows[task].at), 1);
    }

    /// A row in flight is so no longer, and its lane is told.
    pub(crate) fn take_back(&mut self, task: Task, cancel: bool, out: &mut Out) {
        let slot = LaneSlot(self.rows[task].at);
        self.retract(slot, task, cancel, out);
        self.leave_lane(task);
    }

    /// Tells a lane to give a record back.
    pub(crate) fn retract(&mut self, slot: LaneSlot, task: Task, cancel: bool, out: &mut Out) {
        let lane = &self.lanes[slot];
        let Some(proc) = self.procs.table.get(&lane.proc) else {
            return;
        };
        let serial = self.layers[self.pages.layer(task)].serial.0;
        let sections = &mut out.proc(proc.id, proc.incarnation).retract;
        let same = |s: &RetractSection| {
            s.lane == lane.number
                && s.lane_epoch == lane.epoch
                && s.serial == serial
                && s.cancel == cancel
        };
        if !sections.last().is_some_and(same) {
            sections.push(RetractSection {
                lane: lane.number,
                lane_epoch: lane.epoch,
                serial,
                cancel,
                ..RetractSection::default()
            });
        }
        if let Some(section) = sections.last_mut() {
            section.indices.push(self.pages.index(task));
            section.attempts.push(self.pages.attempt(task));
        }
    }

    /// Drops what was answered from the front of the lane's list, and from all of it when most must be dead.
    pub(crate) fn lane_answered(&mut self, slot: LaneSlot, outcome: Outcome) {
        let now = self.now;
        let lane = &mut self.lanes[slot];
        lane.answered = now;
        lane.asked &= outcome == Outcome::Retracted;
        self.idled |= lane.in_flight == 0;
        let rows = &self.rows;
        let pages = &self.pages;
        let flying = |task: &Task| {
            pages.table[task.slot()].used
                && rows
                    .page(task.slot() as u32)
                    .get(task.row())
                    .is_some_and(|row| {
                        matches!(row.state(), State::Processing | State::Ahead) && row.at == slot.0
                    })
        };
        while lane.sent.front().is_some_and(|task| !flying(task)) {
            lane.sent.pop_front();
        }
        if lane.sent.len() > 2 * (lane.in_flight + lane.ahead) as usize + 256 {
            lane.sent.retain(flying);
        }
    }

    /// Learns how long tasks of a layer take.
    pub(crate) fn measure(&mut self, layer: u32, s: &DoneSection<'_>) {
        if s.count == 0 {
            return;
        }
        let total = if s.durations_us.is_empty() {
            u64::from(s.duration_us)
        } else {
            s.durations_us.iter().map(u64::from).sum()
        };
        let mean = (total * 1000 / u64::from(s.count)).max(1);
        let known = &mut self.layers[layer].duration_ns;
        *known = match (*known, s.count) {
            (0, _) => mean,
            (old, 16..) => (old + mean) / 2,
            (old, _) => (3 * old + mean) / 4,
        }
        .max(1);
    }
}
