//! The infallible half of a submission: layers and rows first, then edges, then demand.

use crate::engine::Engine;
use crate::event::{FUNCTION_PER_ROW, LayerKind, LayerSpec, Submit, WHOLE};
use crate::id::{ClientId, PAGE_BITS, PAGE_ROWS, Task};
use crate::ingest::Known;
use crate::layer::{Cell, Consumer, Input, Layer, NO_PAGE};
use crate::regular;
use crate::row::{ARGS, ODD, Row};
use crate::row_data::RowData;
use crate::state::State;

/// In `LayerSpec::flags`.
const WANTED_ROWS: u8 = 1;
/// In `LayerSpec::flags`: submitted by a running task.
const NESTED_ROWS: u8 = 2;
/// In `LayerSpec::flags`: of a regular layer the last row alone is wanted.
const WANTED_LAST: u8 = 4;

/// Rows whose edges are laid out at a time.
const BLOCK: u32 = 192;

impl Engine {
    /// Takes a validated frame in; returns its layers' numbers and serials.
    pub(crate) fn commit(&mut self, submit: &Submit<'_>, known: &[Known]) -> (Vec<u32>, Vec<u32>) {
        let generation = self.generation_of(submit);
        let mut slots = Vec::with_capacity(submit.layers.len());
        for spec in submit.layers {
            let at = known.binary_search_by_key(&spec.layer, |layer| layer.number);
            let old = at.ok().and_then(|at| known[at].slot);
            let slot = match old {
                Some(slot) => {
                    let generation = self.inherited(submit.client, spec, generation);
                    self.refresh_order(slot, generation_of_layer(spec, generation));
                    self.reopen(submit.client, slot);
                    slot
                }
                None => self.create_layer(submit.client, spec, generation),
            };
            self.layers[slot].tasks = spec.first + spec.tasks;
            if let Some(data) = spec.data {
                let sizes = |row: u32| spec.data_sizes.get(row as usize);
                self.layers[slot]
                    .data
                    .push(spec.first, spec.tasks, spec.data_stride, sizes, data);
            } else if spec.range_step != 0.0 {
                self.layers[slot].data = RowData::ranging(spec.range_start, spec.range_step);
            }
            self.add_cells(slot, spec);
            if matches!(spec.kind, LayerKind::Explicit | LayerKind::Data) {
                self.add_rows(slot, spec);
                self.fill_columns(submit.client, slot, spec);
            } else {
                self.link(slot, spec);
            }
            slots.push(slot);
        }
        for (spec, &slot) in submit.layers.iter().zip(&slots) {
            self.commit_keys(submit, spec, slot);
            match spec.kind {
                LayerKind::Explicit => self.add_edges(submit.client, slot, spec),
                LayerKind::Data => {
                    self.want(slot, spec.first, spec.first + spec.tasks);
                    if spec.data.is_some() {
                        self.fill_data(slot, spec);
                    }
                }
                _ if spec.flags & WANTED_ROWS != 0 => self.want(slot, 0, spec.tasks),
                _ if spec.flags & WANTED_LAST != 0 => {
                    self.want(slot, spec.tasks.saturating_sub(1), spec.tasks);
                }
                _ => {}
            }
        }
        let serials = slots
            .iter()
            .map(|&slot| self.layers[slot].serial.0)
            .collect();
        (
            submit.layers.iter().map(|spec| spec.layer).collect(),
            serials,
        )
    }

    /// Frames of one graph share a generation.
    fn generation_of(&mut self, submit: &Submit<'_>) -> u32 {
        let next = self.generation + 1;
        let Some(client) = self.clients.get_mut(&submit.client) else {
            return next;
        };
        match client.graph {
            Some((graph, generation)) if graph == submit.graph => generation,
            _ => {
                client.graph = Some((submit.graph, next));
                self.generation = next;
                next
            }
        }
    }

    /// An open layer of which nothing waits to be sent moves behind what was submitted since.
    fn refresh_order(&mut self, slot: u32, generation: u32) {
        let layer = &mut self.layers[slot];
        if layer.ready.is_empty() {
            if layer.queued {
                self.ready.layers.remove(&(layer.order, slot));
                layer.queued = false;
            }
            layer.generation = generation;
            layer.order = crate::ready::order(layer.priority, generation, layer.number);
        }
    }

    fn create_layer(&mut self, id: ClientId, spec: &LayerSpec<'_>, generation: u32) -> u32 {
        let generation = self.inherited(id, spec, generation);
        let layer = Layer {
            client: id,
            number: spec.layer,
            kind: spec.kind,
            name: spec.name.into(),
            function: self.function_of(id, spec.function),
            priority: spec.priority,
            retries: spec.retries,
            timeout_ms: spec.timeout_ms,
            resource_class: spec.resource_class,
            template: spec.template.map(Into::into),
            data_codec: spec.data_codec,
            first_page: spec.first >> PAGE_BITS,
            fan_in: spec.fan_in,
            radius: spec.radius,
            periodic: spec.periodic,
            order: crate::ready::order(
                spec.priority,
                generation_of_layer(spec, generation),
                spec.layer,
            ),
            generation,
            ..Layer::default()
        };
        let slot = self.layers.insert(layer);
        let Some(client) = self.clients.get_mut(&id) else {
            return slot;
        };
        client.layers.insert(spec.layer, slot);
        client.layer_max = client.layer_max.max(spec.layer);
        if spec.kind == LayerKind::Explicit {
            self.reopen(id, slot);
        }
        slot
    }

    /// The explicit layer appended to last is the client's open one; the one before may be done with.
    fn reopen(&mut self, id: ClientId, slot: u32) {
        let old = self
            .clients
            .get_mut(&id)
            .and_then(|client| client.open_layer.replace(slot));
        if let Some(old) = old
            && old != slot
        {
            self.close_for_append(old);
        }
    }

    /// The scheduler's serial of a client's function.
    fn function_of(&self, client: ClientId, number: u32) -> u32 {
        let client = self.clients.get(&client);
        client
            .and_then(|client| client.functions.get(&number))
            .map_or(FUNCTION_PER_ROW, |serial| serial.0)
    }

    /// Cells of pages the new rows stand in.
    fn add_cells(&mut self, slot: u32, spec: &LayerSpec<'_>) {
        let layer = &mut self.layers[slot];
        let pages = layer.tasks.div_ceil(PAGE_ROWS);
        while spec.tasks > 0 && spec.first >> PAGE_BITS < layer.first_page {
            layer.first_page -= 1;
            layer.cells.push_front(Cell {
                slot: NO_PAGE,
                attempt_base: 1,
                finished: false,
            });
            self.totals.cells += 1;
        }
        while layer.first_page + (layer.cells.len() as u32) < pages {
            layer.cells.push_back(Cell {
                slot: NO_PAGE,
                attempt_base: 1,
                finished: false,
            });
            self.totals.cells += 1;
        }
        if spec.tasks > 0
            && let Some(cell) = layer.cell_mut(spec.first)
            && cell.finished
        {
            // Its earlier rows are forgotten; new ones begin behind them.
            cell.finished = false;
            self.totals.cells += 1;
        }
    }

    /// Rows of explicit and data layers exist from the start.
    fn add_rows(&mut self, slot: u32, spec: &LayerSpec<'_>) {
        let args = if spec.data.is_some() { ARGS } else { 0 };
        let priority = self.layers[slot].priority;
        for (start, end) in crate::demand::page_parts(spec.first, spec.first + spec.tasks) {
            let page_slot = self.page_for_rows(slot, start);
            let born = Row::new(self.pages.birth_flags(page_slot) | args);
            let rows = self.rows.page_mut(page_slot);
            let before = rows.len();
            rows.resize(before + (end - start) as usize, born);
            if !spec.priorities.is_empty() || spec.priority != priority {
                for (row, at) in rows[before..].iter_mut().zip(start - spec.first..) {
                    if spec.priorities.get_or(at as usize, spec.priority) != priority {
                        row.flags |= ODD;
                    }
                }
            }
            self.pages.table[page_slot as usize].alive += end - start;
            self.ledger.born(u64::from(end - start));
        }
    }

    /// The page in which row `start`, the next one, is to stand. Rows before it in a new page are forgotten.
    fn page_for_rows(&mut self, slot: u32, start: u32) -> u32 {
        let base = start >> PAGE_BITS << PAGE_BITS;
        let layer = &mut self.layers[slot];
        let Some(cell) = layer.cell_mut(start) else {
            return NO_PAGE;
        };
        if cell.slot != NO_PAGE {
            return cell.slot;
        }
        let page = self
            .pages
            .open(&mut self.rows, slot, base, cell.attempt_base);
        cell.slot = page;
        layer.live_pages += 1;
        self.ledger.born(u64::from(start - base));
        for row in 0..start - base {
            let task = Task::new(page, row);
            let mut gone = Row::new(crate::row::DETACHED);
            gone.set_state(task, State::Forgotten, &mut self.ledger);
            self.rows.page_mut(page).push(gone);
        }
        page
    }

    /// Cold columns of the new rows, where they differ from the layer.
    fn fill_columns(&mut self, id: ClientId, slot: u32, spec: &LayerSpec<'_>) {
        let layer = &self.layers[slot];
        let plain = spec.functions.is_empty()
            && spec.priorities.is_empty()
            && spec.row_retries.is_empty()
            && spec.row_timeouts_ms.is_empty()
            && self.function_of(id, spec.function) == layer.function
            && (spec.priority, spec.retries, spec.timeout_ms)
                == (layer.priority, layer.retries, layer.timeout_ms);
        let columns = layer
            .cells
            .iter()
            .filter(|cell| cell.slot != NO_PAGE)
            .any(|cell| {
                let page = &self.pages.table[cell.slot as usize];
                !(page.functions.is_empty()
                    && page.priorities.is_empty()
                    && page.retries.is_empty()
                    && page.timeouts_ms.is_empty())
            });
        if plain && !columns {
            return;
        }
        let functions = self.clients.get(&id).map(|client| &client.functions);
        let serial = |number: u32| {
            let known = functions.and_then(|functions| functions.get(&number));
            known.map_or(FUNCTION_PER_ROW, |serial| serial.0)
        };
        let layer = &self.layers[slot];
        for (start, end) in crate::demand::page_parts(spec.first, spec.first + spec.tasks) {
            let Some(task) = layer.task(start) else {
                continue;
            };
            let page = &mut self.pages.table[task.slot()];
            let before = task.row();
            for at in 0..(end - start) as usize {
                let i = at + (start - spec.first) as usize;
                let row = before + at;
                let function = spec.functions.get_or(i, spec.function);
                fill(&mut page.functions, layer.function, row, serial(function));
                let priority = spec.priorities.get_or(i, spec.priority);
                fill(&mut page.priorities, layer.priority, row, priority);
                fill(
                    &mut page.retries,
                    layer.retries,
                    row,
                    spec.row_retries.get_or(i, spec.retries),
                );
                let timeout = spec.row_timeouts_ms.get_or(i, spec.timeout_ms);
                fill(&mut page.timeouts_ms, layer.timeout_ms, row, timeout);
            }
        }
    }

    /// Explicit edges: inputs of the new rows, their claims on the lineage, and demand, in blocks small enough for
    /// the rows one block reads to stay in the cache between these steps.
    fn add_edges(&mut self, id: ClientId, slot: u32, spec: &LayerSpec<'_>) {
        let wanted = spec.flags & WANTED_ROWS != 0;
        let mut inputs = Vec::new();
        let mut upstream = (u32::MAX, slot);
        let mut from = 0;
        if wanted {
            self.waiters.reserve(spec.dep_indices.len());
        }
        while from < spec.tasks {
            let to = (from + BLOCK).min(spec.tasks);
            if !spec.dep_indices.is_empty() {
                inputs.clear();
                for row in from..to {
                    let before = inputs.len();
                    self.resolve_inputs(id, spec, row, &mut upstream, &mut inputs);
                    if inputs.len() > before
                        && let Some(task) = self.layers[slot].task(spec.first + row)
                    {
                        let parts = spec.dep_offsets.get(row as usize) as usize..;
                        let parts = parts.map(|edge| spec.dep_parts.get_or(edge, WHOLE));
                        let new = inputs[before..].iter().copied().zip(parts);
                        self.pages.table[task.slot()].push_deps(task.row(), new);
                    }
                }
                self.touch(&inputs);
                inputs
                    .iter()
                    .for_each(|&input| self.rows[input].dependents += 1);
            }
            if wanted {
                self.want(slot, spec.first + from, spec.first + to);
            }
            from = to;
        }
    }

    /// Appends the inputs of row `row` of the frame. `upstream` remembers the layer looked up last.
    #[inline]
    fn resolve_inputs(
        &mut self,
        id: ClientId,
        spec: &LayerSpec<'_>,
        row: u32,
        upstream: &mut (u32, u32),
        inputs: &mut Vec<Task>,
    ) {
        let row = row as usize;
        for edge in spec.dep_offsets.get(row)..spec.dep_offsets.get(row + 1) {
            let edge = edge as usize;
            let number = spec.dep_layers.get_or(edge, spec.dep_layer);
            if upstream.0 != number {
                let found = self
                    .clients
                    .get(&id)
                    .and_then(|client| client.layers.get(&number));
                *upstream = (number, found.copied().unwrap_or(upstream.1));
            }
            let index = spec.dep_indices.get(edge);
            let input = match self.layers[upstream.1].task(index) {
                Some(input) => Some(input),
                None => {
                    self.open_page(upstream.1, index);
                    self.layers[upstream.1].task(index)
                }
            };
            // Validation saw to it that every input is there.
            inputs.extend(input);
        }
    }

    /// A regular layer becomes a reader of its inputs, with a claim on the lineage of every row it reads.
    fn link(&mut self, slot: u32, spec: &LayerSpec<'_>) {
        let client = self.layers[slot].client;
        for (input, at) in spec.inputs.iter().zip(0..) {
            let upstream = self
                .clients
                .get(&client)
                .and_then(|client| client.layers.get(&input.layer));
            let Some(&upstream) = upstream else {
                continue;
            };
            self.layers[slot].inputs.push(Input {
                layer: upstream,
                first: input.first,
                part: input.part,
                broadcast: input.broadcast,
                count: input.count.max(1),
                met: 0,
            });
            self.layers[upstream].consumers.push(Consumer {
                layer: slot,
                input: at,
            });
            if spec.kind == LayerKind::TreeReduce {
                let rows = match input.count {
                    0 => self.layers[upstream].tasks - input.first,
                    rows => rows,
                };
                self.layers[slot].levels = regular::levels(rows, spec.fan_in);
            }
        }
        let tasks = spec.tasks;
        for span in self.layers[slot].input_spans(slot, 0, tasks) {
            if span.layer == slot {
                continue;
            }
            for task in self.existing(span) {
                self.rows[task].dependents += span.edges;
            }
        }
    }

    /// Small scattered values travel with the submission.
    fn fill_data(&mut self, slot: u32, spec: &LayerSpec<'_>) {
        for index in spec.first..spec.first + spec.tasks {
            let (_, stride, bytes, sizes) = self.layers[slot].data.run(index, 1);
            let size = if stride > 0 {
                stride
            } else {
                sizes.iter().next().unwrap_or(0)
            };
            let value: Vec<u8> = bytes.get(..size as usize).unwrap_or_default().into();
            if let Some(task) = self.layers[slot].task(index) {
                let codec = self.layers[slot].data_codec;
                self.value_arrived(slot, index, task, codec, &value, None);
            }
        }
    }
}

/// What running tasks submitted goes first, the latest layer before the others: depth first, so that no more
/// bodies wait than must.
fn generation_of_layer(spec: &LayerSpec<'_>, generation: u32) -> u32 {
    if spec.flags & NESTED_ROWS == 0 {
        generation
    } else {
        0
    }
}

/// Sets a row's entry of a column that is absent while all rows have the default.
fn fill<T: Copy + PartialEq>(column: &mut Vec<T>, default: T, row: usize, value: T) {
    if column.is_empty() && value == default {
        return;
    }
    column.resize(row, default);
    column.push(value);
}
