//! Layers: what rows have in common, where their pages are, and demand on pages that do not exist yet.

use std::collections::{BTreeMap, VecDeque};

use crate::bitset::BitSet;
use crate::event::LayerKind;
use crate::id::{ClientId, LayerSerial, PAGE_BITS, PAGE_ROWS, Task, TaskRef};
use crate::intervals::Intervals;
use crate::ready_rows::ReadyRows;
use crate::regular::Level;
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
    /// Every row reads rows `first` … `first + count - 1`.
    pub broadcast: bool,
    /// Broadcast: rows read by every row.
    pub count: u32,
    /// Broadcast: so many of these rows, from the first on, were found in memory when last looked at. A hint: the
    /// gate looks on from here.
    pub met: u32,
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
    /// They are behind a gate: every row of the layer reads them.
    pub gate: bool,
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
    /// Window: how far it reaches to either side; else 0.
    pub radius: u32,
    /// Window: beyond one end follows the other.
    pub periodic: bool,
    /// TreeReduce.
    pub levels: Vec<Level>,
    /// Regular layers that read this one.
    pub consumers: Vec<Consumer>,
    /// Rows demanded in pages that do not exist.
    pub latent: Intervals,
    /// Rows wanted by the client in pages that do not exist.
    pub wanted: Intervals,
    /// Ready rows that have the layer's priority.
    pub ready: ReadyRows,
    /// Rows whose state the client has yet to be told.
    pub dirty: RowSet,
    /// Stands in its client's list of layers with something to tell.
    pub dirty_listed: bool,
    /// Stands in the ready queue under `order`.
    pub queued: bool,
    /// Order of its rows: the row's index is added. See `ready`.
    pub order: u128,
    /// The submission it came with, or that of what it reads.
    pub generation: u32,
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
