//! Ready rows of one layer, in the order in which they are to be sent. First go rows that alone still needed the
//! input that made them ready: they take a value out of memory for the one they put in. Then other rows that an
//! input's arrival made ready, and only then rows that were ready from the start. So a graph written down level by
//! level in one explicit layer runs depth first, without an order having been computed for it.

use crate::rowset::RowSet;

/// How a row came to be ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heat {
    /// It waited for nothing.
    Cold = 0,
    /// An input arrived that others wait for, too.
    Warm = 1,
    /// An input arrived that nobody else waits for.
    Hot = 2,
}

/// See the module.
#[derive(Debug, Default)]
pub struct ReadyRows {
    /// By heat.
    sets: [RowSet; 3],
}

impl ReadyRows {
    /// True when no row is ready.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.sets.iter().all(RowSet::is_empty)
    }

    /// Ready rows.
    pub fn len(&self) -> u64 {
        self.sets.iter().map(RowSet::len).sum()
    }

    /// Adds a row.
    #[inline]
    pub fn insert(&mut self, row: u32, heat: Heat) {
        self.sets[heat as usize].insert(row);
    }

    /// Adds rows start … start + count - 1, which waited for nothing.
    pub fn insert_range(&mut self, start: u32, count: u32) {
        self.sets[Heat::Cold as usize].insert_range(start, count);
    }

    /// Takes a row out; true when it was in.
    pub fn remove(&mut self, row: u32) -> bool {
        self.sets.iter_mut().any(|set| set.remove(row))
    }

    /// True when the row is in.
    pub fn contains(&self, row: u32) -> bool {
        self.sets.iter().any(|set| set.contains(row))
    }

    /// The first run of neighbours at or after `from`, of at most `max` rows, in the order of their numbers.
    pub fn run_from(&self, from: u32, max: u32) -> Option<(u32, u32)> {
        let runs = self.sets.iter().filter_map(|set| set.run_from(from, max));
        runs.min()
    }

    /// Takes the next run of neighbours to be sent out, of at most `max` rows.
    #[inline]
    pub fn take_run(&mut self, max: u32) -> Option<(u32, u32)> {
        let set = self.sets.iter_mut().rev().find(|set| !set.is_empty())?;
        set.take_run(max)
    }

    /// Gives back the memory of a page that holds no row.
    pub fn shrink_page(&mut self, page: usize) {
        self.sets.iter_mut().for_each(|set| set.shrink_page(page));
    }
}
