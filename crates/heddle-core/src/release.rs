//! The release rule. A stored value goes when nobody active needs it; an inline value also stands for its row's
//! lineage and goes when no consumer can run any more. What can never be asked for again is forgotten.

use crate::engine::Engine;
use crate::event::LayerKind;
use crate::id::{PAGE_ROWS, ProcId, Task};
use crate::layer::NO_PAGE;
use crate::out::Out;
use crate::row::{ARGS, BLOB, DETACHED, RESCAN, Row, STORED, USED, WANTED};
use crate::state::State;

impl Engine {
    /// Somebody needs this row less than before: draws the consequence.
    pub(crate) fn check_row(&mut self, task: Task, out: &mut Out) {
        let row = &self.rows[task];
        if row.needed() {
            return;
        }
        let last = row.dependents == 0;
        match row.state() {
            State::Released if last && row.is(USED) => self.forget(task),
            State::Released | State::Forgotten => {}
            State::Waiting | State::Queued | State::NoWorker | State::Processing | State::Ahead => {
                self.deactivate(task, out);
                if last {
                    self.forget(task);
                }
            }
            // A scattered value cannot be computed again: like an inline one it is its own lineage.
            State::Memory if row.is(STORED) && !last && self.is_data(task) => {}
            State::Memory if row.is(STORED) => {
                self.free_stored(task, out);
                if last {
                    self.forget(task);
                } else {
                    self.rows[task].set_state(task, State::Released, &mut self.ledger);
                    self.pages.bump_attempt(task);
                }
            }
            State::Memory | State::Erred => {
                if last {
                    self.forget(task);
                }
            }
        }
    }

    /// An active row that nobody needs any more: nothing is computed for it.
    fn deactivate(&mut self, task: Task, out: &mut Out) {
        match self.rows[task].state() {
            State::Processing => {
                self.take_back(task, true, out);
                self.pages.bump_attempt(task);
            }
            State::Ahead => self.take_ahead_back(task, true, out),
            State::Queued | State::NoWorker => self.leave_queue(task),
            _ => {}
        }
        let list = self.rows[task].list();
        self.waiters.free(list);
        let row = &mut self.rows[task];
        row.set_state(task, State::Released, &mut self.ledger);
        row.value = 0;
        row.at = 0;
        row.flags |= RESCAN;
        self.pages.table[task.slot()].orphans = true;
        self.drop_claims(task, true, false);
    }

    /// Gives up an active row's claims on its inputs' values and, if asked, on their lineage.
    pub(crate) fn drop_claims(&mut self, task: Task, values: bool, lineage: bool) {
        let mut inputs = std::mem::take(&mut self.scratch.inputs);
        inputs.clear();
        self.inputs_into(task, &mut inputs);
        for &input in &inputs {
            let row = &mut self.rows[input];
            row.refs -= u32::from(values);
            row.dependents -= u32::from(lineage);
            if !row.needed() {
                self.agenda.check.push(input);
            }
        }
        self.scratch.inputs = inputs;
        if lineage {
            self.rows[task].flags |= DETACHED;
        }
    }

    /// A value in a proc's store is dropped.
    pub(crate) fn free_stored(&mut self, task: Task, out: &mut Out) {
        let name = self.name_of(task);
        let attempt = self.pages.attempt(task);
        let proc = ProcId(self.rows[task].at);
        if let Some(proc) = self.procs.table.get_mut(&proc) {
            out.proc(proc.id, proc.incarnation)
                .free
                .push(name.serial, name.index, attempt);
        }
        self.unstore(task);
    }

    /// A stored value no longer exists; the row's state is the caller's to change.
    pub(crate) fn unstore(&mut self, task: Task) {
        let list = self.rows[task].list();
        self.waiters.free(list);
        let row = &mut self.rows[task];
        let size = row.value & 0xffff_ffff;
        let proc = ProcId(row.at);
        row.value = 0;
        row.at = 0;
        row.flags &= !STORED;
        self.totals.stored -= 1;
        if let Some(proc) = self.procs.table.get_mut(&proc) {
            proc.stored_live -= 1;
            proc.stored_bytes -= size;
        }
    }

    /// Nobody can ever ask for this row again.
    pub(crate) fn forget(&mut self, task: Task) {
        let row = &mut self.rows[task];
        let small = row.flags & (DETACHED | ARGS | STORED) == DETACHED && row.len <= 8;
        if small && row.state() == State::Memory && self.totals.oddities == 0 {
            // What most rows are in the end: a small inline value and nothing else.
            self.totals.cell_bytes -= u64::from(row.len);
            row.set_state(task, State::Forgotten, &mut self.ledger);
            row.value = 0;
            row.flags &= RESCAN | DETACHED;
        } else {
            if !row.is(DETACHED) {
                self.drop_claims(task, false, true);
            }
            self.bury(task);
        }
        let page = &mut self.pages.table[task.slot()];
        page.alive -= 1;
        if page.alive == 0 {
            // Not at once: lists of consequences may still name rows of the page.
            let layer = self.pages.layer(task);
            self.agenda.pages.push((layer, task.slot() as u32));
        }
    }

    /// Drops all a row holds, whatever its neighbours.
    pub(crate) fn bury(&mut self, task: Task) {
        let row = self.rows[task];
        match row.state() {
            State::Memory if !row.is(STORED) => self.drop_inline(&row),
            State::Erred => self.failures.release(row.at),
            _ => {}
        }
        self.release_args(task);
        let row = &mut self.rows[task];
        row.set_state(task, State::Forgotten, &mut self.ledger);
        row.value = 0;
        row.at = 0;
        row.flags &= RESCAN | DETACHED;
        self.forget_oddities(task);
    }

    /// An inline value is dropped.
    fn drop_inline(&mut self, row: &Row) {
        if row.len == BLOB {
            self.blobs.remove(row.value as u32);
        } else {
            self.totals.cell_bytes -= u64::from(row.len);
        }
    }

    /// The row can never run again: its arguments may go.
    pub(crate) fn release_args(&mut self, task: Task) {
        if self.rows[task].is(ARGS) {
            self.rows[task].flags &= !ARGS;
            let slot = self.pages.layer(task);
            let index = self.pages.index(task);
            self.layers[slot].data.release(index, 1);
        }
    }

    /// Drops what only few rows have.
    fn forget_oddities(&mut self, task: Task) {
        if self.totals.oddities == 0 {
            return;
        }
        let name = self.name_of(task);
        self.totals.oddities -= u64::from(self.retried.remove(&name).is_some());
        self.totals.oddities -= u64::from(self.kills.remove(&name).is_some());
        let layer = &mut self.layers[self.pages.layer(task)];
        if let Some(key) = layer.keys.remove(&self.pages.index(task)) {
            self.totals.oddities -= 1;
            if let Some(client) = self.clients.get_mut(&layer.client) {
                client.keys.remove(&key);
            }
        }
    }

    /// Closes a page whose rows are all forgotten, unless more rows may be appended to it.
    pub(crate) fn close_page(&mut self, layer_slot: u32, slot: u32) {
        let page = &self.pages.table[slot as usize];
        let base = page.base;
        let rows = self.rows.page(slot).len() as u32;
        let layer = &mut self.layers[layer_slot];
        let open = self
            .clients
            .get(&layer.client)
            .is_some_and(|client| client.open_layer == Some(layer_slot));
        if page.alive > 0 || (open && rows < PAGE_ROWS) {
            return;
        }
        self.ledger.gone(State::Forgotten, u64::from(rows));
        let attempt = self.pages.close(&mut self.rows, slot);
        if let Some(cell) = layer.cell_mut(base) {
            cell.slot = NO_PAGE;
            cell.attempt_base = attempt;
            cell.finished = true;
            self.totals.cells -= 1;
        }
        layer.live_pages -= 1;
        while layer.cells.front().is_some_and(|cell| cell.finished) {
            layer.cells.pop_front();
            layer.first_page += 1;
        }
        let page = base as usize / PAGE_ROWS as usize;
        layer.ready.shrink_page(page);
        layer.dirty.shrink_page(page);
        if layer.live_pages == 0 {
            self.agenda.layers.push(layer_slot);
        }
    }

    /// Forgets a layer whose rows are all finished or were never demanded by anybody who is still there.
    pub(crate) fn retire_layer(&mut self, slot: u32, out: &mut Out) {
        let layer = &self.layers[slot];
        let Some(client) = self.clients.get_mut(&layer.client) else {
            return;
        };
        let busy = !layer.alive
            || !layer.used
            || layer.live_pages > 0
            || !layer.latent.is_empty()
            || !layer.consumers.is_empty()
            || client.open_layer == Some(slot);
        if busy {
            return;
        }
        client.layers.remove(&layer.number);
        if layer.dirty_listed {
            client.dirty.retain(|&dirty| dirty != slot);
        }
        self.abandon_untouched(slot);
        self.unlink(slot);
        self.uncount_cells(slot);
        let layer = &self.layers[slot];
        if layer.queued {
            self.ready.layers.remove(&(layer.order, slot));
        }
        self.drop_layer(slot, out);
    }

    /// Rows whose pages never existed give up their claims on the lineage of what they read.
    fn abandon_untouched(&mut self, slot: u32) {
        let layer = &self.layers[slot];
        if layer.inputs.is_empty() {
            return;
        }
        let mut spans = Vec::new();
        for (s, e) in crate::demand::page_parts(0, layer.tasks) {
            if layer.untouched(s) {
                spans.extend(layer.input_spans(slot, s, e));
            }
        }
        for span in spans.into_iter().filter(|span| span.layer != slot) {
            for task in self.existing(span) {
                let row = &mut self.rows[task];
                row.dependents -= span.edges;
                if !row.needed() {
                    self.agenda.check.push(task);
                }
            }
        }
    }

    /// Pages the layer will never open.
    pub(crate) fn uncount_cells(&mut self, slot: u32) {
        let open = self.layers[slot]
            .cells
            .iter()
            .filter(|cell| !cell.finished)
            .count();
        self.totals.cells -= open as u64;
    }

    /// Upstream layers no longer have this reader.
    pub(crate) fn unlink(&mut self, slot: u32) {
        for input in std::mem::take(&mut self.layers[slot].inputs) {
            let upstream = &mut self.layers[input.layer];
            upstream.consumers.retain(|consumer| consumer.layer != slot);
            if upstream.live_pages == 0 {
                self.agenda.layers.push(input.layer);
            }
        }
    }

    /// The client gives up rows start … end - 1 of a layer.
    pub(crate) fn unwant(&mut self, layer: u32, start: u32, end: u32) {
        self.layers[layer].used = true;
        for (s, e) in crate::demand::page_parts(start, end) {
            if self.layers[layer].untouched(s) && self.all_demanded(layer, s, e) {
                // Consumers need them all the same: nothing changes but who else wants them.
                self.layers[layer].wanted.remove(s, e);
            } else if !self.layers[layer].latent.split(s, e, true).is_empty() {
                self.open_page(layer, s);
            }
            let Some(cell) = self.layers[layer].cell(s).copied() else {
                continue;
            };
            self.layers[layer].dirty.remove_range(s, e - s);
            if cell.slot == NO_PAGE {
                continue;
            }
            for row in s..e {
                let task = Task::new(cell.slot, row % PAGE_ROWS);
                let row = &mut self.rows[task];
                if row.state() == State::Forgotten {
                    continue;
                }
                row.flags = row.flags & !WANTED | USED;
                if !row.needed() {
                    self.agenda.check.push(task);
                }
            }
        }
        if self.layers[layer].live_pages == 0 {
            self.agenda.layers.push(layer);
        }
    }

    /// Pages of an explicit layer that nothing will be appended to any more.
    pub(crate) fn close_for_append(&mut self, layer: u32) {
        if !self.layers[layer].alive || self.layers[layer].kind != LayerKind::Explicit {
            return;
        }
        let slots: Vec<u32> = self.layers[layer]
            .cells
            .iter()
            .map(|cell| cell.slot)
            .collect();
        for slot in slots.into_iter().filter(|&slot| slot != NO_PAGE) {
            self.close_page(layer, slot);
        }
        self.agenda.layers.push(layer);
    }
}
