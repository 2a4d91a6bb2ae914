//! A set of rows as disjoint intervals: demand on pages that do not exist yet, at a word or two per edit.

use std::collections::BTreeMap;

/// Disjoint, never touching intervals: start to end (exclusive).
#[derive(Debug, Default)]
pub struct Intervals {
    runs: BTreeMap<u32, u32>,
}

impl Intervals {
    /// True when it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// True when the row is in.
    pub fn contains(&self, row: u32) -> bool {
        !self.runs.is_empty()
            && self
                .runs
                .range(..=row)
                .next_back()
                .is_some_and(|(_, &end)| end > row)
    }

    /// True when rows start … end - 1 are in.
    pub fn covers(&self, start: u32, end: u32) -> bool {
        let run = self.runs.range(..=start).next_back();
        run.is_some_and(|(_, &e)| e >= end)
    }

    /// Rows in the set.
    pub fn count(&self) -> u32 {
        self.runs.iter().map(|(start, end)| end - start).sum()
    }

    /// First row in the set.
    pub fn first(&self) -> Option<u32> {
        self.runs.first_key_value().map(|(&start, _)| start)
    }

    /// Adds rows start … end - 1.
    pub fn insert(&mut self, mut start: u32, mut end: u32) {
        if start >= end {
            return;
        }
        while let Some((&s, &e)) = self.runs.range(..=end).next_back() {
            if e < start {
                break;
            }
            start = start.min(s);
            end = end.max(e);
            self.runs.remove(&s);
        }
        self.runs.insert(start, end);
    }

    /// Takes rows start … end - 1 out.
    pub fn remove(&mut self, start: u32, end: u32) {
        if start >= end {
            return;
        }
        while let Some((&s, &e)) = self.runs.range(..end).next_back() {
            if e <= start {
                break;
            }
            self.runs.remove(&s);
            if s < start {
                self.runs.insert(s, start);
            }
            if e > end {
                self.runs.insert(end, e);
            }
        }
    }

    /// The parts of start … end - 1 that are in the set (or, with `inside` false, that are not), in order.
    pub fn split(&self, start: u32, end: u32, inside: bool) -> Vec<(u32, u32)> {
        let mut parts = Vec::new();
        let mut at = start;
        let before = self.runs.range(..start).next_back();
        for (&s, &e) in before.into_iter().chain(self.runs.range(start..end)) {
            let (s, e) = (s.max(start), e.min(end));
            if s >= e {
                continue;
            }
            if !inside && at < s {
                parts.push((at, s));
            }
            if inside {
                parts.push((s, e));
            }
            at = e;
        }
        if !inside && at < end {
            parts.push((at, end));
        }
        parts
    }

    /// All intervals in order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.runs.iter().map(|(&start, &end)| (start, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_merge_and_split() {
        let mut set = Intervals::default();
        set.insert(10, 20);
        set.insert(30, 40);
        set.insert(20, 30);
        assert_eq!(set.iter().collect::<Vec<_>>(), [(10, 40)]);
        set.remove(15, 18);
        assert_eq!(set.iter().collect::<Vec<_>>(), [(10, 15), (18, 40)]);
        assert_eq!(set.split(0, 20, true), [(10, 15), (18, 20)]);
        assert_eq!(set.split(0, 50, false), [(0, 10), (15, 18), (40, 50)]);
        assert!(set.contains(14) && !set.contains(15) && set.contains(18));
        set.remove(0, 100);
        assert!(set.is_empty());
    }
}
