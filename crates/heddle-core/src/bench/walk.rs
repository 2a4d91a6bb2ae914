//! The floor: the barest countdown over a CSR graph. No state, no attempt, no value, no worker: pop a ready row,
//! count its readers down, push those that reach zero.

use crate::bench::graph::Graph;

/// A graph as arrays, ready to be walked once.
#[derive(Debug)]
pub struct Walk {
    ends: Vec<u32>,
    readers: Vec<u32>,
    unmet: Vec<u32>,
    ready: Vec<u32>,
}

impl Walk {
    /// Lays the graph out. The clock starts after this.
    pub fn new(graph: &Graph) -> Walk {
        let n = graph.tasks as usize;
        let mut ends = vec![0u32; n + 1];
        graph
            .inputs
            .iter()
            .for_each(|&input| ends[input as usize + 1] += 1);
        (0..n).for_each(|i| ends[i + 1] += ends[i]);
        let mut fill = ends.clone();
        let mut readers = vec![0; graph.inputs.len()];
        let mut unmet = vec![0; n];
        for row in 0..graph.tasks {
            for &input in graph.inputs_of(row) {
                readers[fill[input as usize] as usize] = row;
                fill[input as usize] += 1;
                unmet[row as usize] += 1;
            }
        }
        let ready = (0..graph.tasks)
            .rev()
            .filter(|&row| unmet[row as usize] == 0)
            .collect();
        Walk {
            ends,
            readers,
            unmet,
            ready,
        }
    }

    /// Walks it; returns the rows reached.
    pub fn run(mut self) -> u64 {
        let mut reached = 0;
        while let Some(row) = self.ready.pop() {
            reached += 1;
            let (start, end) = (self.ends[row as usize], self.ends[row as usize + 1]);
            for &reader in &self.readers[start as usize..end as usize] {
                let unmet = &mut self.unmet[reader as usize];
                *unmet -= 1;
                if *unmet == 0 {
                    self.ready.push(reader);
                }
            }
        }
        reached
    }
}
