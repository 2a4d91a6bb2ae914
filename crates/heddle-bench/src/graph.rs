//! The graphs, in compressed sparse rows: the inputs of row `i` are `inputs[offsets[i]..offsets[i + 1]]`.

/// A graph whose rows come after their inputs.
#[derive(Debug)]
pub struct Csr {
    /// Rows + 1 positions in `inputs`.
    pub offsets: Vec<u32>,
    /// Rows read.
    pub inputs: Vec<u32>,
}

/// Rows read by one row of the reduction.
pub const FAN_IN: u32 = 2;

impl Csr {
    /// Rows.
    pub fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    /// A binary tree of about `tasks` rows: leaves, then each level of the reduction, the root last.
    pub fn tree(tasks: u32) -> Self {
        let leaves = leaves(tasks);
        let mut graph = Self {
            offsets: vec![0; leaves as usize + 1],
            inputs: Vec::new(),
        };
        let (mut from, mut width) = (0, leaves);
        while width > 1 {
            for first in (0..width).step_by(FAN_IN as usize) {
                let last = (first + FAN_IN).min(width);
                graph.inputs.extend(from + first..from + last);
                graph.offsets.push(graph.inputs.len() as u32);
            }
            from += width;
            width = width.div_ceil(FAN_IN);
        }
        graph
    }

    /// `tasks` rows with two inputs each, drawn evenly from all rows before them.
    pub fn random(tasks: u32) -> Self {
        let mut random = Random(0x5eed);
        let mut graph = Self {
            offsets: vec![0],
            inputs: Vec::new(),
        };
        for row in 0..tasks {
            graph
                .inputs
                .extend((0..row.min(2)).map(|_| random.below(row)));
            graph.offsets.push(graph.inputs.len() as u32);
        }
        graph
    }
}

/// Leaves of a binary tree of about `tasks` rows.
pub fn leaves(tasks: u32) -> u32 {
    (tasks / 2).max(1)
}

/// SplitMix64: the same graph in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // The upper 32 bits as a fraction of 2^32, times `end`.
        (((mixed >> 32) * u64::from(end)) >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_after_their_inputs() {
        for graph in [Csr::tree(1_000), Csr::tree(1), Csr::random(1_000)] {
            for row in 0..graph.rows() {
                let inputs =
                    &graph.inputs[graph.offsets[row] as usize..graph.offsets[row + 1] as usize];
                assert!(inputs.iter().all(|&input| (input as usize) < row));
            }
        }
    }

    #[test]
    fn every_row_of_a_tree_but_the_root_is_read_once() {
        let graph = Csr::tree(1_001);
        let mut read = vec![0; graph.rows()];
        graph.inputs.iter().for_each(|&row| read[row as usize] += 1);
        assert_eq!(read.pop(), Some(0));
        assert!(read.iter().all(|&times| times == 1));
    }
}
