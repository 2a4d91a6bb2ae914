//! Pages: up to 64Ki rows of one layer. Hot rows lie in one table, edges and cold columns in a parallel one, so
//! that a row's inputs can be read while other rows are written.

use std::ops::{Index, IndexMut};

use crate::event::WHOLE;
use crate::id::{PAGE_ROWS, Task};
use crate::row::{RESCAN, Row};

/// The hot rows of every page.
#[derive(Debug, Default)]
pub struct Rows {
    pages: Vec<Vec<Row>>,
}

impl Index<Task> for Rows {
    type Output = Row;
    #[inline]
    fn index(&self, task: Task) -> &Row {
        &self.pages[task.slot()][task.row()]
    }
}

impl IndexMut<Task> for Rows {
    #[inline]
    fn index_mut(&mut self, task: Task) -> &mut Row {
        &mut self.pages[task.slot()][task.row()]
    }
}

impl Rows {
    /// The row, unless its page is gone or shorter.
    #[inline]
    pub fn get(&self, task: Task) -> Option<&Row> {
        self.pages.get(task.slot())?.get(task.row())
    }

    /// The row, unless its page is gone or shorter.
    #[inline]
    pub fn get_mut(&mut self, task: Task) -> Option<&mut Row> {
        self.pages.get_mut(task.slot())?.get_mut(task.row())
    }

    /// All rows of a page.
    #[inline]
    pub fn page(&self, slot: u32) -> &[Row] {
        &self.pages[slot as usize]
    }

    /// All rows of a page.
    #[inline]
    pub fn page_mut(&mut self, slot: u32) -> &mut Vec<Row> {
        &mut self.pages[slot as usize]
    }
}

/// Edges and cold columns of a page. An empty column is its default for every row.
#[derive(Debug, Default)]
pub struct Page {
    /// Slot of its layer.
    pub layer: u32,
    /// Index in the layer of its first row.
    pub base: u32,
    /// Holds rows.
    pub used: bool,
    /// Attempt of every row while `attempts` is empty.
    pub attempt_base: u32,
    attempts: Vec<u32>,
    /// Rows not forgotten.
    pub alive: u32,
    /// Explicit: where each row's inputs end in `deps`; empty: no row has any.
    pub dep_ends: Vec<u32>,
    /// Explicit: inputs.
    pub deps: Vec<Task>,
    /// Explicit: part of each input; empty: whole values.
    pub dep_parts: Vec<u32>,
    /// Function serials; empty: the layer's.
    pub functions: Vec<u32>,
    /// Priorities; empty: the layer's.
    pub priorities: Vec<i32>,
    /// Retries; empty: the layer's.
    pub retries: Vec<u16>,
    /// Timeouts; empty: the layer's.
    pub timeouts_ms: Vec<u32>,
    /// Lists of waiting rows may still name rows of this page.
    pub orphans: bool,
    /// … or of a page that had this slot before.
    tainted: bool,
}

impl Page {
    /// The attempt a row is at: of its present dispatch or its next one.
    #[inline]
    pub fn attempt(&self, row: usize) -> u32 {
        self.attempts.get(row).copied().unwrap_or(self.attempt_base)
    }

    /// True when every row is at attempt 1.
    #[inline]
    pub fn first_attempts(&self) -> bool {
        self.attempts.is_empty() && self.attempt_base == 1
    }

    /// True when every row is at attempt 1 and has no column of its own.
    pub fn plain(&self) -> bool {
        self.first_attempts()
            && self.functions.is_empty()
            && self.priorities.is_empty()
            && self.timeouts_ms.is_empty()
    }

    /// What was sent of this row is void: the next dispatch is a new attempt.
    pub fn bump_attempt(&mut self, row: usize) {
        if self.attempts.len() <= row {
            self.attempts.resize(row + 1, self.attempt_base);
        }
        self.attempts[row] += 1;
    }

    /// The highest attempt of any row.
    pub fn attempt_max(&self) -> u32 {
        let most = self.attempts.iter().copied().max().unwrap_or_default();
        most.max(self.attempt_base)
    }

    /// Explicit inputs of a row.
    #[inline]
    pub fn deps(&self, row: usize) -> &[Task] {
        &self.deps[self.dep_range(row)]
    }

    /// Explicit parts of a row's inputs; empty: whole values.
    #[inline]
    pub fn parts(&self, row: usize) -> &[u32] {
        self.dep_parts.get(self.dep_range(row)).unwrap_or_default()
    }

    #[inline]
    fn dep_range(&self, row: usize) -> std::ops::Range<usize> {
        let Some(&end) = self.dep_ends.get(row) else {
            return 0..0;
        };
        let start = if row == 0 { 0 } else { self.dep_ends[row - 1] };
        start as usize..end as usize
    }

    /// The last input of a row as a number, for no other use than to have read it.
    #[inline]
    pub fn last_dep(&self, row: usize) -> u32 {
        let end = self.dep_ends.get(row).copied().unwrap_or(0) as usize;
        self.deps.get(end.wrapping_sub(1)).map_or(0, |dep| dep.0)
    }

    /// Sets the inputs of row `row`, the next one: rows between have none.
    pub fn push_deps(&mut self, row: usize, deps: impl Iterator<Item = (Task, u32)>) {
        if self.dep_ends.len() < row {
            let end = self.deps.len() as u32;
            self.dep_ends.resize(row, end);
        }
        for (task, part) in deps {
            if part != WHOLE || !self.dep_parts.is_empty() {
                self.dep_parts.resize(self.deps.len(), WHOLE);
                self.dep_parts.push(part);
            }
            self.deps.push(task);
        }
        self.dep_ends.push(self.deps.len() as u32);
    }
}

/// The page table. Slots are reused; what may still name rows of an earlier page is told apart by `RESCAN`.
#[derive(Debug, Default)]
pub struct Pages {
    /// Edges and cold columns, by slot.
    pub table: Vec<Page>,
    free: Vec<u32>,
}

/// Slots of the page table.
pub const SLOTS_MAX: usize = 1 << 16;

impl Pages {
    /// Pages in use.
    pub fn used(&self) -> usize {
        self.table.len() - self.free.len()
    }

    /// Opens an empty page.
    pub fn open(&mut self, rows: &mut Rows, layer: u32, base: u32, attempt_base: u32) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.table.push(Page::default());
            rows.pages.push(Vec::new());
            self.table.len() as u32 - 1
        });
        let page = &mut self.table[slot as usize];
        page.layer = layer;
        page.base = base;
        page.used = true;
        page.attempt_base = attempt_base;
        slot
    }

    /// Flags every row of a page is born with.
    pub fn birth_flags(&self, slot: u32) -> u8 {
        if self.table[slot as usize].tainted {
            RESCAN
        } else {
            0
        }
    }

    /// Closes a page and frees its memory; returns the attempt its rows must start from if they come back.
    pub fn close(&mut self, rows: &mut Rows, slot: u32) -> u32 {
        let page = &mut self.table[slot as usize];
        let attempt = page.attempt_max();
        let tainted = page.tainted || page.orphans;
        *page = Page {
            tainted,
            ..Page::default()
        };
        rows.pages[slot as usize] = Vec::new();
        self.free.push(slot);
        attempt
    }

    /// Index of a row in its layer.
    #[inline]
    pub fn index(&self, task: Task) -> u32 {
        self.table[task.slot()].base + task.row() as u32
    }

    /// Layer slot of a row.
    #[inline]
    pub fn layer(&self, task: Task) -> u32 {
        self.table[task.slot()].layer
    }

    /// Attempt of a row.
    #[inline]
    pub fn attempt(&self, task: Task) -> u32 {
        self.table[task.slot()].attempt(task.row())
    }

    /// See [`Page::bump_attempt`].
    pub fn bump_attempt(&mut self, task: Task) {
        self.table[task.slot()].bump_attempt(task.row());
    }
}

const _: () = assert!(PAGE_ROWS as usize * SLOTS_MAX == 1 << 32);
