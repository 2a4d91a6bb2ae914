//! Writes records into a proc's effects, column by column. A column stays absent while all records agree on its
//! value, so that regular work travels as ranges.

use std::collections::BTreeSet;

use crate::agenda::Scratch;
use crate::credit::expected_ns;
use crate::engine::Engine;
use crate::event::{FUNCTION_PER_ROW, WHOLE};
use crate::id::{FunctionSerial, LaneSlot, ProcId, Task};
use crate::layer::{Layer, Layers};
use crate::limits::RECORDS_PER_SECTION_MAX;
use crate::out::{AssignSection, Out, ProcOut};
use crate::page::{Page, Pages, Rows};
use crate::proc::{Lane, Proc};
use crate::row::{BLOB, Row, STORED};
use crate::state::State;
use crate::values::Blobs;

/// Adds a value to a column that is absent while all values equal `uniform`; `seen` values came before.
#[inline]
pub(crate) fn push_unless_uniform<T: Copy + PartialEq>(
    column: &mut Vec<T>,
    uniform: &mut T,
    seen: usize,
    value: T,
) {
    if column.is_empty() {
        if seen == 0 {
            *uniform = value;
            return;
        }
        if *uniform == value {
            return;
        }
        column.resize(seen, *uniform);
    }
    column.push(value);
}

/// The same where the uniform value is fixed.
#[inline]
pub(crate) fn push_unless<T: Copy + PartialEq>(
    column: &mut Vec<T>,
    default: T,
    seen: usize,
    value: T,
) {
    if column.is_empty() {
        if value == default {
            return;
        }
        column.resize(seen, default);
    }
    column.push(value);
}

impl Engine {
    /// Sends the batch in `scratch`, rows of one layer with their inputs, to a lane.
    pub(crate) fn send(&mut self, slot: LaneSlot, out: &mut Out) {
        self.send_as(slot, State::Processing, out);
    }

    /// The same, into either state of a row that was sent.
    pub(crate) fn send_as(&mut self, slot: LaneSlot, state: State, out: &mut Out) {
        let Some(&(first, _)) = self.scratch.batch.first() else {
            return;
        };
        let count: u32 = self.scratch.batch.iter().map(|&(_, count)| count).sum();
        let layer_slot = self.pages.layer(first);
        let expected = match self.layers[layer_slot].duration_ns {
            0 => (expected_ns(0) * u64::from(count)).max(self.reading_ns()),
            mean => expected_ns(mean) * u64::from(count),
        };
        let layer = &mut self.layers[layer_slot];
        let lane = &mut self.lanes[slot];
        let Some(proc) = self.procs.table.get_mut(&lane.proc) else {
            return;
        };
        let effects = out.proc(proc.id, proc.incarnation);
        define(effects, proc, layer);
        for &(first, count) in &self.scratch.batch {
            let page = &self.pages.table[first.slot()];
            if !page.functions.is_empty() {
                define_own(effects, proc, layer, page, first.row(), count);
            }
        }
        let section = section(effects, lane, layer, count);
        section.has_data |= layer.data.present;
        let bytes_before = section.data.len() + section.dep_bytes.len();
        for &(first, count) in &self.scratch.batch {
            let page = &self.pages.table[first.slot()];
            let index = page.base + first.row() as u32;
            for task in (0..count).map(|i| Task(first.0 + i)) {
                let row = &mut self.rows[task];
                row.set_state(task, state, &mut self.ledger);
                row.at = slot.0;
                lane.sent.push_back(task);
            }
            push_rows(section, layer, page, first.row(), index, count);
            push_data(section, layer, index, count);
            section.count += count;
        }
        if !self.scratch.inputs.is_empty() {
            let mut inputs = Inputs {
                rows: &self.rows,
                pages: &self.pages,
                layers: &self.layers,
                blobs: &self.blobs,
                known: &mut proc.peers,
                peers: std::mem::take(&mut effects.peers),
                own: lane.proc,
            };
            inputs.push(effects.section_at(lane.section), count, &self.scratch);
            effects.peers = inputs.peers;
        } else if !section.dep_counts.is_empty() {
            // Rows before had inputs: these have none.
            section.dep_counts.resize(section.count as usize, 0);
        }
        let section = effects.section_at(lane.section);
        let bytes = section.data.len() + section.dep_bytes.len() - bytes_before;
        lane.bytes += bytes as u64;
        if state == State::Ahead {
            lane.ahead += count;
        } else {
            if lane.in_flight == 0 {
                lane.answered = self.now;
            }
            lane.in_flight += count;
            lane.backlog_ns += expected;
        }
        self.lanes.weigh(slot);
        self.totals.attempts += u64::from(count);
        for at in 0..self.scratch.batch.len() {
            let (first, count) = self.scratch.batch[at];
            self.lead(first, count);
        }
    }
}

/// What it takes to write the inputs of records.
struct Inputs<'a> {
    rows: &'a Rows,
    pages: &'a Pages,
    layers: &'a Layers,
    blobs: &'a Blobs,
    /// Procs whose addresses the worker has …
    known: &'a mut BTreeSet<ProcId>,
    /// … and those it now needs.
    peers: Vec<ProcId>,
    own: ProcId,
}

impl Inputs<'_> {
    /// Columns of the inputs of the last `count` records of a section.
    fn push(&mut self, section: &mut AssignSection, count: u32, scratch: &Scratch) {
        let before = (section.count - count) as usize;
        let mut start = 0;
        for (i, &end) in scratch.ends.iter().enumerate() {
            push_unless(&mut section.dep_counts, 0, before + i, end - start);
            start = end;
        }
        let mut serial_of = (usize::MAX, 0);
        let mut plain = scratch.parts.is_empty() && section.inputs_plain();
        for (k, &input) in scratch.inputs.iter().enumerate() {
            let page = &self.pages.table[input.slot()];
            if serial_of.0 != input.slot() {
                serial_of = (input.slot(), self.layers[page.layer].serial.0);
                plain = scratch.parts.is_empty() && section.inputs_plain();
            }
            let row = &self.rows[input];
            // What most inputs are: small inline values of one layer, codec and size, from first attempts.
            if plain
                && row.flags & STORED == 0
                && row.state() == State::Memory
                && (row.codec, u32::from(row.len)) == (section.dep_codec, section.dep_stride)
                && serial_of.1 == section.dep_serial
                && page.first_attempts()
                && row.len <= 8
            {
                section.dep_indices.push(page.base + input.row() as u32);
                let cell = row.value.to_le_bytes();
                section
                    .dep_bytes
                    .extend_from_slice(&cell[..usize::from(row.len)]);
                continue;
            }
            let seen = section.dep_indices.len();
            push_unless_uniform(
                &mut section.dep_serials,
                &mut section.dep_serial,
                seen,
                serial_of.1,
            );
            section.dep_indices.push(page.base + input.row() as u32);
            if !page.first_attempts() || !section.dep_attempts.is_empty() {
                push_unless(
                    &mut section.dep_attempts,
                    1,
                    seen,
                    page.attempt(input.row()),
                );
            }
            if !scratch.parts.is_empty() || !section.dep_parts.is_empty() {
                let part = scratch.parts.get(k).copied().unwrap_or(WHOLE);
                push_unless(&mut section.dep_parts, WHOLE, seen, part);
            }
            self.push_value(section, row, seen);
            plain = scratch.parts.is_empty() && section.inputs_plain();
        }
    }

    /// Where and what an input is.
    #[inline]
    fn push_value(&mut self, section: &mut AssignSection, row: &Row, seen: usize) {
        let (proc, size) = if row.state() != State::Memory {
            // Sent ahead: it is being made there.
            (self.own.0, 0)
        } else if row.is(STORED) {
            if row.at != self.own.0 && self.known.insert(ProcId(row.at)) {
                self.peers.push(ProcId(row.at));
            }
            (row.at, row.value as u32)
        } else if row.len == BLOB {
            let bytes = self.blobs.get(row.value as u32);
            section.dep_bytes.extend_from_slice(bytes);
            (0, bytes.len() as u32)
        } else {
            push_cell(&mut section.dep_bytes, row);
            (0, u32::from(row.len))
        };
        push_unless(&mut section.dep_procs, 0, seen, proc);
        push_unless_uniform(
            &mut section.dep_codecs,
            &mut section.dep_codec,
            seen,
            row.codec,
        );
        push_unless_uniform(&mut section.dep_sizes, &mut section.dep_stride, seen, size);
    }
}

/// Appends a small inline value. Most are numbers: their length is known to the compiler.
#[inline]
pub(crate) fn push_cell(bytes: &mut Vec<u8>, row: &Row) {
    let cell = row.value.to_le_bytes();
    if row.len == 8 {
        bytes.extend_from_slice(&cell);
    } else {
        bytes.extend_from_slice(&cell[..usize::from(row.len)]);
    }
}

/// Definitions the proc needs before rows of a layer.
fn define(effects: &mut ProcOut, proc: &mut Proc, layer: &mut Layer) {
    if layer.function != FUNCTION_PER_ROW && proc.functions.insert(layer.function) {
        effects.functions.push(FunctionSerial(layer.function));
    }
    if layer.known.insert(proc.id.0) {
        effects.layers.push(layer.serial);
    }
}

/// Functions the proc needs before rows that have their own.
fn define_own(
    effects: &mut ProcOut,
    proc: &mut Proc,
    layer: &Layer,
    page: &Page,
    start: usize,
    count: u32,
) {
    let mut last = layer.function;
    for &serial in page.functions.iter().skip(start).take(count as usize) {
        if serial != last && proc.functions.insert(serial) {
            effects.functions.push(FunctionSerial(serial));
        }
        last = serial;
    }
}

/// The lane's open section for this layer, or a new one.
fn section<'a>(
    effects: &'a mut ProcOut,
    lane: &mut Lane,
    layer: &Layer,
    count: u32,
) -> &'a mut AssignSection {
    let fits = effects.section_mut(lane.section).is_some_and(|open| {
        open.lane == lane.number
            && open.lane_epoch == lane.epoch
            && open.serial == layer.serial.0
            && (open.count + count) as usize <= RECORDS_PER_SECTION_MAX
    });
    if !fits {
        lane.section = effects.open_section();
        if let Some(open) = effects.section_mut(lane.section) {
            open.lane = lane.number;
            open.lane_epoch = lane.epoch;
            open.serial = layer.serial.0;
        }
    }
    effects.section_at(lane.section)
}

/// Columns of the rows themselves.
fn push_rows(
    section: &mut AssignSection,
    layer: &Layer,
    page: &Page,
    start: usize,
    index: u32,
    count: u32,
) {
    let before = section.count as usize;
    if before == 0 {
        section.first = index;
    } else if section.indices.is_empty() && section.first + section.count != index {
        section
            .indices
            .extend(section.first..section.first + section.count);
    }
    if !section.indices.is_empty() {
        (index..index + count).for_each(|index| section.indices.push(index));
    }
    let plain = page.plain()
        && (layer.priority, layer.timeout_ms, layer.resource_class) == (0, 0, 0)
        && section.rows_plain();
    if plain {
        return;
    }
    if !page.first_attempts() || !section.attempts.is_empty() {
        for i in 0..count as usize {
            push_unless(
                &mut section.attempts,
                1,
                before + i,
                page.attempt(start + i),
            );
        }
    }
    if !page.functions.is_empty() || !section.functions.is_empty() {
        section.functions.resize(before, layer.function);
        for i in 0..count as usize {
            let own = page
                .functions
                .get(start + i)
                .copied()
                .unwrap_or(layer.function);
            section.functions.push(own);
        }
    }
    let odd = !page.priorities.is_empty() || layer.priority != 0 || !section.priorities.is_empty();
    if odd {
        for i in 0..count as usize {
            let own = page
                .priorities
                .get(start + i)
                .copied()
                .unwrap_or(layer.priority);
            push_unless(&mut section.priorities, 0, before + i, own);
        }
    }
    if !page.timeouts_ms.is_empty() || layer.timeout_ms != 0 || !section.timeouts_ms.is_empty() {
        for i in 0..count as usize {
            let own = page
                .timeouts_ms
                .get(start + i)
                .copied()
                .unwrap_or(layer.timeout_ms);
            push_unless(&mut section.timeouts_ms, 0, before + i, own);
        }
    }
    if layer.resource_class != 0 {
        let all = before + count as usize;
        section.resource_classes.resize(all, layer.resource_class);
    }
}

/// Row data.
fn push_data(section: &mut AssignSection, layer: &Layer, index: u32, count: u32) {
    if !layer.data.present {
        return;
    }
    if let Some((start, step)) = layer.data.range {
        let numbers = (index..index + count).map(|row| start + step * f64::from(row));
        section.data_stride = 8;
        section.data.extend(numbers.flat_map(f64::to_le_bytes));
        return;
    }
    let mut done = 0;
    while done < count {
        let seen = (section.count + done) as usize;
        let (rows, stride, bytes, sizes) = layer.data.run(index + done, count - done);
        section.data.extend_from_slice(bytes);
        let uniform = sizes.is_empty() && (seen == 0 || section.data_stride == stride);
        if uniform && section.data_sizes.is_empty() {
            section.data_stride = stride;
        } else if sizes.is_empty() {
            section.data_sizes.resize(seen, section.data_stride);
            section.data_sizes.resize(seen + rows as usize, stride);
        } else {
            for (i, size) in sizes.iter().enumerate() {
                let columns = (&mut section.data_sizes, &mut section.data_stride);
                push_unless_uniform(columns.0, columns.1, seen + i, size);
            }
        }
        done += rows.max(1);
    }
}
