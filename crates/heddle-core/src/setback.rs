//! Records that came back without a result: failed, without an input, or taken back; and rows that must wait
//! again because a value was lost.

use crate::engine::Engine;
use crate::event::{DoneSection, Outcome};
use crate::fence;
use crate::id::{LaneSlot, LayerSerial, ProcId, Task, TaskRef};
use crate::layer::Layer;
use crate::out::Out;
use crate::proc::ASIDE;
use crate::row::{RESCAN, STORED, SUSPECT};
use crate::state::State;

impl Engine {
    /// Calls `each` with every record of the section that is current: (record, row, first byte of its value).
    fn each_current(
        &mut self,
        lane: LaneSlot,
        layer: u32,
        s: &DoneSection<'_>,
        mut each: impl FnMut(&mut Engine, usize, Task, usize),
    ) {
        let mut offset = 0;
        for i in 0..s.count as usize {
            let from = offset;
            offset += s.sizes.get_or(i, s.stride) as usize;
            let index = s.indices.get_or(i, s.first.wrapping_add(i as u32));
            let attempt = s.attempts.get_or(i, 1);
            match self.layers[layer].task(index) {
                Some(task) if fence::is_current(&self.rows, &self.pages, task, lane, attempt) => {
                    each(self, i, task, from);
                }
                _ => self.totals.stale += 1,
            }
        }
    }

    /// Bodies that threw. A retry costs one of the row's retries.
    pub(crate) fn failed(
        &mut self,
        lane: LaneSlot,
        layer: u32,
        s: &DoneSection<'_>,
        out: &mut Out,
    ) {
        self.measure(layer, s);
        self.give_up_ahead(lane, layer, s, out);
        self.each_current(lane, layer, s, |engine, i, task, from| {
            let name = engine.name_of(task);
            let spent = engine.retried.get(&name).copied().unwrap_or(0);
            if s.retryable && spent < engine.retries_of(task) {
                let new = engine.retried.insert(name, spent + 1).is_none();
                engine.totals.oddities += u64::from(new);
                engine.requeue(task, out);
                return;
            }
            let size = s.sizes.get_or(i, s.stride) as usize;
            let bytes = s.values.get(from..from + size).unwrap_or_default();
            let codec = s.codecs.get_or(i, s.codec);
            let failure = engine.failures.insert(name, codec, bytes.into(), false);
            engine.totals.failed += 1;
            engine.fail_row(task, failure, false, out);
            engine.failures.release(failure);
        });
    }

    /// Of records sent ahead, those a worker has an outcome of before their inputs came: void, for it will not speak of
    /// them again.
    fn give_up_ahead(&mut self, lane: LaneSlot, layer: u32, s: &DoneSection<'_>, out: &mut Out) {
        for i in 0..s.count as usize {
            let index = s.indices.get_or(i, s.first.wrapping_add(i as u32));
            if let Some(task) = self.layers[layer].task(index)
                && self.rows.get(task).is_some()
            {
                self.ahead_came(task, lane, s.attempts.get_or(i, 1), out);
            }
        }
    }

    /// Records whose input could not be fetched: that replica is lost, if it is still the one believed in.
    pub(crate) fn missing_input(
        &mut self,
        lane: LaneSlot,
        layer: u32,
        s: &DoneSection<'_>,
        out: &mut Out,
    ) {
        debug_assert_eq!(s.outcome, Outcome::MissingInput);
        self.give_up_ahead(lane, layer, s, out);
        self.each_current(lane, layer, s, |engine, i, task, _| {
            let name = TaskRef {
                serial: LayerSerial(s.missing_serials.get(i)),
                index: s.missing_indices.get(i),
            };
            let holder = ProcId(s.missing_procs.get(i));
            let lost = engine.find(name).filter(|&input| {
                let row = &engine.rows[input];
                row.state() == State::Memory && row.is(STORED) && row.at == holder.0
            });
            if let Some(input) = lost {
                engine.lose_values(&[input], out);
            }
            if engine.rows[task].state() == State::Processing {
                engine.requeue(task, out);
            }
        });
    }

    /// Records taken back before they started.
    pub(crate) fn retracted(
        &mut self,
        lane: LaneSlot,
        layer: u32,
        s: &DoneSection<'_>,
        out: &mut Out,
    ) {
        self.lanes[lane].retracting = false;
        self.give_up_ahead(lane, layer, s, out);
        self.each_current(lane, layer, s, |engine, _, task, _| {
            engine.requeue(task, out);
        });
        self.lanes.weigh(lane);
    }

    /// Records whose bodies wait for tasks they submitted: they move to their lane's aside, where they cost no
    /// credit. A record that was there already stays.
    pub(crate) fn seceded(
        &mut self,
        lane: LaneSlot,
        layer: u32,
        s: &DoneSection<'_>,
        out: &mut Out,
    ) {
        let (proc, number, epoch) = {
            let lane = &self.lanes[lane];
            (lane.proc, lane.number | ASIDE, lane.epoch)
        };
        let Some(aside) = self.lane_of(proc, number, epoch).filter(|&a| a != lane) else {
            return;
        };
        self.measure(layer, s);
        self.give_up_ahead(lane, layer, s, out);
        self.each_current(lane, layer, s, |engine, _, task, _| {
            engine.leave_lane(task);
            engine.rows[task].at = aside.0;
            let lane = &mut engine.lanes[aside];
            lane.in_flight += 1;
            lane.sent.push_back(task);
            engine.lanes.weigh(aside);
        });
    }

    fn retries_of(&self, task: Task) -> u16 {
        let page = &self.pages.table[task.slot()];
        let layer: &Layer = &self.layers[page.layer];
        page.retries
            .get(task.row())
            .copied()
            .unwrap_or(layer.retries)
    }

    /// A record in flight is void: the row waits or is ready again, under the next attempt.
    pub(crate) fn requeue(&mut self, task: Task, out: &mut Out) {
        self.void_readers(task, out);
        self.leave_lane(task);
        self.pages.bump_attempt(task);
        self.wait_again(task);
    }

    /// An active row counts its unmet inputs afresh and waits for them, or is ready.
    pub(crate) fn wait_again(&mut self, task: Task) {
        match self.rows[task].state() {
            State::Waiting => {}
            State::Queued | State::NoWorker => {
                self.leave_queue(task);
                self.rows[task].set_state(task, State::Waiting, &mut self.ledger);
            }
            _ => self.rows[task].set_state(task, State::Waiting, &mut self.ledger),
        }
        let mut inputs = std::mem::take(&mut self.scratch.inputs);
        inputs.clear();
        let explicit = self.inputs_into(task, &mut inputs);
        let mut unmet = 0;
        for &input in &inputs {
            match self.rows[input].state() {
                State::Memory => continue,
                State::Released => self.agenda.start.push(input),
                State::Erred => self.fail_later(task, self.rows[input].at),
                _ => {}
            }
            unmet += 1;
            if explicit {
                let row = &mut self.rows[input];
                row.value = self.waiters.add(row.value, task);
            }
        }
        self.scratch.inputs = inputs;
        if self.layers[self.pages.layer(task)].gated() {
            unmet = self.unmet(task);
        }
        let row = &mut self.rows[task];
        row.at = unmet;
        if unmet > 0 {
            // Its inputs' lists may name it twice from now on.
            row.flags |= RESCAN;
            self.pages.table[task.slot()].orphans = true;
        } else {
            self.make_ready(task);
        }
    }

    /// Values that no longer exist. What is still needed is computed again, and who reads it waits again.
    pub(crate) fn lose_values(&mut self, lost: &[Task], out: &mut Out) {
        let mut readers = Vec::new();
        for &task in lost {
            readers.extend(self.readers_listed(task, self.rows[task].list(), true));
            readers.extend(self.active_readers(task));
            if self.is_data(task) {
                let message = "the only copy of this scattered value was on a worker that is gone: scatter it again";
                let failure = self.declare(task, crate::fault::DEPENDENCY_LOST, message, false);
                self.fail_row(task, failure, false, out);
                self.failures.release(failure);
                continue;
            }
            self.unstore(task);
            let row = &mut self.rows[task];
            row.set_state(task, State::Released, &mut self.ledger);
            self.pages.bump_attempt(task);
            if row.is(crate::row::WANTED) {
                let (slot, index) = (self.pages.layer(task), self.pages.index(task));
                self.layers[slot].dirty.insert(index);
                self.list_dirty(slot);
            }
            self.agenda.start.push(task);
            self.agenda.check.push(task);
        }
        readers.sort_unstable();
        readers.dedup();
        for reader in readers {
            if self.rows[reader].state() == State::Ahead {
                self.void_readers(reader, out);
                self.void(reader, out);
            }
            let state = self.rows[reader].state();
            if matches!(state, State::Waiting | State::Queued | State::NoWorker) {
                self.wait_again(reader);
            }
        }
    }

    /// A row in flight on a proc that was lost. It is a suspect; if it was alone on its lane, it is to blame.
    pub(crate) fn survive(&mut self, task: Task, alone: bool, proc: ProcId, out: &mut Out) {
        let name = self.name_of(task);
        self.leave_lane(task);
        self.pages.bump_attempt(task);
        if alone {
            let killed = self.kills.entry(name).or_default();
            self.totals.oddities += u64::from(killed.is_empty());
            killed.push(proc);
            if killed.len() >= KILLS_MAX {
                let history: Vec<String> = killed.iter().map(|proc| proc.0.to_string()).collect();
                let message = format!(
                    "{} workers died while it ran (workers {}): it probably crashes its process",
                    killed.len(),
                    history.join(", ")
                );
                let failure =
                    self.declare(task, crate::fault::TASK_KILLED_WORKERS, &message, false);
                self.totals.failed += 1;
                self.fail_detached(task, failure, out);
                return;
            }
        }
        self.rows[task].set_state(task, State::Waiting, &mut self.ledger);
        self.rows[task].flags |= SUSPECT;
        self.wait_again(task);
    }

    /// Fails a row that is in no queue and on no lane any more.
    fn fail_detached(&mut self, task: Task, failure: u32, out: &mut Out) {
        self.rows[task].set_state(task, State::Waiting, &mut self.ledger);
        self.fail_row(task, failure, false, out);
        self.failures.release(failure);
    }
}

/// Deaths of workers a row may cause.
const KILLS_MAX: usize = 3;
