//! Graphs, described as a client describes them and as plain CSR.

use crate::column::{U32s, u32_bytes};
use crate::event::{Event, FunctionDefined, InputSpec, LayerKind, LayerSpec, Submit, WHOLE};
use crate::id::{ClientId, Millis};
use crate::regular;
use crate::{Engine, Out};

/// What a graph looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Independent rows.
    Map,
    /// A map and a binary tree over it, half of the rows each.
    Tree,
    /// Row i reads two rows drawn evenly from all before it; rows nobody reads are wanted.
    Random,
}

impl Shape {
    /// The shape of that name.
    pub fn from_name(name: &str) -> Option<Shape> {
        match name {
            "map" => Some(Shape::Map),
            "tree" => Some(Shape::Tree),
            "random" => Some(Shape::Random),
            _ => None,
        }
    }
}

/// A graph.
#[derive(Debug)]
pub struct Graph {
    /// What it looks like.
    pub shape: Shape,
    /// Rows.
    pub tasks: u32,
    /// Where each row's inputs end.
    pub ends: Vec<u32>,
    /// Inputs.
    pub inputs: Vec<u32>,
    items: Vec<u8>,
    columns: Option<Columns>,
}

#[derive(Debug)]
struct Columns {
    offsets: Vec<u8>,
    indices: Vec<u8>,
}

/// A small, good enough source of numbers (splitmix64).
#[derive(Clone, Copy, Debug)]
pub struct Numbers(pub u64);

impl Numbers {
    /// The next number below `n`.
    pub fn below(&mut self, n: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(x ^ x >> 31) * u128::from(n)) >> 64) as u32
    }
}

/// The client of all benchmarks.
pub(crate) const CLIENT: ClientId = ClientId(1);

impl Graph {
    /// A graph of about `tasks` rows.
    pub fn new(shape: Shape, tasks: u32) -> Graph {
        let mut ends = Vec::new();
        let mut inputs = Vec::new();
        match shape {
            Shape::Map => ends = vec![0; tasks as usize],
            Shape::Tree => {
                let leaves = tasks / 2;
                ends = vec![0; leaves as usize];
                let levels = regular::levels(leaves, 2);
                for (at, level) in levels.iter().enumerate() {
                    let below = if at == 0 {
                        0
                    } else {
                        leaves + levels[at - 1].start
                    };
                    for p in 0..level.rows {
                        let (first, end) = regular::reads(level, p, 2);
                        inputs.extend(below + first..below + end);
                        ends.push(inputs.len() as u32);
                    }
                }
            }
            Shape::Random => {
                let mut numbers = Numbers(42);
                for row in 0..tasks {
                    if row > 0 {
                        inputs.extend([numbers.below(row), numbers.below(row)]);
                    }
                    ends.push(inputs.len() as u32);
                }
            }
        }
        Graph::laid_out(shape, ends, inputs)
    }

    /// A graph of explicit edges, handled as [`Shape::Random`] is: `ends` says where each row's `inputs` end, and rows
    /// read rows before them alone.
    pub fn explicit(ends: Vec<u32>, inputs: Vec<u32>) -> Graph {
        Graph::laid_out(Shape::Random, ends, inputs)
    }

    fn laid_out(shape: Shape, ends: Vec<u32>, inputs: Vec<u32>) -> Graph {
        let tasks = ends.len() as u32;
        let items = (0..u64::from(tasks)).flat_map(u64::to_le_bytes).collect();
        let columns = (shape == Shape::Random).then(|| {
            let offsets: Vec<u32> = std::iter::once(0).chain(ends.iter().copied()).collect();
            Columns {
                offsets: u32_bytes(&offsets),
                indices: u32_bytes(&inputs),
            }
        });
        Graph {
            shape,
            tasks,
            ends,
            inputs,
            items,
            columns,
        }
    }

    /// Inputs of a row.
    pub fn inputs_of(&self, row: u32) -> &[u32] {
        let start = if row == 0 {
            0
        } else {
            self.ends[row as usize - 1]
        };
        &self.inputs[start as usize..self.ends[row as usize] as usize]
    }

    /// What every row yields: its item (regular leaves: their index; others: 1) plus what its inputs yield.
    pub fn values(&self) -> Vec<u64> {
        let mut values: Vec<u64> = Vec::with_capacity(self.tasks as usize);
        for row in 0..self.tasks {
            let inputs = self.inputs_of(row);
            let own = match self.shape {
                Shape::Map => u64::from(row),
                Shape::Tree if inputs.is_empty() => u64::from(row),
                Shape::Tree => 0,
                Shape::Random => 1,
            };
            let sum = inputs
                .iter()
                .fold(own, |sum, &input| sum.wrapping_add(values[input as usize]));
            values.push(sum);
        }
        values
    }

    /// Rows whose results the client wants.
    pub fn wanted(&self) -> Vec<bool> {
        match self.shape {
            Shape::Map => vec![true; self.tasks as usize],
            Shape::Tree => (1..=self.tasks).map(|row| row == self.tasks).collect(),
            Shape::Random => {
                let mut wanted = vec![true; self.tasks as usize];
                self.inputs
                    .iter()
                    .for_each(|&input| wanted[input as usize] = false);
                wanted
            }
        }
    }

    /// Submits it and wants its ends. Layers are numbered from 1.
    pub fn submit(&self, engine: &mut Engine, out: &mut Out) {
        let now = Millis(0);
        let joined = Event::ClientJoined {
            client: CLIENT,
            update_credit: 64,
        };
        let function = Event::FunctionDefined(FunctionDefined {
            client: CLIENT,
            function: 1,
            hash: [1; 32],
            name: "f",
            body: b"f",
        });
        let tree = [InputSpec {
            layer: 1,
            first: 0,
            part: WHOLE,
            broadcast: false,
            count: 0,
        }];
        let layers = self.layers(&tree);
        let submit = Event::GraphSubmitted(Submit {
            client: CLIENT,
            graph: 1,
            layers: &layers,
        });
        for event in [joined, function, submit] {
            let taken = engine.apply(now, event, out);
            assert!(taken.is_ok(), "{taken:?}");
        }
        if self.shape != Shape::Map {
            self.want(engine, out);
        }
    }

    fn layers<'a>(&'a self, tree: &'a [InputSpec]) -> Vec<LayerSpec<'a>> {
        let base = LayerSpec {
            layer: 1,
            function: 1,
            data_codec: 1,
            ..LayerSpec::default()
        };
        let map = |tasks: u32, flags: u8| LayerSpec {
            kind: LayerKind::Map,
            tasks,
            flags,
            data_stride: 8,
            data: self.items.get(..tasks as usize * 8),
            ..base
        };
        match (self.shape, &self.columns) {
            (Shape::Map, _) => vec![map(self.tasks, 1)],
            (Shape::Random, Some(columns)) => vec![LayerSpec {
                kind: LayerKind::Explicit,
                tasks: self.tasks,
                dep_offsets: U32s::new(&columns.offsets),
                dep_layer: 1,
                dep_indices: U32s::new(&columns.indices),
                ..base
            }],
            _ => {
                let leaves = self.ends.iter().take_while(|&&end| end == 0).count() as u32;
                let reduce = LayerSpec {
                    layer: 2,
                    kind: LayerKind::TreeReduce,
                    tasks: self.tasks - leaves,
                    inputs: tree,
                    fan_in: 2,
                    ..base
                };
                vec![map(leaves, 0), reduce]
            }
        }
    }

    fn want(&self, engine: &mut Engine, out: &mut Out) {
        let leaves = self.ends.iter().take_while(|&&end| end == 0).count() as u32;
        let (layer, rows): (u32, Vec<u32>) = match self.shape {
            Shape::Tree => (2, vec![self.tasks - leaves - 1]),
            _ => {
                let wanted = self.wanted();
                (
                    1,
                    (0..self.tasks)
                        .filter(|&row| wanted[row as usize])
                        .collect(),
                )
            }
        };
        let layers = u32_bytes(&vec![layer; rows.len()]);
        let starts = u32_bytes(&rows);
        let counts = u32_bytes(&vec![1; rows.len()]);
        let demand = Event::Wanted(crate::event::Demand {
            client: CLIENT,
            layers: U32s::new(&layers),
            starts: U32s::new(&starts),
            counts: U32s::new(&counts),
            reason: "",
        });
        let taken = engine.apply(Millis(0), demand, out);
        assert!(taken.is_ok(), "{taken:?}");
    }
}
