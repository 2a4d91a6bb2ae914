//! Layers: what rows have in common, where their pages are, and demand on pages that do not exist yet.

use std::collections::{BTreeMap, VecDeque};

use crate::bitset::BitSet;
use crate::event::{LayerKind, WHOLE};
use crate::id::{ClientId, LayerSerial, PAGE_BITS, PAGE_ROWS, Task, TaskRef};
use crate::intervals::Intervals;
use crate::regular::{self, Level};
use crate::row_data::RowData;
use crate::rowset::RowSet;

/// No page: untouched or finished.
pub const NO_PAGE: u32 = u32::MAX;

/// Where a page of a layer is. Untouched and finished pages are this and nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// Slot in the page table, or [`NO_PAGE`].
    pub slot: u32,
    /// Attempt of its rows when it is opened (again): attempts never reset.
    pub attempt_base: u32,
    /// All its rows are forgotten.
    pub finished: bool,
}

/// One upstream layer of a regular layer.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// Slot of the layer.
    pub layer: u32,
    /// First row read.
    pub first: u32,
    /// Part of each value, or `WHOLE`.
    pub part: u32,
    /// Every row reads row `first`.
    pub broadcast: bool,
}

/// A regular layer that reads this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// Slot of the layer.
    pub layer: u32,
    /// Which of its inputs.
    pub input: u32,
}

/// Rows start … end - 1 of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Slot of the layer.
    pub layer: u32,
    /// First row.
    pub start: u32,
    /// One past the last row.
    pub end: u32,
    /// Edges to each of these rows.
    pub edges: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Layer {
    /// In use.
    pub alive: bool,
    /// Its number for ever.
    pub serial: LayerSerial,
    /// Its owner: nobody else can name it.
    pub client: ClientId,
    /// The owner's number for it.
    pub number: u32,
    /// How edges are known.
    pub kind: LayerKind,
    /// For people.
    pub name: Box<str>,
    /// Function serial, or `FUNCTION_PER_ROW`.
    pub function: u32,
    /// Priority of its rows.
    pub priority: i32,
    /// Retries of its rows.
    pub retries: u16,
    /// Timeout of its rows.
    pub timeout_ms: u32,
    /// Handed to workers.
    pub resource_class: u8,
    /// Shared argument list.
    pub template: Option<Box<[u8]>>,
    /// Codec of the row data.
    pub data_codec: u8,
    /// Row data not yet dropped.
    pub data: RowData,
    /// Rows.
    pub tasks: u32,
    /// Page number of `cells[0]`: earlier pages are finished.
    pub first_page: u32,
    /// Pages.
    pub cells: VecDeque<Cell>,
    /// Pages that exist.
    pub live_pages: u32,
    /// Regular: upstream layers.
    pub inputs: Vec<Input>,
    /// TreeReduce.
    pub fan_in: u32,
    /// TreeReduce.
    pub levels: Vec<Level>,
    /// Regular layers that read this one.
    pub consumers: Vec<Consumer>,
    /// Rows demanded in pages that do not exist.
    pub latent: Intervals,
    /// Rows wanted by the client in pages that do not exist.
    pub wanted: Intervals,
    /// Ready rows that have the layer's priority.
    pub ready: RowSet,
    /// Rows whose state the client has yet to be told.
    pub dirty: RowSet,
    /// Stands in its client's list of layers with something to tell.
    pub dirty_listed: bool,
    /// Stands in the ready queue under `order`.
    pub queued: bool,
    /// Order of its rows: the row's index is added. See `ready`.
    pub order: u128,
    /// Mean duration of a task in ns; 0: not known yet.
    pub duration_ns: u64,
    /// Procs that were given its definition.
    pub known: BitSet,
    /// Explicit keys of rows.
    pub keys: BTreeMap<u32, Box<str>>,
    /// Somebody demanded rows once, or gave them up.
    pub used: bool,
}

impl Layer {
    /// The page cell of a row; None: finished long ago, or no such row.
    #[inline]
    pub fn cell(&self, row: u32) -> Option<&Cell> {
        self.cells
            .get(((row >> PAGE_BITS) as usize).wrapping_sub(self.first_page as usize))
    }

    /// The same, to write.
    pub fn cell_mut(&mut self, row: u32) -> Option<&mut Cell> {
        self.cells
            .get_mut(((row >> PAGE_BITS) as usize).wrapping_sub(self.first_page as usize))
    }

    /// A row whose page exists.
    #[inline]
    pub fn task(&self, row: u32) -> Option<Task> {
        match self.cell(row) {
            Some(cell) if cell.slot != NO_PAGE && row < self.tasks => {
                Some(Task::new(cell.slot, row & (PAGE_ROWS - 1)))
            }
            _ => None,
        }
    }

    /// True when the row's page does not exist and never did.
    pub fn untouched(&self, row: u32) -> bool {
        self.cell(row)
            .is_some_and(|cell| cell.slot == NO_PAGE && !cell.finished)
    }

    /// The row as others name it.
    pub fn name_of(&self, index: u32) -> TaskRef {
        TaskRef {
            serial: self.serial,
            index,
        }
    }

    /// What row `row` of a tree, whose own slot is `slot`, reads: layer slot, first row and end.
    #[inline]
    pub fn tree_reads(&self, slot: u32, row: u32) -> (u32, u32, u32) {
        let at = regular::level_of(&self.levels, row);
        let level = &self.levels[at];
        let (first, end) = regular::reads(level, row - level.start, self.fan_in);
        let (from, offset) = match at {
            0 => (self.inputs[0].layer, self.inputs[0].first),
            _ => (slot, self.levels[at - 1].start),
        };
        (from, offset + first, offset + end)
    }

    /// Calls `each` with (upstream layer slot, row, part) for every input of row `row` of this layer, whose own
    /// slot is `slot`. Regular layers only.
    #[inline]
    pub fn each_input(&self, slot: u32, row: u32, mut each: impl FnMut(u32, u32, u32)) {
        if self.kind == LayerKind::TreeReduce {
            let (from, first, end) = self.tree_reads(slot, row);
            let part = if from == slot {
                WHOLE
            } else {
                self.inputs[0].part
            };
            (first..end).for_each(|row| each(from, row, part));
            return;
        }
        for input in &self.inputs {
            let offset = if input.broadcast { 0 } else { row };
            each(input.layer, input.first + offset, input.part);
        }
    }

    /// What rows start … end - 1 read, as spans. Regular layers only.
    pub fn input_spans(&self, slot: u32, start: u32, end: u32) -> Vec<Span> {
        let mut spans = Vec::new();
        if start >= end {
            return spans;
        }
        if self.kind != LayerKind::TreeReduce {
            spans.extend(self.inputs.iter().map(|input| {
                let (s, e, edges) = if input.broadcast {
                    (input.first, input.first + 1, end - start)
                } else {
                    (input.first + start, input.first + end, 1)
                };
                Span {
                    layer: input.layer,
                    start: s,
                    end: e,
                    edges,
                }
            }));
            return spans;
        }
        for (at, level) in self.levels.iter().enumerate() {
            let s = start.max(level.start);
            let e = end.min(level.start + level.rows);
            if s >= e {
                continue;
            }
            let first = regular::reads(level, s - level.start, self.fan_in).0;
            let last = regular::reads(level, e - 1 - level.start, self.fan_in).1;
            let (layer, offset) = if at == 0 {
                (self.inputs[0].layer, self.inputs[0].first)
            } else {
                (slot, self.levels[at - 1].start)
            };
            spans.push(Span {
                layer,
                start: offset + first,
                end: offset + last,
                edges: 1,
            });
        }
        spans
    }

    /// Rows of this (regular) layer that read row `row` through input `input`: start and end.
    #[inline]
    pub fn readers(&self, input: u32, row: u32) -> (u32, u32) {
        let Some(input) = self.inputs.get(input as usize) else {
            return (0, 0);
        };
        if self.kind == LayerKind::TreeReduce {
            let p = row.wrapping_sub(input.first);
            let below = self.levels.first().map_or(0, |level| level.below);
            return if p < below {
                (p / self.fan_in, p / self.fan_in + 1)
            } else {
                (0, 0)
            };
        }
        if input.broadcast {
            return if row == input.first {
                (0, self.tasks)
            } else {
                (0, 0)
            };
        }
        let p = row.wrapping_sub(input.first);
        if p < self.tasks { (p, p + 1) } else { (0, 0) }
    }

    /// TreeReduce: the row above row `row`.
    #[inline]
    pub fn parent(&self, row: u32) -> Option<u32> {
        let at = regular::level_of(&self.levels, row);
        let level = self.levels.get(at)?;
        let above = self.levels.get(at + 1)?;
        Some(above.start + (row - level.start) / self.fan_in)
    }
}

/// All layers, by slot; serials lead to slots.
#[derive(Debug, Default)]
pub struct Layers {
    slots: Vec<Layer>,
    free: Vec<u32>,
    serials: BTreeMap<LayerSerial, u32>,
    next: u32,
}

impl std::ops::Index<u32> for Layers {
    type Output = Layer;
    #[inline]
    fn index(&self, slot: u32) -> &Layer {
        &self.slots[slot as usize]
    }
}

impl std::ops::IndexMut<u32> for Layers {
    #[inline]
    fn index_mut(&mut self, slot: u32) -> &mut Layer {
        &mut self.slots[slot as usize]
    }
}

impl Layers {
    /// Layers in use.
    pub fn len(&self) -> usize {
        self.serials.len()
    }

    /// Slot of a serial.
    pub fn find(&self, serial: LayerSerial) -> Option<u32> {
        self.serials.get(&serial).copied()
    }

    /// Every slot in use, by serial.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.serials.values().copied()
    }

    /// Gives a layer its serial and a slot.
    pub fn insert(&mut self, mut layer: Layer) -> u32 {
        self.next += 1;
        layer.serial = LayerSerial(self.next);
        layer.alive = true;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Layer::default());
            self.slots.len() as u32 - 1
        });
        self.serials.insert(layer.serial, slot);
        self.slots[slot as usize] = layer;
        slot
    }

    /// Forgets a layer.
    pub fn remove(&mut self, slot: u32) {
        let old = std::mem::take(&mut self.slots[slot as usize]);
        self.serials.remove(&old.serial);
        self.free.push(slot);
    }
}
