//! Sending ahead: a row whose missing inputs are all in flight at one proc is sent there before they exist. The worker
//! starts it as soon as they do, so that chains, trees and stencils do not cost a round trip per hop.
//!
//! A record sent ahead holds no credit of its lane until its last input is there; how many may wait is bounded of its
//! own. It names its missing inputs by attempt: when a producer fails, is taken back or superseded, every record that
//! was sent ahead of it is void, and so on. Only where nothing else is ready is anything sent ahead: as long as lanes
//! have enough to do, it would gain nothing.
//!
//! In state `Ahead`, `Row::at` is the lane and `Row::len` counts the missing inputs.

use crate::credit::{WINDOW_NS, expected_ns};
use crate::engine::Engine;
use crate::fence;
use crate::id::{LaneSlot, ProcId, Task};
use crate::limits::CREDIT_BYTES_PER_LANE_MAX;
use crate::neighbours::counted;
use crate::out::Out;
use crate::proc::ASIDE;
use crate::row::{RESCAN, SUSPECT};
use crate::state::State;

/// Records sent ahead to a lane that may wait there.
const AHEAD_MAX: u64 = 256;

/// The same for tasks however long they are: what is reported one by one seems long, and must not stay so.
const AHEAD_MIN: u64 = 64;

/// Missing inputs of a record sent ahead.
const MISSING_MAX: usize = u8::MAX as usize;

/// Producers looked at per event.
const LOOKS_MAX: usize = 4096;

/// Producers remembered while no lane has room for what reads them.
const FRONTIER_MAX: usize = 1 << 16;

impl Engine {
    /// Sends what reads the records just sent, as far as it can be sent ahead.
    pub(crate) fn send_ahead(&mut self, out: &mut Out) {
        if self.frontier.is_empty() {
            return;
        }
        let busy = !self.ready.is_empty() || self.lanes.quarantine.is_some();
        if busy || self.frontier.len() > FRONTIER_MAX {
            self.frontier.clear();
            return;
        }
        let mut full = std::mem::take(&mut self.scratch.full);
        let mut readers = std::mem::take(&mut self.scratch.ahead);
        let mut at = 0;
        // The list grows while it is walked: what was sent ahead has readers, too.
        while at < self.frontier.len() && at < LOOKS_MAX {
            let producer = self.frontier[at];
            at += 1;
            let Some(lane) = self.lane_in_flight(producer) else {
                continue;
            };
            readers.clear();
            let list = self.rows[producer].list();
            readers.extend(self.waiters.rows(list));
            if self.read_regularly(producer) {
                let (slot, index) = (self.pages.layer(producer), self.pages.index(producer));
                self.each_stream_reader(slot, index, |layer, row| {
                    readers.extend(self.layers[layer].task(row));
                });
            }
            let mut left = false;
            for &reader in &readers {
                left |= !self.try_ahead(reader, lane, out);
            }
            if left {
                full.push(producer);
            }
        }
        self.frontier.drain(..at);
        self.frontier.append(&mut full);
        self.scratch.full = full;
        self.scratch.ahead = readers;
    }

    /// Notes that what reads these rows may be sent ahead of them.
    #[inline]
    pub(crate) fn lead(&mut self, first: Task, count: u32) {
        let regular = self.read_regularly(first);
        for task in (0..count).map(|i| Task(first.0 + i)) {
            if regular || self.rows[task].list() != 0 {
                self.frontier.push(task);
            }
        }
    }

    fn read_regularly(&self, task: Task) -> bool {
        let layer = &self.layers[self.pages.layer(task)];
        !layer.consumers.is_empty() || !layer.levels.is_empty()
    }

    /// The lane a row is in flight on, if it is and its body does not wait for others.
    fn lane_in_flight(&self, task: Task) -> Option<LaneSlot> {
        if !self.exists(task) {
            return None;
        }
        let row = &self.rows[task];
        let lane = LaneSlot(row.at);
        let flies = matches!(row.state(), State::Processing | State::Ahead);
        (flies && self.lanes[lane].up && self.lanes[lane].number & ASIDE == 0).then_some(lane)
    }

    /// Sends a row ahead if that is possible now; `lane`: where an input of it is in flight. False: the lane is full.
    fn try_ahead(&mut self, task: Task, lane: LaneSlot, out: &mut Out) -> bool {
        if !self.exists(task) {
            return true;
        }
        let row = &self.rows[task];
        // Asked first: what gathers thousands must not be looked through for each of them.
        let fit = row.state() == State::Waiting
            && row.flags & (RESCAN | SUSPECT) == 0
            && row.at as usize <= MISSING_MAX;
        let layer = self.pages.layer(task);
        if !fit || self.is_data(task) || self.layers[layer].gated() {
            return true;
        }
        let (missing, proc) = (row.at as usize, self.lanes[lane].proc);
        if !self.procs.table.get(&proc).is_some_and(|proc| proc.ahead) {
            return true;
        }
        let Some(lane) = self.lane_for(task, lane, missing, proc) else {
            return true;
        };
        let room = (WINDOW_NS / expected_ns(self.layers[layer].duration_ns)).max(AHEAD_MIN);
        let full = self.lanes[lane].bytes >= CREDIT_BYTES_PER_LANE_MAX as u64;
        if full || u64::from(self.lanes[lane].ahead) >= room.min(AHEAD_MAX) {
            return false;
        }
        self.scratch.batch.clear();
        self.scratch.batch.push((task, 1));
        self.gather();
        self.send_as(lane, State::Ahead, out);
        let row = &mut self.rows[task];
        row.len = missing as u8;
        true
    }

    /// The lane that gets a row whose `missing` inputs are all in flight at `proc`: theirs if they share one, else
    /// `lane`, where the last of them was sent.
    fn lane_for(
        &mut self,
        task: Task,
        lane: LaneSlot,
        missing: usize,
        proc: ProcId,
    ) -> Option<LaneSlot> {
        let mut inputs = std::mem::take(&mut self.scratch.inputs);
        inputs.clear();
        self.inputs_into(task, &mut inputs);
        let mut found = 0;
        let mut all = None;
        let mut shared = true;
        for &input in &inputs {
            if self.rows[input].state() == State::Memory {
                continue;
            }
            match self.lane_in_flight(input) {
                Some(at) if self.lanes[at].proc == proc => {
                    found += 1;
                    shared &= all.is_none_or(|one| one == at);
                    all = Some(at);
                }
                _ => {
                    found = usize::MAX;
                    break;
                }
            }
        }
        self.scratch.inputs = inputs;
        let chosen = if shared { all.unwrap_or(lane) } else { lane };
        let fit = found == missing && !self.lanes[chosen].quarantined;
        fit.then_some(chosen)
    }

    /// One missing input of a record sent ahead is there. With the last, it is a record like any other.
    #[inline]
    pub(crate) fn ahead_met(&mut self, task: Task) {
        let row = &mut self.rows[task];
        row.len -= 1;
        if row.len > 0 {
            return;
        }
        let slot = LaneSlot(row.at);
        row.set_state(task, State::Processing, &mut self.ledger);
        let expected = expected_ns(self.layers[self.pages.layer(task)].duration_ns);
        let lane = &mut self.lanes[slot];
        lane.ahead -= 1;
        if lane.in_flight == 0 {
            lane.answered = self.now;
        }
        lane.in_flight += 1;
        lane.backlog_ns += expected;
        self.lanes.weigh(slot);
    }

    /// The result of a record sent ahead came: true if it is in flight now that all results before it were taken. If
    /// not, its worker made it from something else, and it is void.
    pub(crate) fn ahead_came(
        &mut self,
        task: Task,
        slot: LaneSlot,
        attempt: u32,
        out: &mut Out,
    ) -> bool {
        if fence::is_current(&self.rows, &self.pages, task, slot, attempt) {
            return true;
        }
        let row = &self.rows[task];
        let named = row.at == slot.0 && self.pages.attempt(task) == attempt;
        if row.state() == State::Ahead && named {
            self.void_readers(task, out);
            self.void(task, out);
        }
        false
    }

    /// A record sent ahead is so no longer, and its lane is told; the row's state is the caller's to change.
    pub(crate) fn take_ahead_back(&mut self, task: Task, cancel: bool, out: &mut Out) {
        let slot = LaneSlot(self.rows[task].at);
        self.retract(slot, task, cancel, out);
        self.lanes[slot].ahead -= 1;
        self.rows[task].len = 0;
        self.pages.bump_attempt(task);
    }

    /// A row will not make its value in this attempt: what was sent ahead of it is void, and what was sent ahead of
    /// that.
    pub(crate) fn void_readers(&mut self, producer: Task, out: &mut Out) {
        let mut producers = vec![producer];
        while let Some(producer) = producers.pop() {
            let row = &self.rows[producer];
            let mut readers = self.readers_listed(producer, row.list(), counted(row));
            // Rows behind a gate are never sent ahead.
            let (slot, index) = (self.pages.layer(producer), self.pages.index(producer));
            self.each_stream_reader(slot, index, |layer, row| {
                readers.extend(self.layers[layer].task(row));
            });
            for reader in readers {
                if self.rows[reader].state() == State::Ahead {
                    self.void(reader, out);
                    producers.push(reader);
                }
            }
        }
    }

    /// A record sent ahead waits again, with the scheduler.
    pub(crate) fn void(&mut self, task: Task, out: &mut Out) {
        self.take_ahead_back(task, false, out);
        self.rows[task].set_state(task, State::Waiting, &mut self.ledger);
        self.rows[task].at = self.unmet(task);
    }

    /// What must hold of a record sent ahead.
    pub(crate) fn ahead_fault(&self, task: Task) -> Option<&'static str> {
        let row = &self.rows[task];
        let lane = &self.lanes[LaneSlot(row.at)];
        let mut inputs = Vec::new();
        self.inputs_into(task, &mut inputs);
        inputs.retain(|&input| self.rows[input].state() != State::Memory);
        let flies = |input: &Task| {
            let row = &self.rows[*input];
            matches!(row.state(), State::Processing | State::Ahead)
                && self.lanes[LaneSlot(row.at)].proc == lane.proc
        };
        if !lane.up {
            Some("sent ahead to a lane that is down")
        } else if inputs.is_empty() || inputs.len() != usize::from(row.len) {
            Some("sent ahead of another number of inputs")
        } else if !inputs.iter().all(flies) {
            Some("sent ahead of what is not made there")
        } else {
            None
        }
    }
}
