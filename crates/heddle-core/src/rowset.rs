//! A set of a layer's rows: a bitmap in pages with one level of summary. Insert, remove and "first run" are a
//! handful of instructions, and runs of neighbours fall out: what a ready queue and a change set need.

use crate::id::{PAGE_BITS, PAGE_ROWS};

const WORDS: usize = PAGE_ROWS as usize / 64;

#[derive(Debug, Default)]
struct Bits {
    count: u32,
    /// Bit w % 64 of summary[w / 64]: word w is not empty.
    summary: [u64; WORDS / 64],
    /// As many words as the highest row inserted needs.
    words: Vec<u64>,
}

impl Bits {
    fn grow(&mut self, word: usize) {
        if self.words.len() <= word {
            let room = (word + 1).next_power_of_two().max(4);
            self.words.resize(room, 0);
        }
    }

    /// Sets bits of one word; returns how many were new.
    #[inline]
    fn set(&mut self, word: usize, mask: u64) -> u32 {
        self.grow(word);
        let new = (mask & !self.words[word]).count_ones();
        self.words[word] |= mask;
        self.summary[word / 64] |= 1 << (word % 64);
        self.count += new;
        new
    }

    #[inline]
    fn unset(&mut self, word: usize, mask: u64) -> u32 {
        let Some(w) = self.words.get_mut(word) else {
            return 0;
        };
        let old = (mask & *w).count_ones();
        *w &= !mask;
        if *w == 0 {
            self.summary[word / 64] &= !(1 << (word % 64));
        }
        self.count -= old;
        old
    }

    /// First row at or after `from`.
    #[inline]
    fn first(&self, from: u32) -> Option<u32> {
        let mut word = from as usize / 64;
        let here = self.words.get(word)? & (u64::MAX << (from % 64));
        if here != 0 {
            return Some(word as u32 * 64 + here.trailing_zeros());
        }
        word += 1;
        let mut group = word / 64;
        let mut mask = u64::MAX << (word % 64);
        while group < self.summary.len() {
            let found = self.summary[group] & mask;
            if found != 0 {
                word = group * 64 + found.trailing_zeros() as usize;
                return Some(word as u32 * 64 + self.words[word].trailing_zeros());
            }
            group += 1;
            mask = u64::MAX;
        }
        None
    }

    /// Takes the first run, at most `max` rows of it, out of a page that is not empty.
    #[inline]
    fn take(&mut self, max: u32) -> (u32, u32) {
        let mut group = 0;
        while self.summary[group] == 0 {
            group += 1;
        }
        let mut word = group * 64 + self.summary[group].trailing_zeros() as usize;
        let start = word as u32 * 64 + self.words[word].trailing_zeros();
        let mut taken = 0;
        loop {
            let shift = (start + taken) % 64;
            let ones = (!(self.words[word] >> shift)).trailing_zeros();
            let n = ones.min(64 - shift).min(max - taken);
            if n == 0 {
                break;
            }
            self.words[word] &= !(u64::MAX >> (64 - n) << shift);
            if self.words[word] == 0 {
                self.summary[word / 64] &= !(1 << (word % 64));
            }
            taken += n;
            word += 1;
            if shift + n < 64 || taken == max || word == self.words.len() {
                break;
            }
        }
        self.count -= taken;
        (start, taken)
    }

    /// Length of the run that begins at `row`, which is in the set; at most `max`.
    #[inline]
    fn run(&self, row: u32, max: u32) -> u32 {
        let mut at = row;
        let end = (row + max).min(PAGE_ROWS);
        while at < end {
            let Some(word) = self.words.get(at as usize / 64) else {
                break;
            };
            let shift = at % 64;
            let ones = (!(word >> shift)).trailing_zeros().min(64 - shift);
            at += ones;
            if ones < 64 - shift {
                break;
            }
        }
        at.min(end) - row
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct RowSet {
    pages: Vec<Option<Box<Bits>>>,
    count: u64,
    /// No page before this one holds a row.
    cursor: usize,
}

impl RowSet {
    /// Rows in the set.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// True when it holds nothing.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    #[inline]
    fn page_mut(&mut self, page: usize) -> &mut Bits {
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, || None);
        }
        self.cursor = self.cursor.min(page);
        self.pages[page].get_or_insert_default()
    }

    /// Adds a row.
    #[inline]
    pub fn insert(&mut self, row: u32) {
        let page = (row >> PAGE_BITS) as usize;
        let low = row % PAGE_ROWS;
        let (word, mask) = (low as usize / 64, 1 << (low % 64));
        if let Some(Some(bits)) = self.pages.get_mut(page)
            && let Some(old) = bits.words.get_mut(word)
        {
            let new = u32::from(*old & mask == 0);
            *old |= mask;
            bits.summary[word / 64] |= 1 << (word % 64);
            bits.count += new;
            self.count += u64::from(new);
            self.cursor = self.cursor.min(page);
            return;
        }
        self.count += u64::from(self.page_mut(page).set(word, mask));
    }

    /// Takes a row out; true when it was in.
    #[inline]
    pub fn remove(&mut self, row: u32) -> bool {
        self.remove_range(row, 1) > 0
    }

    /// True when the row is in.
    pub fn contains(&self, row: u32) -> bool {
        let low = row % PAGE_ROWS;
        self.pages
            .get((row >> PAGE_BITS) as usize)
            .and_then(Option::as_ref)
            .and_then(|bits| bits.words.get(low as usize / 64))
            .is_some_and(|word| word >> (low % 64) & 1 == 1)
    }

    /// Adds rows start … start + count - 1.
    pub fn insert_range(&mut self, start: u32, count: u32) {
        words(start, count, |page, word, mask| {
            let new = self.page_mut(page).set(word, mask);
            self.count += u64::from(new);
        });
    }

    /// Takes rows start … start + count - 1 out; returns how many were in.
    pub fn remove_range(&mut self, start: u32, count: u32) -> u32 {
        let mut removed = 0;
        words(start, count, |page, word, mask| {
            if let Some(Some(bits)) = self.pages.get_mut(page) {
                removed += bits.unset(word, mask);
            }
        });
        self.count -= u64::from(removed);
        removed
    }

    /// The first run of neighbours at or after `from`, of at most `max` rows, within one page.
    #[inline]
    pub fn run_from(&self, from: u32, max: u32) -> Option<(u32, u32)> {
        let mut page = ((from >> PAGE_BITS) as usize).max(self.cursor);
        let mut low = if page == (from >> PAGE_BITS) as usize {
            from % PAGE_ROWS
        } else {
            0
        };
        while page < self.pages.len() {
            if let Some(bits) = &self.pages[page]
                && bits.count > 0
                && let Some(row) = bits.first(low)
            {
                let run = bits.run(row, max);
                return Some(((page as u32) << PAGE_BITS | row, run));
            }
            page += 1;
            low = 0;
        }
        None
    }

    /// Takes the first run out.
    #[inline]
    pub fn take_run(&mut self, max: u32) -> Option<(u32, u32)> {
        while let Some(page) = self.pages.get_mut(self.cursor) {
            if let Some(bits) = page
                && bits.count > 0
            {
                let (row, count) = bits.take(max);
                self.count -= u64::from(count);
                return Some(((self.cursor as u32) << PAGE_BITS | row, count));
            }
            self.cursor += 1;
        }
        None
    }

    /// Gives back the memory of a page that holds no row.
    pub fn shrink_page(&mut self, page: usize) {
        if let Some(slot) = self.pages.get_mut(page)
            && slot.as_ref().is_some_and(|bits| bits.count == 0)
        {
            *slot = None;
        }
    }
}

/// Calls `each` with (page, word in page, mask) for every word the range touches.
#[inline]
fn words(start: u32, count: u32, mut each: impl FnMut(usize, usize, u64)) {
    let mut at = u64::from(start);
    let end = at + u64::from(count);
    while at < end {
        let shift = at % 64;
        let n = (64 - shift).min(end - at);
        let mask = (u64::MAX >> (64 - n)) << shift;
        let page = (at >> PAGE_BITS) as usize;
        each(page, (at % u64::from(PAGE_ROWS)) as usize / 64, mask);
        at += n;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_fall_out_in_order_and_cross_words() {
        let mut set = RowSet::default();
        set.insert_range(60, 10);
        set.insert(5);
        set.insert_range(65_530, 10);
        assert_eq!(set.len(), 21);
        assert_eq!(set.take_run(100), Some((5, 1)));
        assert_eq!(set.take_run(4), Some((60, 4)));
        assert_eq!(set.take_run(100), Some((64, 6)));
        assert_eq!(set.take_run(100), Some((65_530, 6)));
        assert_eq!(set.take_run(100), Some((65_536, 4)));
        assert_eq!(set.take_run(100), None);
        assert!(set.is_empty());
    }

    #[test]
    fn behaves_like_an_ordered_set() {
        let mut set = RowSet::default();
        let mut naive = std::collections::BTreeSet::new();
        let mut seed = 7u64;
        for _ in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (start, count) = ((seed >> 33) as u32 % 200_000, (seed >> 20) as u32 % 70);
            match seed >> 61 {
                0..3 => {
                    set.insert_range(start, count);
                    naive.extend(start..start + count);
                }
                3 | 4 => {
                    let removed = set.remove_range(start, count);
                    let before = naive.len();
                    naive.retain(|row| !(start..start + count).contains(row));
                    assert_eq!(removed as usize, before - naive.len());
                }
                5 => assert_eq!(set.contains(start), naive.contains(&start)),
                _ => {
                    let run = set.take_run(count.max(1));
                    assert_eq!(run.map(|r| r.0), naive.first().copied());
                    if let Some((start, count)) = run {
                        (start..start + count).for_each(|row| assert!(naive.remove(&row)));
                    }
                }
            }
            assert_eq!(set.len() as usize, naive.len());
        }
    }
}
