//! From the ready queue to lanes: runs of neighbours, dealt evenly over lanes with credit.

use crate::credit::{credit, expected_ns, grain};
use crate::engine::Engine;
use crate::gate::Gate;
use crate::id::{LaneSlot, PAGE_ROWS, Task};
use crate::out::Out;
use crate::row::STORED;

/// Lanes compared per decision.
const CANDIDATES: usize = 8;

impl Engine {
    /// Sends what is ready as far as credit reaches.
    pub(crate) fn dispatch(&mut self, out: &mut Out) {
        if self.ready.is_empty() {
            return;
        }
        if self.lanes.up == 0 {
            self.tell_no_workers(out);
            return;
        }
        if !self.ready.alone.is_empty() || self.lanes.quarantine.is_some() {
            self.dispatch_alone(out);
        }
        let share = self.share();
        while !self.lanes.open.is_empty() {
            let layer = self.ready.layers.first().copied();
            let odd = self.ready.odd.first().copied();
            match (layer, odd) {
                (None, None) => break,
                (Some((order, slot)), odd) if odd.is_none_or(|(key, _)| order < key) => {
                    self.dispatch_layer(slot, share, out);
                }
                (_, Some((key, task))) => self.dispatch_odd(key, task, out),
                (Some(_), None) => break,
            }
        }
    }

    /// Records one lane gets before the next has its turn: so few tasks still spread over all lanes.
    fn share(&self) -> u32 {
        let mut ready = self.ready.in_layers + self.ready.odd.len() as u64;
        for &(_, slot) in self.ready.layers.iter().take(CANDIDATES) {
            let latent = &self.layers[slot].latent;
            ready += latent.iter().next().map_or(0, |(s, e)| u64::from(e - s));
        }
        ready
            .div_ceil(self.lanes.open.len().max(1) as u64)
            .clamp(1, u64::from(PAGE_ROWS)) as u32
    }

    /// The open lane with the least backlog among a few, and how many such records it takes. Lanes found without
    /// credit are closed.
    pub(crate) fn pick_lane(&mut self, mean_ns: u64) -> Option<(LaneSlot, u32)> {
        let expected = expected_ns(mean_ns);
        while !self.lanes.open.is_empty() {
            let n = self.lanes.open.len();
            let mut best = self.lanes.open[self.lanes.cursor % n];
            for i in 1..CANDIDATES.min(n) {
                let slot = self.lanes.open[(self.lanes.cursor + i) % n];
                let load = |slot: LaneSlot| {
                    (
                        self.lanes[slot].backlog_ns,
                        self.lanes[slot].in_flight,
                        slot,
                    )
                };
                if load(slot) < load(best) {
                    best = slot;
                }
            }
            if n > CANDIDATES {
                self.lanes.cursor = (self.lanes.cursor + CANDIDATES) % n;
            }
            let room = credit(&self.lanes[best], expected);
            if room > 0 {
                return Some((best, room));
            }
            self.lanes.close(best);
        }
        None
    }

    /// Sends a share of a layer's ready rows to one lane, or opens its next page, or finds it has nothing.
    fn dispatch_layer(&mut self, slot: u32, share: u32, out: &mut Out) {
        if self.layers[slot].ready.is_empty() {
            let layer = &self.layers[slot];
            match layer.latent.first() {
                Some(row) if layer.source() && self.gate(slot) == Gate::Open => {
                    self.open_page(slot, row);
                    self.settle(out);
                }
                _ => {
                    let order = layer.order;
                    self.layers[slot].queued = false;
                    self.ready.layers.remove(&(order, slot));
                }
            }
            return;
        }
        let mean = self.layers[slot].duration_ns;
        let Some((lane, room)) = self.pick_lane(mean) else {
            return;
        };
        let mut left = room.min(share.max(grain(mean)));
        let mut batch = std::mem::take(&mut self.scratch.batch);
        batch.clear();
        while left > 0 {
            let Some((start, count)) = self.layers[slot].ready.take_run(left) else {
                break;
            };
            left -= count;
            self.ready.in_layers -= u64::from(count);
            if let Some(first) = self.layers[slot].task(start) {
                batch.push((first, count));
            }
        }
        self.scratch.batch = batch;
        self.send_batch(lane, out);
    }

    /// Sends the batch to a lane; rows with stored inputs go where those are.
    fn send_batch(&mut self, lane: LaneSlot, out: &mut Out) {
        self.gather();
        let stored = |input: &Task| self.rows[*input].is(STORED);
        if self.totals.stored == 0 || !self.scratch.inputs.iter().any(stored) {
            self.send(lane, out);
            return;
        }
        let batch = std::mem::take(&mut self.scratch.batch);
        for &(first, count) in &batch {
            for task in (0..count).map(|i| Task(first.0 + i)) {
                self.send_one(task, lane, true, out);
            }
        }
        self.scratch.batch = batch;
    }

    /// Sends one row to the lane whose turn it is or, if it is free to go, near its inputs.
    fn send_one(&mut self, task: Task, turn: LaneSlot, free: bool, out: &mut Out) {
        self.scratch.batch.clear();
        self.scratch.batch.push((task, 1));
        self.gather();
        let lane = if free { self.place(task, turn) } else { turn };
        self.send(lane, out);
    }

    /// Collects the inputs of the batch in `scratch`.
    pub(crate) fn gather(&mut self) {
        let mut inputs = std::mem::take(&mut self.scratch.inputs);
        let mut ends = std::mem::take(&mut self.scratch.ends);
        let mut parts = std::mem::take(&mut self.scratch.parts);
        inputs.clear();
        ends.clear();
        parts.clear();
        let layer = self
            .scratch
            .batch
            .first()
            .map(|&(first, _)| self.pages.layer(first));
        let Some(layer) = layer.filter(|&layer| !self.inputless(layer)) else {
            (self.scratch.inputs, self.scratch.ends, self.scratch.parts) = (inputs, ends, parts);
            return;
        };
        let runs = self.scratch.batch.iter();
        let tasks = runs.flat_map(|&(first, count)| (0..count).map(move |i| Task(first.0 + i)));
        self.touch_edges(layer, tasks.clone());
        inputs.extend(tasks);
        self.touch(&inputs);
        inputs.clear();
        for &(first, count) in &self.scratch.batch {
            let whole = self.whole_inputs(first);
            for task in (0..count).map(|i| Task(first.0 + i)) {
                self.inputs_into(task, &mut inputs);
                ends.push(inputs.len() as u32);
                if !whole {
                    self.parts_into(task, inputs.len(), &mut parts);
                }
            }
        }
        self.touch(&inputs);
        self.scratch.inputs = inputs;
        self.scratch.ends = ends;
        self.scratch.parts = parts;
    }

    fn dispatch_odd(&mut self, key: u128, task: Task, out: &mut Out) {
        let mean = self.layers[self.pages.layer(task)].duration_ns;
        let Some((lane, _)) = self.pick_lane(mean) else {
            return;
        };
        self.ready.odd.remove(&(key, task));
        self.send_one(task, lane, true, out);
    }

    /// Sends suspects, one at a time to lanes that have nothing else to do. If there is no such lane, one is
    /// emptied for them.
    fn dispatch_alone(&mut self, out: &mut Out) {
        while let Some(&(key, task)) = self.ready.alone.first() {
            let idle = |lanes: &crate::proc::Lanes, slot: LaneSlot| lanes[slot].in_flight == 0;
            let quarantine = self
                .lanes
                .quarantine
                .filter(|&slot| idle(&self.lanes, slot));
            let open = || {
                self.lanes
                    .open
                    .iter()
                    .copied()
                    .find(|&slot| idle(&self.lanes, slot))
            };
            let Some(lane) = quarantine.or_else(open) else {
                if self.lanes.quarantine.is_none()
                    && let Some(slot) = self
                        .lanes
                        .open
                        .iter()
                        .copied()
                        .min_by_key(|&slot| (self.lanes[slot].in_flight, slot))
                {
                    self.lanes.quarantine = Some(slot);
                    self.lanes[slot].quarantined = true;
                    self.lanes.weigh(slot);
                    self.lanes.close(slot);
                }
                return;
            };
            self.ready.alone.remove(&(key, task));
            self.lanes[lane].quarantined = true;
            self.lanes.close(lane);
            self.send_one(task, lane, false, out);
        }
        if let Some(slot) = self.lanes.quarantine
            && self.lanes[slot].in_flight == 0
        {
            self.lanes.quarantine = None;
            self.lanes[slot].quarantined = false;
            self.lanes.weigh(slot);
            self.lanes.open(slot);
        }
    }
}
