//! What one event leads to, worked off with explicit lists instead of recursion: a chain of a million rows must
//! not need a million stack frames.

use crate::engine::Engine;
use crate::id::Task;
use crate::out::Out;
use crate::state::State;

/// Consequences still to be drawn.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    /// Rows to fail, and the failure.
    pub fail: Vec<(Task, u32)>,
    /// Rows that became needed.
    pub start: Vec<Task>,
    /// Rows that may be needed no longer.
    pub check: Vec<Task>,
    /// Pages to open: layer slot and a row.
    pub open: Vec<(u32, u32)>,
    /// Pages whose rows are all forgotten: layer slot and page slot.
    pub pages: Vec<(u32, u32)>,
    /// Layers that may be done with.
    pub layers: Vec<u32>,
}

/// Buffers kept from event to event.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Rows just finished and the lists that waited for them.
    pub finished: Vec<(Task, u64)>,
    /// Rows a frame speaks of.
    pub tasks: Vec<Task>,
    /// Rows to send: runs of neighbours of one layer.
    pub batch: Vec<(Task, u32)>,
    /// Inputs.
    pub inputs: Vec<Task>,
    /// Rows that alone wait for one of the rows just finished.
    pub sole: Vec<Task>,
    /// Rows that may be sent ahead.
    pub ahead: Vec<Task>,
    /// Producers whose lanes have no room for what reads them.
    pub full: Vec<Task>,
    /// Parts of inputs.
    pub parts: Vec<u32>,
    /// Where each row's inputs end.
    pub ends: Vec<u32>,
}

impl Engine {
    /// Draws all consequences. Failures first, then demand, then its end: each step only adds to these lists.
    pub(crate) fn settle(&mut self, out: &mut Out) {
        loop {
            if let Some((layer, row)) = self.agenda.open.pop() {
                self.open_page(layer, row);
            } else if let Some((task, failure)) = self.agenda.fail.pop() {
                self.fail_row(task, failure, true, out);
                self.failures.release(failure);
            } else if let Some(task) = self.agenda.start.pop() {
                self.start_row(task);
            } else if let Some(task) = self.agenda.check.pop() {
                self.check_row(task, out);
                // Mostly one row after another is done with, and nothing else follows from it.
                while self.agenda.fail.is_empty()
                    && let Some(task) = self.agenda.check.pop()
                {
                    self.check_row(task, out);
                }
            } else if let Some((layer, slot)) = self.agenda.pages.pop() {
                if !self.rows.page(slot).is_empty() {
                    self.close_page(layer, slot);
                }
            } else if let Some(layer) = self.agenda.layers.pop() {
                self.retire_layer(layer, out);
            } else {
                self.waiters.shrink();
                break;
            }
        }
    }

    /// Puts a row on the list of those to fail. The list holds a claim on the failure.
    pub(crate) fn fail_later(&mut self, task: Task, failure: u32) {
        self.failures.retain(failure);
        self.agenda.fail.push((task, failure));
    }

    /// A released row is needed: it waits for its inputs, which are needed in turn.
    pub(crate) fn start_row(&mut self, task: Task) {
        let row = &mut self.rows[task];
        if row.state() != State::Released || !row.needed() {
            return;
        }
        row.set_state(task, State::Waiting, &mut self.ledger);
        row.flags |= crate::row::USED;
        let mut inputs = std::mem::take(&mut self.scratch.inputs);
        inputs.clear();
        let explicit = self.inputs_into(task, &mut inputs);
        let mut unmet = 0;
        let mut failure = None;
        for &input in &inputs {
            let row = &mut self.rows[input];
            row.refs += 1;
            match row.state() {
                State::Memory => {
                    if explicit && row.is(crate::row::STORED) {
                        self.register_stored(input, task);
                    }
                    continue;
                }
                State::Erred => failure = Some(row.at),
                State::Released => self.agenda.start.push(input),
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
        self.rows[task].at = unmet;
        if let Some(failure) = failure {
            self.fail_later(task, failure);
        } else if unmet == 0 && !self.is_data(task) {
            self.make_ready(task);
        }
    }
}
