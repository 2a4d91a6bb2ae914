//! Pages of regular layers come into being when the frontier reaches them. Everything a page caches is computed
//! by the same scan of neighbours that `check` compares it with.

use crate::engine::Engine;
use crate::id::{PAGE_BITS, PAGE_ROWS, Task};
use crate::layer::NO_PAGE;
use crate::row::{ARGS, Row, USED, WANTED};
use crate::state::State;

impl Engine {
    /// Opens the page that holds row `row` of a layer, unless it exists or is finished.
    pub(crate) fn open_page(&mut self, layer_slot: u32, row: u32) {
        let layer = &mut self.layers[layer_slot];
        let tasks = layer.tasks;
        let Some(cell) = layer.cell_mut(row) else {
            return;
        };
        if cell.slot != NO_PAGE || cell.finished || row >= tasks {
            return;
        }
        let base = row >> PAGE_BITS << PAGE_BITS;
        let slot = self
            .pages
            .open(&mut self.rows, layer_slot, base, cell.attempt_base);
        cell.slot = slot;
        layer.live_pages += 1;
        let rows = (tasks - base).min(PAGE_ROWS);
        let args = if layer.data.present { ARGS } else { 0 };
        let row = Row::new(self.pages.birth_flags(slot) | args);
        self.rows.page_mut(slot).resize(rows as usize, row);
        self.pages.table[slot as usize].alive = rows;
        self.ledger.born(u64::from(rows));
        self.count_claims(layer_slot, slot, base, rows);
        let layer = &mut self.layers[layer_slot];
        let end = base + rows;
        for (s, e) in layer.wanted.split(base, end, true) {
            for row in &mut self.rows.page_mut(slot)[(s - base) as usize..(e - base) as usize] {
                row.flags |= WANTED | USED;
            }
        }
        layer.wanted.remove(base, end);
        let demanded = layer.latent.split(base, end, true);
        layer.latent.remove(base, end);
        for span in layer.input_spans(layer_slot, base, end) {
            for page in span.start >> PAGE_BITS..=(span.end - 1) >> PAGE_BITS {
                let at = (page << PAGE_BITS).max(span.start);
                self.agenda.open.push((span.layer, at));
            }
        }
        for (s, e) in demanded {
            self.start_span(layer_slot, slot, s - base, e - base);
        }
    }

    /// Claims of consumers on rows of a new page.
    fn count_claims(&mut self, layer: u32, slot: u32, base: u32, rows: u32) {
        let lonely =
            self.layers[layer].consumers.is_empty() && self.layers[layer].levels.is_empty();
        if lonely {
            return;
        }
        for i in 0..rows {
            let (mut refs, mut dependents) = (0, 0);
            self.each_reader(layer, base + i, |reader, row| {
                let (value, lineage) = self.claims(reader, row);
                refs += u32::from(value);
                dependents += u32::from(lineage);
            });
            let row = &mut self.rows.page_mut(slot)[i as usize];
            row.refs = refs;
            row.dependents = dependents;
        }
    }

    /// Rows of a new page that were demanded before it existed. Their claims on inputs are counted already.
    fn start_span(&mut self, layer: u32, slot: u32, start: u32, end: u32) {
        let source = self.layers[layer].inputs.is_empty();
        let mut inputs = std::mem::take(&mut self.scratch.inputs);
        for row in start..end {
            let task = Task::new(slot, row);
            self.rows[task].set_state(task, State::Waiting, &mut self.ledger);
            self.rows[task].flags |= USED;
            if source {
                self.make_ready(task);
                continue;
            }
            inputs.clear();
            self.inputs_into(task, &mut inputs);
            let mut unmet = self.input_count(layer, self.pages.index(task));
            let mut failure = None;
            for &input in &inputs {
                let row = &self.rows[input];
                match row.state() {
                    State::Memory => unmet -= 1,
                    State::Erred => failure = Some(row.at),
                    _ => {}
                }
            }
            self.rows[task].at = unmet;
            if let Some(failure) = failure {
                self.fail_later(task, failure);
            } else if unmet == 0 {
                self.make_ready(task);
            }
        }
        self.scratch.inputs = inputs;
    }

    /// Inputs of a row of a regular layer, whether their pages exist or not.
    fn input_count(&self, layer: u32, row: u32) -> u32 {
        let mut count = 0;
        self.layers[layer].each_input(layer, row, |_, _, _| count += 1);
        count
    }

    /// Opens the pages of regular layers that rows start … end - 1 of a layer are about to be told to.
    pub(crate) fn open_readers(&mut self, layer_slot: u32, start: u32, end: u32) {
        let mut spans = Vec::new();
        let layer = &self.layers[layer_slot];
        for consumer in &layer.consumers {
            let reader = &self.layers[consumer.layer];
            if reader.latent.is_empty() {
                continue;
            }
            let input = &reader.inputs[consumer.input as usize];
            if input.broadcast {
                if (start..end).contains(&input.first) {
                    spans.push((consumer.layer, 0, reader.tasks));
                }
                continue;
            }
            let (s, e) = (
                start.saturating_sub(input.first),
                end.saturating_sub(input.first),
            );
            let fan = reader.fan_in.max(1);
            spans.push((consumer.layer, s / fan, e.div_ceil(fan).min(reader.tasks)));
        }
        if !layer.levels.is_empty() && !layer.latent.is_empty() {
            let above = layer.parent(start).unwrap_or(layer.tasks);
            let last = layer.parent(end - 1).map_or(layer.tasks, |row| row + 1);
            spans.push((layer_slot, above, last));
        }
        for (reader, s, e) in spans {
            let parts = self.layers[reader].latent.split(s, e.max(s), true);
            for (s, e) in parts {
                for page in s >> PAGE_BITS..=(e - 1) >> PAGE_BITS {
                    self.open_page(reader, (page << PAGE_BITS).max(s));
                }
            }
        }
    }
}
