//! A row's neighbours, whatever kind its layer is of.

use crate::engine::Engine;
use crate::event::{LayerKind, WHOLE};
use crate::gate::Gate;
use crate::id::{PAGE_ROWS, Task, TaskRef};
use crate::layer::Span;
use crate::row::{DETACHED, Row, STORED};
use crate::state::State;

impl Engine {
    /// Appends the inputs of a row; true when its layer is explicit. Inputs of a row that is not detached exist.
    #[inline]
    pub(crate) fn inputs_into(&self, task: Task, inputs: &mut Vec<Task>) -> bool {
        let page = &self.pages.table[task.slot()];
        let layer = &self.layers[page.layer];
        match layer.kind {
            LayerKind::Explicit => {
                // Mostly one or two: pushing them beats a copy.
                page.deps(task.row())
                    .iter()
                    .for_each(|&input| inputs.push(input));
                true
            }
            _ if layer.inputs.is_empty() => false,
            LayerKind::TreeReduce => {
                let index = page.base + task.row() as u32;
                let (from, first, end) = layer.tree_reads(page.layer, index);
                let from = &self.layers[from];
                // Neighbours, mostly of one page.
                let mut at = first;
                while at < end {
                    let stop = ((at | (PAGE_ROWS - 1)) + 1).min(end);
                    if let Some(task) = from.task(at) {
                        (0..stop - at).for_each(|i| inputs.push(Task(task.0 + i)));
                    }
                    at = stop;
                }
                false
            }
            _ => {
                let index = page.base + task.row() as u32;
                layer.each_input(page.layer, index, |from, row, _| {
                    if let Some(input) = self.layers[from].task(row) {
                        inputs.push(input);
                    }
                });
                false
            }
        }
    }

    /// Appends what a row reads, but for what is behind its layer's gate. True when its layer is explicit.
    pub(crate) fn streams_into(&self, task: Task, inputs: &mut Vec<Task>) -> bool {
        let page = &self.pages.table[task.slot()];
        let layer = &self.layers[page.layer];
        if !layer.gated() {
            return self.inputs_into(task, inputs);
        }
        let index = page.base + task.row() as u32;
        layer.each_stream(page.layer, index, |from, row| {
            inputs.extend(self.layers[from].task(row));
        });
        false
    }

    /// True when no row of the layer has inputs.
    pub(crate) fn inputless(&self, layer: u32) -> bool {
        let layer = &self.layers[layer];
        layer.kind != LayerKind::Explicit && layer.inputs.is_empty()
    }

    /// True when all inputs of a row's page are whole values.
    pub(crate) fn whole_inputs(&self, task: Task) -> bool {
        let page = &self.pages.table[task.slot()];
        let inputs = &self.layers[page.layer].inputs;
        page.dep_parts.is_empty() && inputs.iter().all(|input| input.part == WHOLE)
    }

    /// Appends the parts of a row's inputs, the last of the `inputs` collected so far, to their parts.
    pub(crate) fn parts_into(&self, task: Task, inputs: usize, parts: &mut Vec<u32>) {
        let page = &self.pages.table[task.slot()];
        let layer = &self.layers[page.layer];
        if layer.kind == LayerKind::Explicit {
            let own = page.parts(task.row());
            parts.resize(inputs - own.len(), WHOLE);
            parts.extend_from_slice(own);
            return;
        }
        let index = page.base + task.row() as u32;
        let mut own = Vec::new();
        layer.each_input(page.layer, index, |_, _, part| own.push(part));
        parts.resize(inputs - own.len(), WHOLE);
        parts.extend(own);
    }

    /// Rows of regular layers that read row `index` of layer `slot`, by arithmetic.
    #[inline]
    pub(crate) fn each_reader(&self, slot: u32, index: u32, mut each: impl FnMut(u32, u32)) {
        let layer = &self.layers[slot];
        for consumer in &layer.consumers {
            let rows = self.layers[consumer.layer].readers(consumer.input, index);
            for row in rows.into_iter().flat_map(|(start, end)| start..end) {
                each(consumer.layer, row);
            }
        }
        if layer.kind == LayerKind::TreeReduce
            && let Some(parent) = layer.parent(index)
        {
            each(slot, parent);
        }
    }

    /// The same for those that read it as a stream: who reads it through a gate is told at the gate.
    #[inline]
    pub(crate) fn each_stream_reader(&self, slot: u32, index: u32, mut each: impl FnMut(u32, u32)) {
        let layer = &self.layers[slot];
        for consumer in &layer.consumers {
            let reader = &self.layers[consumer.layer];
            if reader.inputs[consumer.input as usize].broadcast {
                continue;
            }
            let rows = reader.readers(consumer.input, index);
            for row in rows.into_iter().flat_map(|(start, end)| start..end) {
                each(consumer.layer, row);
            }
        }
        if layer.kind == LayerKind::TreeReduce
            && let Some(parent) = layer.parent(index)
        {
            each(slot, parent);
        }
    }

    /// Active rows of regular layers that read a row. Readers in pages that do not exist are not among them.
    pub(crate) fn active_readers(&self, task: Task) -> Vec<Task> {
        let mut readers = Vec::new();
        self.each_reader(
            self.pages.layer(task),
            self.pages.index(task),
            |layer, row| {
                if let Some(reader) = self.layers[layer].task(row)
                    && self.rows[reader].active()
                {
                    readers.push(reader);
                }
            },
        );
        readers
    }

    /// Claims of row `row` of a regular layer on what it reads: (needs the value, needs the lineage).
    pub(crate) fn claims(&self, layer: u32, row: u32) -> (bool, bool) {
        let layer = &self.layers[layer];
        match layer.task(row) {
            Some(task) => {
                // A page being opened may read itself: its demanded rows are latent a moment longer.
                let own = &self.rows[task];
                (
                    own.active() || layer.latent.contains(row),
                    !own.is(DETACHED),
                )
            }
            None if layer.untouched(row) => (layer.latent.contains(row), true),
            None => (false, false),
        }
    }

    /// Inputs of a row that are not in memory, by scan; all that is behind its layer's gate is one.
    pub(crate) fn unmet(&self, task: Task) -> u32 {
        let mut inputs = Vec::new();
        self.streams_into(task, &mut inputs);
        let met = |input: &&Task| self.rows[**input].state() == State::Memory;
        let unmet = (inputs.len() - inputs.iter().filter(met).count()) as u32;
        unmet + u32::from(self.gate(self.pages.layer(task)) != Gate::Open)
    }

    /// A scattered value: it waits for a client, not for inputs.
    pub(crate) fn is_data(&self, task: Task) -> bool {
        self.layers[self.pages.layer(task)].kind == LayerKind::Data
    }

    /// The row as others name it.
    pub(crate) fn name_of(&self, task: Task) -> TaskRef {
        self.layers[self.pages.layer(task)].name_of(self.pages.index(task))
    }

    /// Rows of a span whose pages exist.
    pub(crate) fn existing(&self, span: Span) -> Vec<Task> {
        let layer = &self.layers[span.layer];
        let pages = crate::demand::page_parts(span.start, span.end);
        pages
            .filter_map(|(s, e)| layer.task(s).map(|first| (first, e - s)))
            .flat_map(|(first, rows)| (0..rows).map(move |i| Task(first.0 + i)))
            .collect()
    }

    /// A row by its name, if its page exists.
    pub(crate) fn find(&self, name: TaskRef) -> Option<Task> {
        self.layers[self.layers.find(name.serial)?].task(name.index)
    }

    /// Notes that `consumer` reads a stored value, which can be lost. The list of a stored row begins with a
    /// node that counts the others; when most of them must be dead, they are sorted out.
    pub(crate) fn register_stored(&mut self, input: Task, consumer: Task) {
        let head = (self.rows[input].list() >> 32) as u32;
        let head = self.waiters.push_counted(head, consumer);
        self.rows[input].set_counted(head);
        if self.waiters.counted(head) > 2 * self.rows[input].refs + 8 {
            self.rebuild_stored(input);
        }
    }

    /// Sorts the dead out of a stored row's list.
    pub(crate) fn rebuild_stored(&mut self, input: Task) {
        let list = self.rows[input].list();
        let consumers = self.readers_listed(input, list, true);
        self.waiters.free(list);
        let mut head = 0;
        for consumer in consumers {
            head = self.waiters.push_counted(head, consumer);
        }
        self.rows[input].set_counted(head);
    }

    /// Rows of a list that truly are active and read `input`, each once.
    pub(crate) fn readers_listed(&self, input: Task, list: u64, counted: bool) -> Vec<Task> {
        let mut consumers: Vec<Task> = self.waiters.rows(list).skip(usize::from(counted)).collect();
        consumers.sort_unstable();
        consumers.dedup();
        consumers.retain(|&consumer| {
            let page = &self.pages.table[consumer.slot()];
            page.used
                && consumer.row() < self.rows.page(consumer.slot() as u32).len()
                && self.rows[consumer].active()
                && page.deps(consumer.row()).contains(&input)
        });
        consumers
    }
}

/// True when the row's list begins with a counting node.
pub(crate) fn counted(row: &Row) -> bool {
    row.state() == State::Memory && row.is(STORED)
}
