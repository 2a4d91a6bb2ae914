//! Lanes by what is in flight to them, so that finding one that idles and one that has too much costs nothing per
//! lane there is.

use std::collections::VecDeque;

use crate::credit::{TASKS_MIN, WINDOW_NS};
use crate::id::{LaneSlot, Millis};
use crate::proc::{ASIDE, Lane, Lanes};

/// Expected work in flight from which a lane is heavy, ns.
const HEAVY_NS: u64 = 2 * WINDOW_NS;

/// See the module.
#[derive(Debug, Default)]
pub struct Loads {
    /// Records in flight to all lanes.
    pub in_flight: u64,
    /// Lanes that take records and have none.
    pub idle: u32,
    /// Lanes thought to have much ahead, of which nothing was asked back.
    pub heavy: Vec<LaneSlot>,
    /// Lanes with a record behind the one they run, by a time since when they may have been silent: that of their
    /// last answer, or earlier. Those that have no such record any more are passed over.
    pub aged: VecDeque<(Millis, LaneSlot)>,
    /// When silent lanes were looked for last.
    pub looked: Millis,
}

impl Lane {
    /// True while records may be sent here.
    fn serves(&self) -> bool {
        self.up && !self.quarantined && self.number & ASIDE == 0
    }

    /// True with a record behind the one that runs.
    pub fn loaded(&self) -> bool {
        self.serves() && self.in_flight >= TASKS_MIN
    }

    fn heavy(&self) -> bool {
        self.loaded() && self.backlog_ns > HEAVY_NS && !self.retracting
    }
}

impl Lanes {
    /// To be called after any change of what is in flight to a lane, or of whether it serves.
    #[inline]
    pub fn weigh(&mut self, slot: LaneSlot) {
        let lane = &self[slot];
        let (idle, heavy) = (lane.serves() && lane.in_flight == 0, lane.heavy());
        let (listed, was_idle) = (lane.heavy_at > 0, lane.idle);
        let (count, counted) = (lane.in_flight, lane.counted);
        self.loads.in_flight = self.loads.in_flight + u64::from(count) - u64::from(counted);
        self[slot].counted = count;
        if idle != was_idle {
            self[slot].idle = idle;
            self.loads.idle = if idle {
                self.loads.idle + 1
            } else {
                self.loads.idle - 1
            };
        }
        if heavy && !listed {
            self.loads.heavy.push(slot);
            self[slot].heavy_at = self.loads.heavy.len() as u32;
        } else if listed && !heavy {
            self.lighten(slot);
        }
        if !self[slot].aged && self[slot].loaded() {
            self.age(slot);
        }
    }

    /// Lists a lane by its last answer.
    pub fn age(&mut self, slot: LaneSlot) {
        let lane = &mut self[slot];
        lane.aged = true;
        let since = lane.answered;
        self.loads.aged.push_back((since, slot));
    }

    /// A lane that ends.
    pub fn disregard(&mut self, slot: LaneSlot) {
        self[slot].up = false;
        self[slot].in_flight = 0;
        self.weigh(slot);
        if self[slot].aged {
            self.loads.aged.retain(|&(_, aged)| aged != slot);
        }
    }

    fn lighten(&mut self, slot: LaneSlot) {
        let at = std::mem::take(&mut self[slot].heavy_at) as usize;
        self.loads.heavy.swap_remove(at - 1);
        if let Some(&moved) = self.loads.heavy.get(at - 1) {
            self[moved].heavy_at = at as u32;
        }
    }

    /// Compares with a look at each lane.
    ///
    /// # Panics
    /// When anything is not as it must be.
    pub fn check_loads(&self, slots: impl Iterator<Item = LaneSlot>) {
        let (mut idle, mut heavy, mut in_flight) = (0, 0, 0);
        for slot in slots {
            let lane = &self[slot];
            in_flight += u64::from(lane.in_flight);
            idle += u32::from(lane.serves() && lane.in_flight == 0);
            heavy += usize::from(lane.heavy());
            assert!(lane.aged || !lane.loaded(), "lane {slot:?} is not aged");
        }
        assert_eq!(self.loads.in_flight, in_flight, "records in flight");
        assert_eq!(self.loads.idle, idle, "idle lanes");
        assert_eq!(self.loads.heavy.len(), heavy, "heavy lanes");
    }
}
