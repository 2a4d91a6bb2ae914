//! What rows of a regular layer read, and which of its rows read a row, by arithmetic. Inputs are of two roles:
//! *streams*, of which row i reads row i (or those around it, or those below it in a tree), and *gates*, the
//! broadcast ones, of which every row reads the same rows (see `gate`).

use crate::event::{LayerKind, WHOLE};
use crate::layer::{Layer, Span};
use crate::regular::{self, Ranges};

impl Layer {
    /// True when every row reads some rows of a layer, whatever its own place.
    #[inline]
    pub fn gated(&self) -> bool {
        self.inputs.iter().any(|input| input.broadcast)
    }

    /// True when no row reads what other rows do not read, too: all are ready at once, as soon as the gate is open.
    #[inline]
    pub fn source(&self) -> bool {
        self.inputs.iter().all(|input| input.broadcast)
    }

    /// What row `row` of a tree, whose own slot is `slot`, reads: layer slot, first row and end.
    #[inline]
    pub fn tree_reads(&self, slot: u32, row: u32) -> (u32, u32, u32) {
        let at = regular::level_of(&self.levels, row);
        let level = &self.levels[at];
        let (first, end) = regular::reads(level, row - level.start, self.fan_in);
        let (from, offset) = match at {
            0 => (self.inputs[0].layer, self.inputs[0].first),
            _ => (slot, self.levels[at - 1].start),
        };
        (from, offset + first, offset + end)
    }

    /// Calls `each` with (upstream layer slot, row, part) for every input of row `row` of this layer, whose own
    /// slot is `slot`, in the order in which the task takes them. Regular layers only.
    #[inline]
    pub fn each_input(&self, slot: u32, row: u32, mut each: impl FnMut(u32, u32, u32)) {
        if self.kind == LayerKind::TreeReduce {
            let (from, first, end) = self.tree_reads(slot, row);
            let part = if from == slot {
                WHOLE
            } else {
                self.inputs[0].part
            };
            (first..end).for_each(|row| each(from, row, part));
            return;
        }
        for input in &self.inputs {
            if input.broadcast {
                let rows = input.first..input.first + input.count;
                rows.for_each(|row| each(input.layer, row, input.part));
            } else if self.radius == 0 {
                each(input.layer, input.first + row, input.part);
            } else {
                let rows = regular::window(row, self.radius, self.tasks, self.periodic);
                for row in rows.into_iter().flat_map(|(start, end)| start..end) {
                    each(input.layer, input.first + row, input.part);
                }
            }
        }
    }

    /// The same for streams alone: (upstream layer slot, row).
    #[inline]
    pub fn each_stream(&self, slot: u32, row: u32, mut each: impl FnMut(u32, u32)) {
        if self.kind == LayerKind::TreeReduce || !self.gated() {
            self.each_input(slot, row, |from, row, _| each(from, row));
            return;
        }
        for input in self.inputs.iter().filter(|input| !input.broadcast) {
            let rows = regular::window(row, self.radius, self.tasks, self.periodic);
            for row in rows.into_iter().flat_map(|(start, end)| start..end) {
                each(input.layer, input.first + row);
            }
        }
    }

    /// Calls `each` with (upstream layer slot, row) for what every row reads.
    #[inline]
    pub fn each_gate(&self, mut each: impl FnMut(u32, u32)) {
        for input in self.inputs.iter().filter(|input| input.broadcast) {
            (input.first..input.first + input.count).for_each(|row| each(input.layer, row));
        }
    }

    /// What rows start … end - 1 read, as spans. Regular layers only.
    pub fn input_spans(&self, slot: u32, start: u32, end: u32) -> Vec<Span> {
        let mut spans = Vec::new();
        if start >= end {
            return spans;
        }
        if self.kind == LayerKind::TreeReduce {
            self.tree_spans(slot, start, end, &mut spans);
            return spans;
        }
        for input in &self.inputs {
            let mut push = |start: u32, end: u32, edges: u32| {
                spans.push(Span {
                    layer: input.layer,
                    start: input.first + start,
                    end: input.first + end,
                    edges,
                    gate: input.broadcast,
                });
            };
            if input.broadcast {
                push(0, input.count, end - start);
                continue;
            }
            // One span per place in the window: the rows of each have one edge more.
            let reach = i64::from(self.radius);
            for offset in -reach..=reach {
                let shifted = regular::shift((start, end), offset, self.tasks, self.periodic);
                for (s, e) in shifted.into_iter().filter(|(s, e)| s < e) {
                    push(s, e, 1);
                }
            }
        }
        spans
    }

    fn tree_spans(&self, slot: u32, start: u32, end: u32, spans: &mut Vec<Span>) {
        for (at, level) in self.levels.iter().enumerate() {
            let s = start.max(level.start);
            let e = end.min(level.start + level.rows);
            if s >= e {
                continue;
            }
            let first = regular::reads(level, s - level.start, self.fan_in).0;
            let last = regular::reads(level, e - 1 - level.start, self.fan_in).1;
            let (layer, offset) = if at == 0 {
                (self.inputs[0].layer, self.inputs[0].first)
            } else {
                (slot, self.levels[at - 1].start)
            };
            spans.push(Span {
                layer,
                start: offset + first,
                end: offset + last,
                edges: 1,
                gate: false,
            });
        }
    }

    /// Rows of this (regular) layer that read row `row` through input `input`.
    #[inline]
    pub fn readers(&self, input: u32, row: u32) -> Ranges {
        let Some(input) = self.inputs.get(input as usize) else {
            return Ranges::default();
        };
        let p = row.wrapping_sub(input.first);
        if self.kind == LayerKind::TreeReduce {
            let below = self.levels.first().map_or(0, |level| level.below);
            return if p < below {
                [(p / self.fan_in, p / self.fan_in + 1), (0, 0)]
            } else {
                Ranges::default()
            };
        }
        if input.broadcast {
            return if p < input.count {
                [(0, self.tasks), (0, 0)]
            } else {
                Ranges::default()
            };
        }
        if p < self.tasks {
            // Who reads a row of a window are the rows it would read.
            regular::window(p, self.radius, self.tasks, self.periodic)
        } else {
            Ranges::default()
        }
    }

    /// TreeReduce: the row above row `row`.
    #[inline]
    pub fn parent(&self, row: u32) -> Option<u32> {
        let at = regular::level_of(&self.levels, row);
        let level = self.levels.get(at)?;
        let above = self.levels.get(at + 1)?;
        Some(above.start + (row - level.start) / self.fan_in)
    }
}
