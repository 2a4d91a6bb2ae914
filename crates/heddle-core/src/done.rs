//! What workers report. A batch is taken in three passes over its rows, so that the misses of one pass overlap:
//! accept the results, tell the rows that wait, give up the claims on inputs.

use crate::engine::Engine;
use crate::event::{DoneSection, Fence, LayerKind, Malformed, NO_LANE, Outcome};
use crate::fence;
use crate::id::{LaneSlot, PAGE_ROWS, ProcId, Task, TaskRef};
use crate::out::Out;
use crate::ready_rows::Heat;
use crate::row::{ARGS, BLOB, DETACHED, RESCAN, Row, STORED, SUSPECT, WANTED};
use crate::section::{bounds, validate};
use crate::state::State;

/// Neighbouring rows seen so far, to be handed on as one run.
#[derive(Default)]
struct Run {
    start: u32,
    count: u32,
}

impl Run {
    /// Takes a row in; returns the run that ended, if one did.
    #[inline]
    fn push(&mut self, row: u32) -> Option<(u32, u32)> {
        if self.count > 0 && row == self.start + self.count {
            self.count += 1;
            return None;
        }
        let ended = (self.count > 0).then_some((self.start, self.count));
        self.start = row;
        self.count = 1;
        ended
    }
}

impl Engine {
    /// A frame of outcomes.
    pub(crate) fn done(
        &mut self,
        from: Fence,
        sections: &[DoneSection<'_>],
        out: &mut Out,
    ) -> Result<(), Malformed> {
        sections.iter().try_for_each(validate)?;
        if !self.speaks(from) {
            self.totals.stale += sections.iter().map(|s| u64::from(s.count)).sum::<u64>();
            return Ok(());
        }
        for section in sections {
            if section.lane == NO_LANE {
                self.values_added(from.proc, section, out);
                continue;
            }
            let lane = self.lane_of(from.proc, section.lane, section.lane_epoch);
            let (Some(lane), Some(layer)) = (lane, self.layers.find(section.serial)) else {
                self.all_stale(from.proc, section, out);
                continue;
            };
            match section.outcome {
                Outcome::Ok => self.results(lane, layer, section, out),
                Outcome::Failed => self.failed(lane, layer, section, out),
                Outcome::MissingInput => self.missing_input(lane, layer, section, out),
                Outcome::Retracted => self.retracted(lane, layer, section, out),
                Outcome::Seceded => self.seceded(lane, layer, section, out),
            }
            self.lane_answered(lane, section.outcome);
        }
        Ok(())
    }

    /// Results of one lane for one layer.
    fn results(&mut self, slot: LaneSlot, layer: u32, s: &DoneSection<'_>, out: &mut Out) {
        if let Some((first, last)) = bounds(s) {
            self.open_readers(layer, first, last.saturating_add(1), false);
        }
        let mut finished = std::mem::take(&mut self.scratch.finished);
        let mut tasks = std::mem::take(&mut self.scratch.tasks);
        finished.clear();
        tasks.clear();
        self.rows_named(layer, s, &mut tasks);
        self.touch(&tasks);
        let proc = self.lanes[slot].proc;
        let (mut wanted, mut args) = (Run::default(), Run::default());
        let mut offset = 0;
        for (i, &task) in tasks.iter().enumerate() {
            let index = s.indices.get_or(i, s.first.wrapping_add(i as u32));
            let attempt = s.attempts.get_or(i, 1);
            let size = s.sizes.get_or(i, s.stride);
            let stored = s.homes.get(i) == 1;
            let from = offset;
            offset += if stored { 0 } else { size as usize };
            let mut current = task != Task::NONE
                && fence::is_current(&self.rows, &self.pages, task, slot, attempt);
            if !current && task != Task::NONE && self.rows[task].state() == State::Ahead {
                // Its inputs are among the results just taken.
                self.finish(slot, layer, &mut finished);
                current = self.ahead_came(task, slot, attempt, out);
            }
            if !current {
                self.stale(proc, s, index, attempt, stored, out);
                continue;
            }
            let codec = s.codecs.get_or(i, s.codec);
            let bytes = s.values.get(from..offset).unwrap_or_default();
            let (flags, list) = self.accept(task, codec, bytes, stored.then_some((proc, size)));
            finished.push((task, list));
            if flags & WANTED != 0
                && let Some((start, count)) = wanted.push(index)
            {
                self.layers[layer].dirty.insert_range(start, count);
            }
            if flags & ARGS != 0
                && flags & STORED == 0
                && let Some((start, count)) = args.push(index)
            {
                self.layers[layer].data.release(start, count);
            }
        }
        if wanted.count > 0 {
            self.layers[layer]
                .dirty
                .insert_range(wanted.start, wanted.count);
            self.list_dirty(layer);
        }
        if args.count > 0 {
            self.layers[layer].data.release(args.start, args.count);
        }
        self.measure(layer, s);
        self.finish(slot, layer, &mut finished);
        self.scratch.finished = finished;
        self.scratch.tasks = tasks;
    }

    /// Draws the consequences of results that were accepted, and empties their list.
    fn finish(&mut self, slot: LaneSlot, layer: u32, finished: &mut Vec<(Task, u64)>) {
        let count = finished.len() as u32;
        self.totals.completed += u64::from(count);
        self.leave_lane_many(slot, count);
        self.tell_readers(layer, finished);
        if !self.inputless(layer) {
            self.drop_claims_of(layer, finished);
        }
        finished.clear();
    }

    /// Appends the rows a section speaks of; `Task::NONE` for those that do not exist.
    fn rows_named(&self, layer: u32, s: &DoneSection<'_>, tasks: &mut Vec<Task>) {
        // Neighbours mostly stand in one page: its slot is looked up once.
        let mut page = (u32::MAX, None);
        for i in 0..s.count as usize {
            let index = s.indices.get_or(i, s.first.wrapping_add(i as u32));
            let start = index & !(PAGE_ROWS - 1);
            if page.0 != start {
                page = (start, self.layers[layer].task(start));
            }
            let found = page.1.map(|first| Task(first.0 + (index - start)));
            tasks.push(
                found
                    .filter(|&task| self.rows.get(task).is_some())
                    .unwrap_or(Task::NONE),
            );
        }
    }

    /// Takes a value in; returns the row's flags and the list of rows that waited for it. `stored`: the proc
    /// that holds it and its size, else it is inline.
    #[inline]
    fn accept(
        &mut self,
        task: Task,
        codec: u8,
        bytes: &[u8],
        stored: Option<(ProcId, u32)>,
    ) -> (u8, u64) {
        let row = &mut self.rows[task];
        let list = row.list();
        row.set_state(task, State::Memory, &mut self.ledger);
        row.codec = codec;
        if row.flags & SUSPECT != 0 {
            row.flags &= !SUSPECT;
            let name = self.layers[self.pages.layer(task)].name_of(self.pages.index(task));
            self.totals.oddities -= u64::from(self.kills.remove(&name).is_some());
        }
        if let Some((proc, size)) = stored {
            let head = self.waiters.count(list);
            let row = &mut self.rows[task];
            row.flags |= STORED;
            row.len = 0;
            row.at = proc.0;
            row.value = u64::from(size) | u64::from(head) << 32;
            self.totals.stored += 1;
            self.note_stored(proc, task, size);
            return (self.rows[task].flags, 0);
        }
        let flags = row.flags;
        row.flags = flags & !ARGS | DETACHED;
        row.at = 0;
        if bytes.len() <= 8 {
            let mut cell = [0; 8];
            cell[..bytes.len()].copy_from_slice(bytes);
            row.value = u64::from_le_bytes(cell);
            row.len = bytes.len() as u8;
            self.totals.cell_bytes += bytes.len() as u64;
        } else {
            row.value = u64::from(self.blobs.insert(bytes));
            row.len = BLOB;
        }
        (flags, list)
    }

    /// Rows that wait for rows just finished have one input fewer to wait for.
    fn tell_readers(&mut self, layer: u32, finished: &[(Task, u64)]) {
        let mut readers = std::mem::take(&mut self.scratch.inputs);
        let mut sole = std::mem::take(&mut self.scratch.sole);
        readers.clear();
        sole.clear();
        let lists = finished.iter().map(|&(_, list)| list);
        let heads = &mut self.scratch.ends;
        self.waiters.drain(lists, &mut readers, &mut sole, heads);
        if self.totals.stored > 0 {
            for &(task, _) in finished {
                if self.rows[task].is(STORED) {
                    let head = (self.rows[task].list() >> 32) as u32;
                    let alone = self.waiters.counted(head) == 1;
                    let told = if alone { &mut sole } else { &mut readers };
                    told.extend(self.waiters.iter(head).skip(1));
                }
            }
        }
        let regular =
            !self.layers[layer].consumers.is_empty() || !self.layers[layer].levels.is_empty();
        if regular {
            for &(task, _) in finished {
                self.each_stream_reader(layer, self.pages.index(task), |reader, row| {
                    if let Some(task) = self.layers[reader].task(row) {
                        readers.push(task);
                    }
                });
            }
        }
        self.touch(&readers);
        self.touch(&sole);
        // Where most values are shared, depth gains nothing, and rows in the order of their numbers travel better.
        let heat = if sole.len() > readers.len() / 2 {
            Heat::Hot
        } else {
            Heat::Warm
        };
        let warm = readers.iter().map(|&reader| (reader, Heat::Warm));
        for (reader, heat) in warm.chain(sole.iter().map(|&reader| (reader, heat))) {
            self.input_met(reader, heat);
        }
        self.scratch.inputs = readers;
        self.scratch.sole = sole;
        if regular {
            for gated in self.gates_opened(layer, finished) {
                self.pass_gate(gated);
            }
        }
    }

    /// Reads rows that are about to be used, so that their cache misses overlap. Of each both ends: a row may lie
    /// across two lines.
    #[inline]
    pub(crate) fn touch(&self, rows: &[Task]) {
        let ends = |row: &Row| row.at ^ row.value as u32;
        let sum = rows
            .iter()
            .fold(0, |sum, &task| sum ^ self.rows.get(task).map_or(0, ends));
        std::hint::black_box(sum);
    }

    /// The same for the edges of rows of a layer, if it has any.
    #[inline]
    pub(crate) fn touch_edges(&self, layer: u32, tasks: impl Iterator<Item = Task>) {
        if self.layers[layer].kind == LayerKind::Explicit {
            let sum = tasks.fold(0, |sum, task| {
                sum ^ self.pages.table[task.slot()].last_dep(task.row())
            });
            std::hint::black_box(sum);
        }
    }

    /// One input of a row came into memory.
    #[inline]
    pub(crate) fn input_met(&mut self, reader: Task, heat: Heat) {
        // Lists may name rows that were given up since, even rows of pages that are gone.
        let Some(row) = self.rows.get_mut(reader) else {
            return;
        };
        if row.state() == State::Ahead {
            self.ahead_met(reader);
            return;
        }
        if row.state() != State::Waiting {
            return;
        }
        if row.flags & RESCAN == 0 {
            row.at -= 1;
        } else {
            self.rows[reader].at = self.unmet(reader);
        }
        if self.rows[reader].at == 0 {
            self.make_ready_as(reader, heat);
        }
    }

    /// Rows just finished give up their claims: on values, and, if their own is inline, on lineage too.
    fn drop_claims_of(&mut self, layer: u32, finished: &[(Task, u64)]) {
        let mut inputs = std::mem::take(&mut self.scratch.inputs);
        let gated = self.layers[layer].gated();
        for lineage in [true, false] {
            let mut rows = 0;
            inputs.clear();
            self.touch_edges(layer, finished.iter().map(|&(task, _)| task));
            for &(task, _) in finished {
                if self.rows[task].is(STORED) != lineage {
                    rows += 1;
                    let explicit = if gated {
                        self.streams_into(task, &mut inputs)
                    } else {
                        self.inputs_into(task, &mut inputs)
                    };
                    if explicit && self.totals.stored > 0 {
                        self.pages.table[task.slot()].orphans = true;
                    }
                }
            }
            self.touch(&inputs);
            for &input in &inputs {
                let row = &mut self.rows[input];
                row.refs -= 1;
                row.dependents -= u32::from(lineage);
                if !row.needed() {
                    self.agenda.check.push(input);
                }
            }
            if gated && rows > 0 {
                self.drop_gate_claims(layer, rows, lineage);
            }
            if self.totals.stored == 0 {
                break;
            }
        }
        self.scratch.inputs = inputs;
    }

    /// Values a client put straight into a proc's store.
    fn values_added(&mut self, proc: ProcId, s: &DoneSection<'_>, out: &mut Out) {
        let Some(layer) = self.layers.find(s.serial) else {
            self.all_stale(proc, s, out);
            return;
        };
        for i in 0..s.count as usize {
            let index = s.indices.get_or(i, s.first.wrapping_add(i as u32));
            let attempt = s.attempts.get_or(i, 1);
            let expected = self.layers[layer].task(index).filter(|&task| {
                self.is_data(task)
                    && self.rows[task].state() == State::Waiting
                    && self.pages.attempt(task) == attempt
                    && s.homes.get(i) == 1
            });
            let Some(task) = expected else {
                self.stale(proc, s, index, attempt, s.homes.get(i) == 1, out);
                continue;
            };
            self.open_readers(layer, index, index + 1, false);
            let size = s.sizes.get_or(i, s.stride);
            let codec = s.codecs.get_or(i, s.codec);
            self.value_arrived(layer, index, task, codec, &[], Some((proc, size)));
        }
    }

    /// A scattered value is there.
    pub(crate) fn value_arrived(
        &mut self,
        layer: u32,
        index: u32,
        task: Task,
        codec: u8,
        bytes: &[u8],
        stored: Option<(ProcId, u32)>,
    ) {
        let (flags, list) = self.accept(task, codec, bytes, stored);
        if flags & ARGS != 0 {
            self.layers[layer].data.release(index, 1);
            self.rows[task].flags &= !ARGS;
        }
        if flags & WANTED != 0 {
            self.layers[layer].dirty.insert(index);
            self.list_dirty(layer);
        }
        self.tell_readers(layer, &[(task, list)]);
        if !self.rows[task].needed() {
            self.agenda.check.push(task);
        }
    }

    /// A record that speaks of something superseded. If its proc stored a value for it, that is dropped.
    fn stale(
        &mut self,
        proc: ProcId,
        s: &DoneSection<'_>,
        index: u32,
        attempt: u32,
        stored: bool,
        out: &mut Out,
    ) {
        self.totals.stale += 1;
        let name = TaskRef {
            serial: s.serial,
            index,
        };
        // A frame that came twice speaks of the very value that is believed in.
        let held = self.find(name).is_some_and(|task| {
            self.rows[task].is(STORED)
                && self.rows[task].at == proc.0
                && self.pages.attempt(task) == attempt
        });
        if stored
            && !held
            && let Some(proc) = self.procs.table.get(&proc)
        {
            out.proc(proc.id, proc.incarnation)
                .free
                .push(s.serial, index, attempt);
        }
    }

    fn all_stale(&mut self, proc: ProcId, s: &DoneSection<'_>, out: &mut Out) {
        for i in 0..s.count as usize {
            let index = s.indices.get_or(i, s.first.wrapping_add(i as u32));
            let stored = s.outcome == Outcome::Ok && s.homes.get(i) == 1;
            self.stale(proc, s, index, s.attempts.get_or(i, 1), stored, out);
        }
    }
}
