//! Worker processes and their lanes come and go. A loss costs in proportion to what was on that proc.

use crate::column::{U8s, U32s};
use crate::engine::Engine;
use crate::event::{Fence, Malformed, ProcJoined};
use crate::fault;
use crate::id::{Incarnation, LaneSlot, ProcId, Task};
use crate::limits::{LANES_PER_PROC_MAX, PROCS_MAX};
use crate::out::{Message, Out};
use crate::proc::{ASIDE, Proc};
use crate::row::STORED;
use crate::state::State;

impl Engine {
    /// A worker process with all its lanes.
    pub(crate) fn proc_joined(
        &mut self,
        joined: &ProcJoined<'_>,
        out: &mut Out,
    ) -> Result<(), Malformed> {
        if joined.proc.0 == 0 || self.procs.table.contains_key(&joined.proc) {
            return Err(Malformed::Id);
        }
        if joined.lanes as usize > LANES_PER_PROC_MAX || self.procs.table.len() >= PROCS_MAX {
            return Err(Malformed::Limit);
        }
        let host = self.procs.host(joined.host);
        let lanes = (0..joined.lanes)
            .map(|number| self.lanes.insert(joined.proc, number))
            .collect();
        let asides = (0..joined.lanes)
            .map(|number| self.lanes.insert(joined.proc, ASIDE | number))
            .collect();
        let proc = Proc {
            id: joined.proc,
            incarnation: joined.incarnation,
            host,
            name: joined.name.into(),
            data_address: joined.data_address.into(),
            memory_bytes: joined.memory_bytes,
            ahead: joined.ahead,
            lanes,
            asides,
            functions: Default::default(),
            peers: Default::default(),
            stored: Vec::new(),
            stored_live: 0,
            stored_bytes: 0,
        };
        self.procs.table.insert(joined.proc, proc);
        for number in 0..joined.lanes {
            self.lane_up(joined.proc, number, 1, out);
        }
        self.rebalance(true, out);
        Ok(())
    }

    /// A worker process is gone with all it held.
    pub(crate) fn proc_lost(
        &mut self,
        id: ProcId,
        incarnation: Incarnation,
        out: &mut Out,
    ) -> Result<(), Malformed> {
        match self.procs.table.get(&id) {
            None => return Ok(()),
            Some(proc) if proc.incarnation != incarnation => {
                self.totals.stale += 1;
                return Ok(());
            }
            Some(_) => {}
        }
        out.drop_proc(id);
        let lanes: Vec<LaneSlot> = self
            .procs
            .table
            .get(&id)
            .map(|proc| proc.asides.iter().chain(&proc.lanes).copied().collect())
            .unwrap_or_default();
        let alive: u32 = lanes.iter().map(|&slot| self.lanes[slot].in_flight).sum();
        let mut suspects: Vec<(Task, bool)> = Vec::new();
        let mut ahead = Vec::new();
        for &slot in &lanes {
            ahead.extend(self.ahead_of(slot));
            // A body that waits may go on at any time beside those of its lane.
            let aside = self.lanes[slot].number & ASIDE != 0;
            let alone = self.lanes[slot].in_flight == 1 && (!aside || alive == 1);
            suspects.extend(self.in_flight(slot).into_iter().map(|task| (task, alone)));
            self.lane_down(slot);
        }
        // What was sent ahead never ran: it is above suspicion. Nobody is there to be told.
        for task in ahead {
            if self.rows[task].state() == State::Ahead {
                self.void(task, out);
            }
        }
        out.drop_proc(id);
        let stored = self
            .procs
            .table
            .get(&id)
            .map(|proc| proc.stored.clone())
            .unwrap_or_default();
        let lost = self.held_by(id, stored);
        self.lose_values(&lost, out);
        for (task, alone) in suspects {
            if self.rows[task].state() == State::Processing {
                self.survive(task, alone, id, out);
            }
        }
        if let Some(proc) = self.procs.table.remove(&id) {
            self.procs.leave_host(proc.host);
        }
        lanes.into_iter().for_each(|slot| self.lanes.remove(slot));
        for proc in self.procs.table.values_mut() {
            if proc.peers.remove(&id) {
                out.proc(proc.id, proc.incarnation).gone.push(id);
            }
        }
        self.clients.values_mut().for_each(|client| {
            client.peers.remove(&id);
        });
        self.no_lanes();
        Ok(())
    }

    /// Lanes of a proc came up or were lost; the proc and its store are well.
    pub(crate) fn lanes_changed(
        &mut self,
        from: Fence,
        lanes: U32s<'_>,
        epochs: U32s<'_>,
        states: U8s<'_>,
        out: &mut Out,
    ) -> Result<(), Malformed> {
        if lanes.len() != epochs.len() || lanes.len() != states.len() {
            return Err(Malformed::Columns);
        }
        if !self.speaks(from) {
            self.totals.stale += 1;
            return Ok(());
        }
        for i in 0..lanes.len() {
            let (number, epoch) = (lanes.get(i), epochs.get(i));
            if states.get(i) == 1 {
                self.lane_up(from.proc, number, epoch, out);
            } else if let Some(slot) = self.lane_of(from.proc, number, epoch) {
                let mut records = self.in_flight(slot);
                let ahead = self.ahead_of(slot);
                if let Some(aside) = self.lane_of(from.proc, ASIDE | number, epoch) {
                    records.extend(self.in_flight(aside));
                    self.lane_down(aside);
                }
                self.lane_down(slot);
                for task in ahead {
                    self.void_readers(task, out);
                    if self.rows[task].state() == State::Ahead {
                        self.void(task, out);
                    }
                }
                for task in records {
                    self.requeue(task, out);
                }
            } else {
                self.totals.stale += 1;
            }
        }
        self.no_lanes();
        self.rebalance(true, out);
        Ok(())
    }

    /// A lane takes records from now on. An epoch not newer than the last is stale.
    fn lane_up(&mut self, proc: ProcId, number: u32, epoch: u32, out: &mut Out) {
        let slots = self.procs.table.get(&proc).and_then(|proc| {
            let lane = proc.lanes.get(number as usize)?;
            Some((*lane, *proc.asides.get(number as usize)?))
        });
        let Some((slot, aside)) =
            slots.filter(|&(slot, _)| !self.lanes[slot].up && self.lanes[slot].epoch < epoch)
        else {
            self.totals.stale += 1;
            return;
        };
        self.lanes[aside].epoch = epoch;
        self.lanes[aside].up = true;
        let lane = &mut self.lanes[slot];
        lane.epoch = epoch;
        lane.up = true;
        lane.answered = self.now;
        self.lanes.up += 1;
        self.lanes.open(slot);
        self.lanes.weigh(slot);
        if self.lanes.up == 1 {
            self.turn_ready(State::Queued);
            self.workers_are_back(out);
        }
    }

    /// A lane takes no more records. Its rows in flight are the caller's to move.
    fn lane_down(&mut self, slot: LaneSlot) {
        if self.lanes.quarantine == Some(slot) {
            self.lanes.quarantine = None;
        }
        self.lanes.close(slot);
        let lane = &mut self.lanes[slot];
        if lane.up {
            lane.up = false;
            lane.quarantined = false;
            lane.sent.clear();
            self.lanes.up -= u32::from(lane.number & ASIDE == 0);
            self.lanes.weigh(slot);
        }
    }

    fn no_lanes(&mut self) {
        if self.lanes.up == 0 {
            self.turn_ready(State::NoWorker);
        }
    }

    /// Rows in flight on a lane, in the order they were sent, each once.
    pub(crate) fn in_flight(&self, slot: LaneSlot) -> Vec<Task> {
        self.sent_in(State::Processing, slot)
    }

    /// Rows sent ahead to a lane, in the order they were sent, each once.
    pub(crate) fn ahead_of(&self, slot: LaneSlot) -> Vec<Task> {
        self.sent_in(State::Ahead, slot)
    }

    fn sent_in(&self, state: State, slot: LaneSlot) -> Vec<Task> {
        let mut sent: Vec<(Task, usize)> = self.lanes[slot].sent.iter().copied().zip(0..).collect();
        // A row sent twice counts from its last dispatch.
        sent.sort_unstable_by_key(|&(task, at)| (task, std::cmp::Reverse(at)));
        sent.dedup_by_key(|&mut (task, _)| task);
        sent.retain(|&(task, _)| {
            self.exists(task) && {
                let row = &self.rows[task];
                row.state() == state && row.at == slot.0
            }
        });
        sent.sort_unstable_by_key(|&(_, at)| at);
        sent.into_iter().map(|(task, _)| task).collect()
    }

    /// Rows of `tasks` whose values the proc holds, each once.
    fn held_by(&self, proc: ProcId, mut tasks: Vec<Task>) -> Vec<Task> {
        tasks.sort_unstable();
        tasks.dedup();
        tasks.retain(|&task| {
            self.exists(task) && {
                let row = &self.rows[task];
                row.state() == State::Memory && row.is(STORED) && row.at == proc.0
            }
        });
        tasks
    }

    /// True while the row's page exists. Lists that outlive rows ask this first.
    pub(crate) fn exists(&self, task: Task) -> bool {
        self.pages.table[task.slot()].used && task.row() < self.rows.page(task.slot() as u32).len()
    }

    /// Notes that a proc holds a row's value.
    pub(crate) fn note_stored(&mut self, id: ProcId, task: Task, size: u32) {
        let Some(proc) = self.procs.table.get_mut(&id) else {
            return;
        };
        proc.stored_live += 1;
        proc.stored_bytes += u64::from(size);
        proc.stored.push(task);
        if proc.stored.len() > 2 * proc.stored_live as usize + 256 {
            let stored = std::mem::take(&mut proc.stored);
            let held = self.held_by(id, stored);
            if let Some(proc) = self.procs.table.get_mut(&id) {
                proc.stored = held;
            }
        }
    }

    /// Tells clients whose work waits that there is no worker, once.
    pub(crate) fn tell_no_workers(&mut self, out: &mut Out) {
        let waiting: Vec<u32> = self
            .ready
            .layers
            .iter()
            .map(|&(_, slot)| slot)
            .chain(
                self.ready
                    .odd
                    .iter()
                    .map(|&(_, task)| self.pages.layer(task)),
            )
            .chain(
                self.ready
                    .alone
                    .iter()
                    .map(|&(_, task)| self.pages.layer(task)),
            )
            .collect();
        for slot in waiting {
            let Some(client) = self.clients.get_mut(&self.layers[slot].client) else {
                continue;
            };
            if !client.told_no_workers {
                client.told_no_workers = true;
                out.messages.push(Message::Notice {
                    client: Some(client.id),
                    code: fault::NO_WORKERS,
                    message: "tasks are ready and wait: no worker is connected; start one with `heddle worker`"
                        .into(),
                    cleared: false,
                });
            }
        }
    }

    fn workers_are_back(&mut self, out: &mut Out) {
        for client in self
            .clients
            .values_mut()
            .filter(|client| client.told_no_workers)
        {
            client.told_no_workers = false;
            out.messages.push(Message::Notice {
                client: Some(client.id),
                code: fault::NO_WORKERS,
                message: "a worker has connected".into(),
                cleared: true,
            });
        }
    }
}
