//! The ready queue. A row's priority is one integer, smaller first: user priority, then the generation of its
//! submission, then downstream layers before upstream ones (depth first: peak memory), then its index. Rows with
//! their layer's priority stand in the layer's bitmap, of which only the layer is queued here, so that runs of
//! neighbours enter and leave as runs; rows with a priority of their own and suspects are queued one by one.

use std::collections::BTreeSet;

use crate::id::Task;

/// Order of row 0 of a layer.
pub fn order(priority: i32, generation: u32, number: u32) -> u128 {
    let rank = !(priority as u32 ^ 0x8000_0000);
    u128::from(rank) << 96 | u128::from(generation) << 64 | u128::from(!number) << 32
}

/// The same order under another user priority.
pub fn reprioritise(order: u128, priority: i32) -> u128 {
    let rank = !(priority as u32 ^ 0x8000_0000);
    order << 32 >> 32 | u128::from(rank) << 96
}

/// See the module.
#[derive(Debug, Default)]
pub struct Ready {
    /// Layers with ready rows, or with demanded rows in pages still to be opened that need no input.
    pub layers: BTreeSet<(u128, u32)>,
    /// Rows with a priority of their own.
    pub odd: BTreeSet<(u128, Task)>,
    /// Suspects: each runs alone on its lane.
    pub alone: BTreeSet<(u128, Task)>,
    /// Rows in the bitmaps of layers.
    pub in_layers: u64,
}

impl Ready {
    /// True when nothing can be sent.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty() && self.odd.is_empty() && self.alone.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_user_priority_then_generation_then_depth() {
        assert!(order(1, 9, 1) < order(0, 1, 1));
        assert!(order(0, 1, 1) < order(-1, 1, 1));
        assert!(order(0, 1, 1) < order(0, 2, 1));
        assert!(order(0, 1, 2) < order(0, 1, 1));
        assert_eq!(reprioritise(order(5, 3, 4), -7), order(-7, 3, 4));
    }
}
