//! The floor under the engine: a graph walked by counting down unmet inputs. No states, attempts, values,
//! placement, demand or failure: what remains is the memory traffic no scheduler of this graph can avoid.

use crate::graph::Csr;

/// A graph ready to be walked once.
#[derive(Debug)]
pub struct WalkRun {
    /// Consumers of row `i`: `consumers[offsets[i]..offsets[i + 1]]`.
    offsets: Vec<u32>,
    consumers: Vec<u32>,
    unmet: Vec<u32>,
    ready: Vec<u32>,
}

impl WalkRun {
    /// The tree of [`EngineRun`](crate::EngineRun), about `tasks` rows.
    pub fn tree(tasks: u32) -> Self {
        Self::new(&Csr::tree(tasks))
    }

    /// The random graph of [`EngineRun`](crate::EngineRun).
    pub fn random(tasks: u32) -> Self {
        Self::new(&Csr::random(tasks))
    }

    fn new(graph: &Csr) -> Self {
        let rows = graph.rows();
        let mut offsets = vec![0; rows + 1];
        graph
            .inputs
            .iter()
            .for_each(|&input| offsets[input as usize + 1] += 1);
        for row in 0..rows {
            offsets[row + 1] += offsets[row];
        }
        let mut next = offsets.clone();
        let mut consumers = vec![0; graph.inputs.len()];
        for row in 0..rows {
            for &input in
                &graph.inputs[graph.offsets[row] as usize..graph.offsets[row + 1] as usize]
            {
                consumers[next[input as usize] as usize] = row as u32;
                next[input as usize] += 1;
            }
        }
        Self {
            offsets,
            consumers,
            unmet: graph.offsets.windows(2).map(|w| w[1] - w[0]).collect(),
            ready: Vec::with_capacity(rows),
        }
    }

    /// Rows.
    pub fn rows(&self) -> u32 {
        self.unmet.len() as u32
    }

    /// Walks; gives the number of rows completed, which is all of them unless this has run before.
    pub fn run(&mut self) -> u32 {
        for row in 0..self.rows() {
            if self.unmet[row as usize] == 0 {
                self.ready.push(row);
            }
        }
        let mut at = 0;
        while let Some(&row) = self.ready.get(at) {
            at += 1;
            let (from, to) = (
                self.offsets[row as usize] as usize,
                self.offsets[row as usize + 1] as usize,
            );
            for &consumer in &self.consumers[from..to] {
                let unmet = &mut self.unmet[consumer as usize];
                *unmet -= 1;
                if *unmet == 0 {
                    self.ready.push(consumer);
                }
            }
        }
        self.ready.clear();
        at as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_walked() {
        for mut walk in [WalkRun::tree(1_000), WalkRun::random(1_000)] {
            assert_eq!(walk.run(), walk.rows());
        }
    }
}
