//! Row data (arguments) of a layer, in chunks that never cross a page. A chunk's bytes go when the last of its
//! rows can never run again, so a client that submits for ever does not grow the scheduler.

use std::collections::VecDeque;

use crate::id::PAGE_ROWS;

#[derive(Debug)]
struct Chunk {
    first: u32,
    rows: u32,
    /// Rows that may still run.
    live: u32,
    stride: u32,
    /// Without stride: where each row's bytes end.
    ends: Box<[u32]>,
    bytes: Box<[u8]>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct RowData {
    chunks: VecDeque<Chunk>,
    /// Rows have data at all.
    pub present: bool,
    /// The data are no bytes but numbers by arithmetic: row i's is start + i · step, as a little-endian double.
    pub range: Option<(f64, f64)>,
}

impl RowData {
    /// Data of a layer whose rows' are start + i · step.
    pub fn ranging(start: f64, step: f64) -> RowData {
        RowData {
            present: true,
            range: Some((start, step)),
            ..RowData::default()
        }
    }

    /// Appends data of rows first … first + rows - 1: `stride` bytes each, or `sizes`.
    pub fn push(
        &mut self,
        first: u32,
        rows: u32,
        stride: u32,
        sizes: impl Fn(u32) -> u32,
        bytes: &[u8],
    ) {
        self.present = true;
        let (mut row, mut from) = (0, 0usize);
        while row < rows {
            let n = (PAGE_ROWS - (first + row) % PAGE_ROWS).min(rows - row);
            let mut size = 0u32;
            let ends: Box<[u32]> = if stride > 0 {
                size = n * stride;
                Box::default()
            } else {
                (row..row + n)
                    .map(|i| {
                        size += sizes(i);
                        size
                    })
                    .collect()
            };
            let end = from + size as usize;
            self.chunks.push_back(Chunk {
                first: first + row,
                rows: n,
                live: n,
                stride,
                ends,
                bytes: bytes.get(from..end).unwrap_or_default().into(),
            });
            from = end;
            row += n;
        }
    }

    #[inline]
    fn find(&self, row: u32) -> Option<usize> {
        let at = self.chunks.partition_point(|chunk| chunk.first <= row);
        at.checked_sub(1)
    }

    /// Bytes of rows start … as far as one chunk reaches, at most `count` rows: (rows, stride, bytes, their sizes
    /// when there is no stride).
    #[inline]
    pub fn run(&self, start: u32, count: u32) -> (u32, u32, &[u8], SizeRun<'_>) {
        let Some(chunk) = self.find(start).map(|at| &self.chunks[at]) else {
            return (count, 0, &[], SizeRun::default());
        };
        let from = start - chunk.first;
        if from >= chunk.rows {
            return (count, 0, &[], SizeRun::default());
        }
        let n = count.min(chunk.rows - from);
        if chunk.stride > 0 {
            let (s, e) = (from * chunk.stride, (from + n) * chunk.stride);
            let bytes = chunk.bytes.get(s as usize..e as usize).unwrap_or_default();
            return (n, chunk.stride, bytes, SizeRun::default());
        }
        let begin = if from == 0 {
            0
        } else {
            chunk.ends[from as usize - 1]
        };
        let ends = &chunk.ends[from as usize..(from + n) as usize];
        let end = ends.last().copied().unwrap_or(begin);
        let bytes = chunk
            .bytes
            .get(begin as usize..end as usize)
            .unwrap_or_default();
        (n, 0, bytes, SizeRun { begin, ends })
    }

    /// Rows `row` … row + count - 1 can never run again. They may lie in several chunks.
    #[inline]
    pub fn release(&mut self, row: u32, count: u32) {
        let (mut row, end) = (row, row + count);
        while row < end
            && let Some(at) = self.find(row)
        {
            let chunk = &mut self.chunks[at];
            let stop = end.min(chunk.first + chunk.rows);
            if stop <= row {
                break;
            }
            chunk.live -= (stop - row).min(chunk.live);
            row = stop;
            if chunk.live == 0 {
                chunk.bytes = Box::default();
                chunk.ends = Box::default();
            }
        }
        while self.chunks.front().is_some_and(|chunk| chunk.live == 0) {
            self.chunks.pop_front();
        }
    }
}

/// Sizes of consecutive rows.
#[derive(Clone, Copy, Debug, Default)]
pub struct SizeRun<'a> {
    begin: u32,
    ends: &'a [u32],
}

impl SizeRun<'_> {
    /// True when the rows have a stride instead.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Each row's bytes.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let mut last = self.begin;
        self.ends.iter().map(move |&end| {
            let size = end - last;
            last = end;
            size
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_over_two_chunks_releases_its_share_of_each() {
        let mut data = RowData::default();
        data.push(0, 4, 8, |_| 0, &[1; 32]);
        data.push(4, 4, 8, |_| 0, &[2; 32]);
        data.release(2, 4);
        assert_eq!(data.run(0, 2).2, [1; 16]);
        assert_eq!(data.run(6, 2).2, [2; 16]);
        data.release(0, 2);
        data.release(6, 2);
        assert!(data.chunks.is_empty());
    }
}
