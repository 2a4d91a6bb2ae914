//! An idle lane while another has records behind the one it runs: some of these are asked back, so that no record
//! waits behind long ones while a lane has nothing to do. That is decided at once where much is expected to be ahead,
//! and after a silence where expectations must be wrong. One request per lane is out at a time.

use crate::credit::TASKS_MIN;
use crate::engine::Engine;
use crate::id::{LaneSlot, Millis};
use crate::out::Out;

/// Heavy lanes compared, and silent ones looked at, per pass.
const LANES: usize = 64;

/// A lane that has not answered for so long may hold long tasks whatever was expected of them, ms.
const SILENT_MS: u64 = 50;

/// Time between two looks for silent lanes, ms.
const PAUSE_MS: u64 = 2;

impl Engine {
    /// `joined`: a lane came up, so that even tasks thought to be short are worth sharing.
    pub(crate) fn rebalance(&mut self, joined: bool, out: &mut Out) {
        let mut idle = self.idle_lanes();
        if idle == 0 {
            return;
        }
        let mut victims = self.heaviest(joined);
        victims.truncate(idle);
        idle -= victims.len();
        self.silent(idle, &mut victims);
        let shares = victims.len() + self.idle_lanes();
        for &slot in &victims {
            self.ask_back(slot, victims.len(), shares, out);
        }
    }

    /// When a lane may have been silent for so long that records are asked back from it.
    pub(crate) fn rebalance_due(&self) -> Option<Millis> {
        if self.idle_lanes() == 0 {
            return None;
        }
        let loads = &self.lanes.loads;
        let (since, _) = *loads.aged.front()?;
        Some(Millis((since.0 + SILENT_MS).max(loads.looked.0 + PAUSE_MS)))
    }

    /// Lanes that have nothing to do, while nothing is ready.
    fn idle_lanes(&self) -> usize {
        if self.ready.in_layers > 0 || !self.ready.odd.is_empty() {
            return 0;
        }
        self.lanes.loads.idle as usize
    }

    /// Lanes with much ahead, the most first. Of heavy ones a few are compared; after a lane has joined, all lanes
    /// are.
    fn heaviest(&self, joined: bool) -> Vec<LaneSlot> {
        let load = |slot: LaneSlot| {
            let lane = &self.lanes[slot];
            (lane.backlog_ns, lane.in_flight, slot)
        };
        let mut victims: Vec<(u64, u32, LaneSlot)> = if joined {
            let lanes = self.procs.table.values().flat_map(|proc| &proc.lanes);
            let shares = |slot: &LaneSlot| {
                let lane = &self.lanes[*slot];
                lane.loaded()
                    && !lane.retracting
                    && (lane.heavy_at > 0 || lane.in_flight > TASKS_MIN)
            };
            lanes.copied().filter(shares).map(load).collect()
        } else {
            let heavy = self.lanes.loads.heavy.iter().rev().take(LANES);
            heavy.copied().map(load).collect()
        };
        victims.sort_unstable_by(|a, b| b.cmp(a));
        victims.into_iter().map(|(_, _, slot)| slot).collect()
    }

    /// Adds up to `most` lanes that have been silent, the longest first.
    fn silent(&mut self, most: usize, victims: &mut Vec<LaneSlot>) {
        let now = self.now;
        self.lanes.loads.looked = now;
        let end = victims.len() + most;
        let silent = |since: Millis| now.0 >= since.0 + SILENT_MS;
        while let Some(&(since, slot)) = self.lanes.loads.aged.front()
            && silent(since)
        {
            let lane = &self.lanes[slot];
            let mute = lane.loaded() && silent(lane.answered);
            if mute && !victims.contains(&slot) {
                if victims.len() >= end {
                    break;
                }
                victims.push(slot);
            }
            if mute {
                // The next request waits as long again.
                self.lanes[slot].answered = now;
            }
            self.lanes.loads.aged.pop_front();
            self.lanes[slot].aged = false;
            if self.lanes[slot].loaded() {
                self.lanes.age(slot);
            }
        }
    }

    /// Asks a lane for all but its share of its records, the later ones; `lanes` of `shares` keep one. It answers
    /// with those it had not started. One that has been asked and has ended nothing since keeps what it runs.
    fn ask_back(&mut self, slot: LaneSlot, lanes: usize, shares: usize, out: &mut Out) {
        let records = self.in_flight(slot);
        let lane = &mut self.lanes[slot];
        let share = (records.len() * lanes).div_ceil(shares.max(1));
        let keep = if lane.asked { 1 } else { share.max(1) };
        lane.retracting = true;
        lane.asked = true;
        self.lanes.weigh(slot);
        for &task in records.iter().skip(keep) {
            self.retract(slot, task, false, out);
        }
    }
}
