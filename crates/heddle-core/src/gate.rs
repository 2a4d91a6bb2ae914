//! Gates: what every row of a layer reads, taken as one. A row that waits counts the gate of its layer as one
//! unmet input, however much is behind it, and pages of rows nobody named stay unopened while it is closed. So
//! when a broadcast value arrives (or the last of the rows that all are to be gathered), what is edited is the
//! layer's set of demanded rows, not a count per row. Claims on the rows behind a gate are added and taken in
//! one step per run of rows.

use crate::engine::Engine;
use crate::id::{PAGE_ROWS, Task};
use crate::layer::NO_PAGE;
use crate::ready_rows::Heat;
use crate::row::DETACHED;
use crate::state::State;

/// What is known of the rows behind a layer's gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// All are in memory, or there are none.
    Open,
    /// Some are not.
    Closed,
    /// One has failed, and this is why.
    Failed(u32),
}

impl Engine {
    /// By scan.
    pub(crate) fn gate(&self, slot: u32) -> Gate {
        let mut gate = Gate::Open;
        self.layers[slot].each_gate(|from, row| {
            let input = self.layers[from].task(row).map(|input| &self.rows[input]);
            match input.map(|input| (input.state(), input.at)) {
                Some((State::Memory, _)) => {}
                Some((State::Erred, failure)) => gate = Gate::Failed(failure),
                _ if gate == Gate::Open => gate = Gate::Closed,
                _ => {}
            }
        });
        gate
    }

    /// True when all rows behind the gate are in memory. Looks on where it stopped last time, so that the rows of a
    /// long gate are not all looked at whenever some of them arrive.
    pub(crate) fn gate_reached(&mut self, slot: u32) -> bool {
        for at in 0..self.layers[slot].inputs.len() {
            let input = self.layers[slot].inputs[at];
            if !input.broadcast {
                continue;
            }
            let from = &self.layers[input.layer];
            let here = |row: &u32| {
                let task = from.task(input.first + *row);
                task.is_some_and(|task| self.rows[task].state() == State::Memory)
            };
            let hole = (input.met..input.count).find(|row| !here(row));
            // At the end: values seen earlier may have been lost since.
            let hole = hole.or_else(|| (0..input.met).find(|row| !here(row)));
            self.layers[slot].inputs[at].met = hole.unwrap_or(input.count);
            if hole.is_some() {
                return false;
            }
        }
        true
    }

    /// Layers whose gates wait for one of the finished rows of a layer, each once, if all of it is there now.
    pub(crate) fn gates_opened(&mut self, layer: u32, finished: &[(Task, u64)]) -> Vec<u32> {
        let mut gated = Vec::new();
        for consumer in &self.layers[layer].consumers {
            let input = &self.layers[consumer.layer].inputs[consumer.input as usize];
            let behind = |&(task, _): &(Task, u64)| {
                self.pages.index(task).wrapping_sub(input.first) < input.count
            };
            if input.broadcast && !gated.contains(&consumer.layer) && finished.iter().any(behind) {
                gated.push(consumer.layer);
            }
        }
        gated.retain(|&slot| self.gate_reached(slot));
        gated
    }

    /// The gate of a layer is open: its rows in pages have one input fewer to wait for, the others can be opened.
    pub(crate) fn pass_gate(&mut self, slot: u32) {
        let layer = &self.layers[slot];
        let live = layer.cells.iter().filter(|cell| cell.slot != NO_PAGE);
        let live: Vec<u32> = live.map(|cell| cell.slot).collect();
        for page in live {
            for row in 0..self.rows.page(page).len() as u32 {
                self.input_met(Task::new(page, row), Heat::Warm);
            }
        }
        self.open_latent(slot);
    }

    /// Demanded rows of a layer whose gate is open: a source sends them page by page, as lanes have credit; of
    /// others, those pages are opened of which something that is read exists.
    fn open_latent(&mut self, slot: u32) {
        let layer = &self.layers[slot];
        if layer.latent.is_empty() {
            return;
        }
        if layer.source() {
            self.queue_layer(slot);
            return;
        }
        let parts = layer.latent.iter();
        let parts: Vec<(u32, u32)> = parts
            .flat_map(|(s, e)| crate::demand::page_parts(s, e))
            .collect();
        for (start, end) in parts {
            if self.reads_existing(slot, start, end) {
                self.agenda.open.push((slot, start));
            }
        }
    }

    /// True when a page exists, or has existed, that rows start … end - 1 of a layer read as streams.
    pub(crate) fn reads_existing(&self, slot: u32, start: u32, end: u32) -> bool {
        let layer = &self.layers[slot];
        let streams = layer.input_spans(slot, start, end);
        streams.iter().filter(|span| !span.gate).any(|span| {
            let from = &self.layers[span.layer];
            crate::demand::page_parts(span.start, span.end).any(|(s, _)| !from.untouched(s))
        })
    }

    /// Claims all rows of a gated layer together have on each row behind the gate: (on the value, on the lineage).
    pub(crate) fn gate_claims(&self, slot: u32) -> (u32, u32) {
        let layer = &self.layers[slot];
        let (mut values, mut lineages) = (layer.latent.count(), 0);
        for (cell, page) in layer.cells.iter().zip(layer.first_page..) {
            if cell.slot != NO_PAGE {
                let rows = self.rows.page(cell.slot).iter();
                for row in rows {
                    values += u32::from(row.active());
                    lineages += u32::from(!row.is(DETACHED));
                }
            } else if !cell.finished {
                lineages += (layer.tasks - page * PAGE_ROWS).min(PAGE_ROWS);
            }
        }
        (values, lineages)
    }

    /// `rows` rows of a gated layer that are finished give up their claims on what is behind the gate.
    pub(crate) fn drop_gate_claims(&mut self, slot: u32, rows: u32, lineage: bool) {
        let mut behind = Vec::new();
        self.layers[slot].each_gate(|from, row| behind.extend(self.layers[from].task(row)));
        for input in behind {
            let row = &mut self.rows[input];
            row.refs -= rows;
            row.dependents -= if lineage { rows } else { 0 };
            if !row.needed() {
                self.agenda.check.push(input);
            }
        }
    }
}
