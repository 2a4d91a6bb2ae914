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
}
