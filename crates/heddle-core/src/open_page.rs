//! Pages of regular layers come into being when the frontier reaches them. Everything a page caches is computed
//! by the same scan of neighbours that `check` compares it with.

use crate::engine::Engine;
use crate::gate::Gate;
use crate::id::{PAGE_BITS, PAGE_ROWS, Task};
use crate::layer::NO_PAGE;
use crate::regular;
use crate::row::{ARGS, Row, USED, WANTED};
use crate::state::State;

/// In place of an input: a tree reads its own lower levels.
const OWN_LEVELS: u32 = u32::MAX;

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
        for (reader, input) in self.readers_of(layer) {
            if self.reads_gate(reader, input) {
                self.count_gate_claims(slot, base, rows, reader, input);
                continue;
            }
            let (s, e) = self.reading_span(layer, reader, input, base, base + rows);
            let latent = self.layers[reader].latent.covers(s, e);
            // Mostly all readers are latent alike: then every row has one claim.
            if latent && self.layers[reader].radius == 0 {
                for row in self.rows.page_mut(slot) {
                    row.refs += 1;
                    row.dependents += 1;
                }
                self.unclaim_unread(layer, slot, reader, input, base);
                continue;
            }
            for i in 0..rows {
                let (mut refs, mut dependents) = (0, 0);
                self.each_reader_by(layer, reader, input, base + i, |row| {
                    let (value, lineage) = if latent {
                        (true, true)
                    } else {
                        self.claims(reader, row)
                    };
                    refs += u32::from(value);
                    dependents += u32::from(lineage);
                });
                let row = &mut self.rows.page_mut(slot)[i as usize];
                row.refs += refs;
                row.dependents += dependents;
            }
        }
    }

    /// True when one reader demands every one of rows start … end - 1 of a layer, as far as its own pages do not exist.
    pub(crate) fn all_demanded(&self, layer: u32, start: u32, end: u32) -> bool {
        self.readers_of(layer).into_iter().any(|(reader, input)| {
            // Rows that are read are neighbours.
            let read = |row| self.is_read_by(layer, reader, input, row);
            if self.reads_gate(reader, input) || !read(start) || !read(end - 1) {
                return false;
            }
            let (s, e) = self.reading_span(layer, reader, input, start, end);
            s < e && self.layers[reader].latent.covers(s, e)
        })
    }

    /// Regular layers that read a layer, itself among them if it is a tree: (slot, input).
    fn readers_of(&self, layer: u32) -> Vec<(u32, u32)> {
        let own = &self.layers[layer];
        let mut readers: Vec<(u32, u32)> =
            own.consumers.iter().map(|c| (c.layer, c.input)).collect();
        if !own.levels.is_empty() {
            readers.push((layer, OWN_LEVELS));
        }
        readers
    }

    /// Calls `each` with every row of one reader that reads row `row`.
    fn each_reader_by(&self, layer: u32, reader: u32, input: u32, row: u32, each: impl FnMut(u32)) {
        let rows = if reader == layer && input == OWN_LEVELS {
            let above = self.layers[layer].parent(row);
            [above.map_or((0, 0), |above| (above, above + 1)), (0, 0)]
        } else {
            self.layers[reader].readers(input, row)
        };
        let rows = rows.into_iter().flat_map(|(start, end)| start..end);
        rows.for_each(each);
    }

    fn reads_gate(&self, reader: u32, input: u32) -> bool {
        input != OWN_LEVELS && self.layers[reader].inputs[input as usize].broadcast
    }

    /// Rows of a new page that stand behind the gate of a reader: all its rows have a claim on each.
    fn count_gate_claims(&mut self, slot: u32, base: u32, rows: u32, reader: u32, input: u32) {
        let behind = &self.layers[reader].inputs[input as usize];
        let start = behind.first.max(base);
        let end = (behind.first + behind.count).min(base + rows);
        if start >= end {
            return;
        }
        let (values, lineages) = self.gate_claims(reader);
        for row in &mut self.rows.page_mut(slot)[(start - base) as usize..(end - base) as usize] {
            row.refs += values;
            row.dependents += lineages;
        }
    }

    /// Rows of a reader that read rows start … end - 1, as far as there are any.
    fn reading_span(
        &self,
        layer: u32,
        reader: u32,
        input: u32,
        start: u32,
        end: u32,
    ) -> (u32, u32) {
        let mut span = (u32::MAX, 0);
        let mut widen = |row: u32| span = (span.0.min(row), span.1.max(row + 1));
        // Both ends of the rows that are read at all.
        let first = (start..end).find(|&row| self.is_read_by(layer, reader, input, row));
        let last = (start..end)
            .rev()
            .find(|&row| self.is_read_by(layer, reader, input, row));
        for row in first.into_iter().chain(last) {
            self.each_reader_by(layer, reader, input, row, &mut widen);
        }
        if span.0 > span.1 { (0, 0) } else { span }
    }

    fn is_read_by(&self, layer: u32, reader: u32, input: u32, row: u32) -> bool {
        let mut read = false;
        self.each_reader_by(layer, reader, input, row, |_| read = true);
        read
    }

    /// Rows at both ends of a page that a reader does not read lose the claim all were given.
    fn unclaim_unread(&mut self, layer: u32, slot: u32, reader: u32, input: u32, base: u32) {
        let n = self.rows.page(slot).len() as u32;
        let unread = |row: &u32| !self.is_read_by(layer, reader, input, base + *row);
        let head: Vec<u32> = (0..n).take_while(unread).collect();
        let tail: Vec<u32> = (head.len() as u32..n).rev().take_while(unread).collect();
        for row in head.into_iter().chain(tail) {
            let row = &mut self.rows.page_mut(slot)[row as usize];
            row.refs -= 1;
            row.dependents -= 1;
        }
    }

    /// Rows of a new page that were demanded before it existed. Their claims on inputs are counted already.
    fn start_span(&mut self, layer: u32, slot: u32, start: u32, end: u32) {
        let gate = self.gate(layer);
        if self.layers[layer].source() && gate == Gate::Open {
            self.start_sources(layer, slot, start, end);
            return;
        }
        let (closed, behind) = match gate {
            Gate::Open => (0, None),
            Gate::Closed => (1, None),
            Gate::Failed(failure) => (1, Some(failure)),
        };
        let base = self.pages.table[slot as usize].base;
        for row in start..end {
            let task = Task::new(slot, row);
            let (mut unmet, mut failure) = (closed, behind);
            self.layers[layer].each_stream(layer, base + row, |from, row| {
                let state = self.layers[from].task(row).map(|input| &self.rows[input]);
                match state.map(|row| (row.state(), row.at)) {
                    Some((State::Memory, _)) => return,
                    Some((State::Erred, at)) => failure = Some(at),
                    _ => {}
                }
                unmet += 1;
            });
            let own = &mut self.rows[task];
            own.set_state(task, State::Waiting, &mut self.ledger);
            own.flags |= USED;
            own.at = unmet;
            if let Some(failure) = failure {
                self.fail_later(task, failure);
            } else if unmet == 0 {
                self.make_ready(task);
            }
        }
    }

    /// The same for rows that wait for nothing.
    fn start_sources(&mut self, layer: u32, slot: u32, start: u32, end: u32) {
        let ready = self.ready_state();
        let base = self.pages.table[slot as usize].base;
        for (row, at) in self.rows.page_mut(slot)[start as usize..end as usize]
            .iter_mut()
            .zip(start..)
        {
            let task = Task::new(slot, at);
            row.flags |= USED;
            row.set_state(task, State::Waiting, &mut self.ledger);
            row.set_state(task, ready, &mut self.ledger);
        }
        self.layers[layer]
            .ready
            .insert_range(base + start, end - start);
        self.ready.in_layers += u64::from(end - start);
        self.queue_layer(layer);
    }

    /// Opens the pages of regular layers that rows start … end - 1 of a layer are about to be told to. Pages of
    /// rows that wait at a closed gate stay as they are, unless it is a failure that is to be told.
    pub(crate) fn open_readers(&mut self, layer_slot: u32, start: u32, end: u32, failed: bool) {
        let mut spans = Vec::new();
        let layer = &self.layers[layer_slot];
        for consumer in &layer.consumers {
            let reader = &self.layers[consumer.layer];
            if reader.latent.is_empty() {
                continue;
            }
            let input = &reader.inputs[consumer.input as usize];
            if input.broadcast {
                if failed && start < input.first + input.count && end > input.first {
                    spans.push((consumer.layer, 0, reader.tasks));
                }
                continue;
            }
            if !failed && reader.gated() && self.gate(consumer.layer) != Gate::Open {
                continue;
            }
            let (s, e) = (
                start.saturating_sub(input.first),
                end.saturating_sub(input.first),
            );
            if reader.radius > 0 {
                let (s, e) = (s.min(reader.tasks), e.min(reader.tasks));
                let rows = regular::around((s, e), reader.radius, reader.tasks, reader.periodic);
                spans.extend(rows.map(|(s, e)| (consumer.layer, s, e)));
                continue;
            }
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
