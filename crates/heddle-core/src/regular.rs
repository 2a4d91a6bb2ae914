//! Neighbours by arithmetic: which rows a row of a regular layer reads, and which rows of it read a row.

/// One level of a tree: where its rows stand in the layer and what they read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// First row of the level.
    pub start: u32,
    /// Rows of the level.
    pub rows: u32,
    /// Rows of the level below (of the upstream layer for the first level).
    pub below: u32,
}

/// Levels of a tree over `inputs` rows. Rows are laid out level by level, the root last; row p of a level reads
/// rows p·fan_in … of the level below. One input makes one row; none makes none.
pub fn levels(inputs: u32, fan_in: u32) -> Vec<Level> {
    let mut levels = Vec::new();
    let (mut start, mut below) = (0u32, inputs);
    while below > 0 {
        let rows = below.div_ceil(fan_in);
        levels.push(Level { start, rows, below });
        start = start.saturating_add(rows);
        if rows == 1 {
            break;
        }
        below = rows;
    }
    levels
}

/// Rows of all levels.
pub fn tree_rows(inputs: u32, fan_in: u32) -> u64 {
    levels(inputs, fan_in)
        .iter()
        .map(|l| u64::from(l.rows))
        .sum()
}

/// The level a row stands in.
#[inline]
pub fn level_of(levels: &[Level], row: u32) -> usize {
    // Half of all rows of a tree stand in its first level, half of the rest in the next.
    let mut at = 0;
    while levels.get(at + 1).is_some_and(|next| next.start <= row) {
        at += 1;
    }
    at
}

/// Rows of the level below that row `p` of `level` reads: first and end.
#[inline]
pub fn reads(level: &Level, p: u32, fan_in: u32) -> (u32, u32) {
    let first = p * fan_in;
    (first, first.saturating_add(fan_in).min(level.below))
}

/// Ranges of rows in order, start and end; an empty one is none.
pub type Ranges = [(u32, u32); 2];

/// Rows that row `p` of `rows` reads through a window: those at most `radius` away, in order. A window that is not
/// periodic is cut short at the ends; a periodic one has `2 * radius < rows`.
#[inline]
pub fn window(p: u32, radius: u32, rows: u32, periodic: bool) -> Ranges {
    let end = p + radius + 1;
    if !periodic {
        return [(p.saturating_sub(radius), end.min(rows)), (0, 0)];
    }
    if p < radius {
        [(rows - (radius - p), rows), (0, end)]
    } else if end > rows {
        [(p - radius, rows), (0, end - rows)]
    } else {
        [(p - radius, end), (0, 0)]
    }
}

/// Rows start … end - 1 of `rows`, `offset` further on: cut at the ends, or around them if `periodic`.
pub fn shift((start, end): (u32, u32), offset: i64, rows: u32, periodic: bool) -> Ranges {
    let n = i64::from(rows);
    let (s, e) = (i64::from(start) + offset, i64::from(end) + offset);
    // All of these lie between 0 and `rows`.
    let cut = |s: i64, e: i64| (s.clamp(0, n) as u32, e.clamp(0, n) as u32);
    if !periodic {
        [cut(s, e), (0, 0)]
    } else if s < 0 {
        [cut(s + n, (e + n).min(n)), cut(0, e)]
    } else {
        [cut(s, e), cut((s - n).max(0), e - n)]
    }
}

/// All rows that rows start … end - 1 of `rows` read through windows.
pub fn around((start, end): (u32, u32), radius: u32, rows: u32, periodic: bool) -> Ranges {
    if start >= end {
        return Ranges::default();
    }
    if !periodic {
        return [
            (start.saturating_sub(radius), (end + radius).min(rows)),
            (0, 0),
        ];
    }
    let length = end - start + 2 * radius;
    if length >= rows {
        return [(0, rows), (0, 0)];
    }
    let start = (start + rows - radius) % rows;
    [
        (start, (start + length).min(rows)),
        (0, (start + length).saturating_sub(rows)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_end_in_one_root() {
        assert_eq!(tree_rows(0, 2), 0);
        assert_eq!(tree_rows(1, 2), 1);
        assert_eq!(tree_rows(8, 2), 7);
        assert_eq!(tree_rows(9, 2), 5 + 3 + 2 + 1);
        let levels = levels(9, 2);
        assert_eq!(level_of(&levels, 4), 0);
        assert_eq!(level_of(&levels, 5), 1);
        assert_eq!(level_of(&levels, 10), 3);
        assert_eq!(reads(&levels[0], 4, 2), (8, 9));
    }

    #[test]
    fn windows_are_cut_or_go_around() {
        assert_eq!(window(0, 1, 5, false), [(0, 2), (0, 0)]);
        assert_eq!(window(4, 2, 5, false), [(2, 5), (0, 0)]);
        assert_eq!(window(0, 1, 5, true), [(4, 5), (0, 2)]);
        assert_eq!(window(4, 1, 5, true), [(3, 5), (0, 1)]);
        assert_eq!(window(2, 2, 5, true), [(0, 5), (0, 0)]);
        assert_eq!(window(3, 0, 5, true), [(3, 4), (0, 0)]);
    }

    #[test]
    fn shifted_rows_are_what_the_windows_of_each_row_say() {
        for (rows, radius, periodic) in [(7, 2, false), (7, 3, true), (5, 2, true), (3, 2, false)] {
            for start in 0..rows {
                for end in start + 1..=rows {
                    let mut edges = vec![0u32; rows as usize];
                    let reached = around((start, end), radius, rows, periodic);
                    for p in start..end {
                        let reads = window(p, radius, rows, periodic);
                        let all = reads.into_iter().flat_map(|(s, e)| s..e);
                        all.for_each(|row| edges[row as usize] += 1);
                    }
                    for (row, &read) in (0..).zip(&edges) {
                        let within = reached.iter().any(|&(s, e)| (s..e).contains(&row));
                        assert_eq!(within, read > 0, "row {row} around {start}..{end}");
                    }
                    for offset in -i64::from(radius)..=i64::from(radius) {
                        let moved = shift((start, end), offset, rows, periodic);
                        let all = moved.into_iter().flat_map(|(s, e)| s..e);
                        all.for_each(|row| edges[row as usize] -= 1);
                    }
                    assert!(
                        edges.iter().all(|&left| left == 0),
                        "{start}..{end}: {edges:?}"
                    );
                }
            }
        }
    }
}
