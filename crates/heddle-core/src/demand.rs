//! Demand: rows wanted by clients, and through them by consumers, as ranges. Pages that do not exist hold demand
//! as intervals; rows of pages that do hold it as counts.

use crate::engine::Engine;
use crate::gate::Gate;
use crate::id::{PAGE_BITS, PAGE_ROWS, Task};
use crate::layer::{NO_PAGE, Span};
use crate::ready_rows::Heat;
use crate::row::{ODD, SUSPECT, USED, WANTED};
use crate::state::State;

impl Engine {
    /// The client wants rows start … end - 1 of a layer.
    pub(crate) fn want(&mut self, layer: u32, start: u32, end: u32) {
        self.layers[layer].used = true;
        for (s, e) in page_parts(start, end) {
            match self.layers[layer].cell(s).copied() {
                Some(cell) if cell.slot != NO_PAGE => {
                    for row in s..e {
                        self.want_row(Task::new(cell.slot, row % PAGE_ROWS), layer, row);
                    }
                }
                Some(cell) if !cell.finished => {
                    self.layers[layer].wanted.insert(s, e);
                    self.demand(Span {
                        layer,
                        start: s,
                        end: e,
                        edges: 0,
                        gate: false,
                    });
                }
                _ => {}
            }
        }
    }

    fn want_row(&mut self, task: Task, layer: u32, index: u32) {
        let row = &mut self.rows[task];
        let state = row.state();
        if state == State::Forgotten {
            return;
        }
        row.flags |= WANTED | USED;
        match state {
            State::Released => self.start_row(task),
            State::Memory | State::Erred => {
                self.layers[layer].dirty.insert(index);
                self.list_dirty(layer);
            }
            _ => {}
        }
    }

    /// Rows of a span, and what they read, are demanded by `edges` more edges each.
    fn demand(&mut self, span: Span) {
        let mut spans = vec![span];
        while let Some(span) = spans.pop() {
            for (s, e) in page_parts(span.start, span.end) {
                match self.layers[span.layer].cell(s).copied() {
                    Some(cell) if cell.slot != NO_PAGE => {
                        for row in s..e {
                            let task = Task::new(cell.slot, row % PAGE_ROWS);
                            let row = &mut self.rows[task];
                            row.refs += span.edges;
                            if row.state() == State::Released {
                                self.agenda.start.push(task);
                            }
                        }
                    }
                    Some(cell) if !cell.finished => {
                        self.demand_latent(span.layer, s, e, &mut spans)
                    }
                    _ => {}
                }
            }
        }
    }

    /// Demands rows of a page that does not exist. It stays so while nothing it reads exists either.
    fn demand_latent(&mut self, slot: u32, start: u32, end: u32, spans: &mut Vec<Span>) {
        let layer = &mut self.layers[slot];
        layer.used = true;
        let new = layer.latent.split(start, end, false);
        layer.latent.insert(start, end);
        if layer.inputs.is_empty() {
            self.queue_layer(slot);
            return;
        }
        let source = layer.source();
        let gate = self.gate(slot);
        if source && gate == Gate::Open {
            self.queue_layer(slot);
        }
        for (s, e) in new {
            let open = match gate {
                Gate::Open => !source && self.reads_existing(slot, s, e),
                Gate::Closed => false,
                Gate::Failed(_) => true,
            };
            if open {
                self.agenda.open.push((slot, s));
            }
            spans.extend(self.layers[slot].input_spans(slot, s, e));
        }
    }

    /// The layer has something to send, or pages to open that have.
    pub(crate) fn queue_layer(&mut self, slot: u32) {
        let layer = &mut self.layers[slot];
        if !layer.queued {
            layer.queued = true;
            self.ready.layers.insert((layer.order, slot));
        }
    }

    /// The state of a row that has all it needs.
    #[inline]
    pub(crate) fn ready_state(&self) -> State {
        if self.lanes.up == 0 {
            State::NoWorker
        } else {
            State::Queued
        }
    }

    /// A waiting row has all it needs.
    #[inline]
    pub(crate) fn make_ready(&mut self, task: Task) {
        self.make_ready_as(task, Heat::Cold);
    }

    /// The same, and this is how.
    #[inline]
    pub(crate) fn make_ready_as(&mut self, task: Task, heat: Heat) {
        let to = self.ready_state();
        let row = &mut self.rows[task];
        row.set_state(task, to, &mut self.ledger);
        let flags = row.flags;
        if flags & (ODD | SUSPECT) != 0 {
            let order = self.order_of(task);
            let set = if flags & SUSPECT != 0 {
                &mut self.ready.alone
            } else {
                &mut self.ready.odd
            };
            set.insert((order, task));
            return;
        }
        let page = &self.pages.table[task.slot()];
        let (slot, index) = (page.layer, page.base + task.row() as u32);
        let layer = &mut self.layers[slot];
        layer.ready.insert(index, heat);
        self.ready.in_layers += 1;
        if !layer.queued {
            self.queue_layer(slot);
        }
    }

    /// A ready row leaves the queue; its state is the caller's to change.
    pub(crate) fn leave_queue(&mut self, task: Task) {
        let flags = self.rows[task].flags;
        if flags & (ODD | SUSPECT) != 0 {
            let order = self.order_of(task);
            let set = if flags & SUSPECT != 0 {
                &mut self.ready.alone
            } else {
                &mut self.ready.odd
            };
            set.remove(&(order, task));
            return;
        }
        let slot = self.pages.layer(task);
        let index = self.pages.index(task);
        if self.layers[slot].ready.remove(index) {
            self.ready.in_layers -= 1;
        }
    }

    /// A row's place in the order of things.
    pub(crate) fn order_of(&self, task: Task) -> u128 {
        let page = &self.pages.table[task.slot()];
        let order = self.layers[page.layer].order + u128::from(self.pages.index(task));
        match page.priorities.get(task.row()) {
            Some(&priority) => crate::ready::reprioritise(order, priority),
            None => order,
        }
    }

    /// All ready rows change between queued and no-worker, as the first lane comes or the last one goes.
    pub(crate) fn turn_ready(&mut self, to: State) {
        let layers: Vec<u32> = self.ready.layers.iter().map(|&(_, slot)| slot).collect();
        for slot in layers {
            let mut from = 0;
            while let Some((start, count)) = self.layers[slot].ready.run_from(from, PAGE_ROWS) {
                for row in start..start + count {
                    if let Some(task) = self.layers[slot].task(row)
                        && self.rows[task].state() != to
                    {
                        self.rows[task].set_state(task, to, &mut self.ledger);
                    }
                }
                from = start + count;
            }
        }
        for &(_, task) in self.ready.odd.iter().chain(&self.ready.alone) {
            if self.rows[task].state() != to {
                self.rows[task].set_state(task, to, &mut self.ledger);
            }
        }
    }

    /// The client has something to be told of this layer.
    #[inline]
    pub(crate) fn list_dirty(&mut self, slot: u32) {
        let layer = &mut self.layers[slot];
        if !layer.dirty_listed && !layer.dirty.is_empty() {
            layer.dirty_listed = true;
            if let Some(client) = self.clients.get_mut(&layer.client) {
                client.dirty.push_back(slot);
            }
        }
    }
}

/// Rows start … end - 1, cut at page boundaries.
pub(crate) fn page_parts(start: u32, end: u32) -> impl Iterator<Item = (u32, u32)> {
    let mut at = start;
    std::iter::from_fn(move || {
        (at < end).then(|| {
            let next = ((at >> PAGE_BITS) + 1).saturating_mul(PAGE_ROWS).min(end);
            let part = (at, next);
            at = next;
            part
        })
    })
}
