//! Graphs for tests: described to the engine, and remembered as plain lists of inputs.

use std::collections::BTreeMap;

use heddle_core::column::{I32s, U16s, U32s, u32_bytes};
use heddle_core::event::{Event, FunctionDefined, InputSpec, LayerKind, LayerSpec, Submit, WHOLE};

use super::{CLIENT, World};

/// A row of a layer.
pub type Row = (u32, u32);

/// What the client submitted: (layer, row) to its inputs, and its own number.
#[derive(Default)]
pub struct Model {
    pub rows: BTreeMap<Row, (u64, Vec<Row>)>,
    values: BTreeMap<(u32, u32), u64>,
}

impl Model {
    /// What a row must yield. Rows are submitted after their inputs (no forward edges here).
    pub fn value(&mut self, row: (u32, u32)) -> u64 {
        if let Some(&value) = self.values.get(&row) {
            return value;
        }
        let (own, inputs) = self.rows[&row].clone();
        let value = inputs
            .into_iter()
            .fold(own, |sum, input| sum.wrapping_add(self.value(input)));
        self.values.insert(row, value);
        value
    }

    /// True when `ancestor` is `row` or among what it needs.
    pub fn needs(&self, row: (u32, u32), ancestor: (u32, u32)) -> bool {
        let mut todo = vec![row];
        let mut seen = std::collections::BTreeSet::new();
        while let Some(row) = todo.pop() {
            if row == ancestor {
                return true;
            }
            if seen.insert(row) {
                todo.extend(&self.rows[&row].1);
            }
        }
        false
    }

    pub fn rows_of(&self, layer: u32) -> u32 {
        self.rows.range((layer, 0)..=(layer, u32::MAX)).count() as u32
    }
}

/// Options of an explicit layer.
#[derive(Default, Clone)]
pub struct Options {
    pub retries: u16,
    pub priorities: Vec<i32>,
    pub row_retries: Vec<u16>,
    pub unwanted: bool,
    /// Of the layer; else only whether it is wanted.
    pub flags: Option<u8>,
    pub first: u32,
    pub priority: i32,
}

impl World {
    pub fn define(&mut self, function: u32) {
        self.apply(Event::FunctionDefined(FunctionDefined {
            client: CLIENT,
            function,
            hash: [function as u8; 32],
            name: "f",
            body: b"body",
        }));
    }

    pub fn submit(&mut self, layers: &[LayerSpec<'_>]) {
        let graph = layers.first().map_or(0, |layer| layer.layer);
        self.apply(Event::GraphSubmitted(Submit {
            client: CLIENT,
            graph,
            layers,
        }));
    }

    /// An explicit layer: each row's own number and inputs.
    pub fn explicit(&mut self, layer: u32, rows: &[(u64, Vec<(u32, u32)>)], options: &Options) {
        let items: Vec<u8> = rows.iter().flat_map(|(own, _)| own.to_le_bytes()).collect();
        let mut offsets = vec![0u32];
        let (mut layers, mut indices) = (Vec::new(), Vec::new());
        for (row, (own, inputs)) in rows.iter().enumerate() {
            for &(upstream, index) in inputs {
                layers.push(upstream);
                indices.push(index);
            }
            offsets.push(layers.len() as u32);
            let key = (layer, options.first + row as u32);
            self.graph.rows.insert(key, (*own, inputs.clone()));
        }
        let (offsets, layers, indices) =
            (u32_bytes(&offsets), u32_bytes(&layers), u32_bytes(&indices));
        let priorities: Vec<u8> = options
            .priorities
            .iter()
            .flat_map(|p| p.to_le_bytes())
            .collect();
        let retries: Vec<u8> = options
            .row_retries
            .iter()
            .flat_map(|r| r.to_le_bytes())
            .collect();
        self.submit(&[LayerSpec {
            layer,
            tasks: rows.len() as u32,
            first: options.first,
            function: 1,
            retries: options.retries,
            priority: options.priority,
            flags: options.flags.unwrap_or(u8::from(!options.unwanted)),
            data_codec: 1,
            data_stride: 8,
            data: Some(&items),
            dep_offsets: U32s::new(&offsets),
            dep_layers: U32s::new(&layers),
            dep_indices: U32s::new(&indices),
            priorities: I32s::new(&priorities),
            row_retries: U16s::new(&retries),
            ..LayerSpec::default()
        }]);
    }

    /// A map of items 0, 1, 2 … without inputs.
    pub fn items(&mut self, layer: u32, tasks: u32, wanted: bool) {
        let items: Vec<u8> = (0..u64::from(tasks)).flat_map(u64::to_le_bytes).collect();
        for row in 0..tasks {
            self.graph
                .rows
                .insert((layer, row), (u64::from(row), Vec::new()));
        }
        self.submit(&[LayerSpec {
            layer,
            kind: LayerKind::Map,
            tasks,
            function: 1,
            flags: u8::from(wanted),
            data_codec: 1,
            data_stride: 8,
            data: Some(&items),
            ..LayerSpec::default()
        }]);
    }

    /// A layer whose row i reads row `first + i` of each input, or row `first` if it is broadcast.
    pub fn blockwise(&mut self, layer: u32, tasks: u32, inputs: &[(u32, u32, bool)], wanted: bool) {
        for row in 0..tasks {
            let reads = inputs
                .iter()
                .map(|&(from, first, all)| (from, if all { first } else { first + row }));
            self.graph.rows.insert((layer, row), (0, reads.collect()));
        }
        let inputs: Vec<InputSpec> = inputs
            .iter()
            .map(|&(layer, first, broadcast)| spec(layer, first, broadcast))
            .collect();
        self.submit(&[LayerSpec {
            layer,
            kind: LayerKind::Blockwise,
            tasks,
            function: 1,
            flags: u8::from(wanted),
            inputs: &inputs,
            ..LayerSpec::default()
        }]);
    }

    /// A layer whose row i reads rows `first + i - radius` … `first + i + radius` of a layer, and of another one all
    /// of some rows: (layer, first, count).
    pub fn window(
        &mut self,
        layer: u32,
        (over, first, tasks): (u32, u32, u32),
        (radius, periodic): (u32, bool),
        all: Option<(u32, u32, u32)>,
        wanted: bool,
    ) {
        let gathered = || {
            all.iter()
                .flat_map(|&(from, at, n)| (at..at + n).map(move |row| (from, row)))
        };
        for row in 0..i64::from(tasks) {
            let n = i64::from(tasks);
            let around = row - i64::from(radius)..=row + i64::from(radius);
            let rows: Vec<i64> = if periodic {
                around.map(|at| at.rem_euclid(n)).collect()
            } else {
                around.filter(|at| (0..n).contains(at)).collect()
            };
            let reads = rows.into_iter().map(|at| (over, first + at as u32));
            let reads = reads.chain(gathered()).collect();
            self.graph.rows.insert((layer, row as u32), (0, reads));
        }
        let mut inputs = vec![spec(over, first, false)];
        inputs.extend(all.map(|(from, first, count)| InputSpec {
            count,
            ..spec(from, first, true)
        }));
        self.submit(&[LayerSpec {
            layer,
            kind: if radius > 0 {
                LayerKind::Window
            } else {
                LayerKind::Blockwise
            },
            tasks,
            function: 1,
            flags: u8::from(wanted),
            radius,
            periodic,
            inputs: &inputs,
            ..LayerSpec::default()
        }]);
    }

    /// A layer each of whose rows reads all of some rows of another.
    pub fn gather(
        &mut self,
        layer: u32,
        tasks: u32,
        (over, first, count): (u32, u32, u32),
        wanted: bool,
    ) {
        for row in 0..tasks {
            let reads = (first..first + count).map(|row| (over, row)).collect();
            self.graph.rows.insert((layer, row), (0, reads));
        }
        self.submit(&[LayerSpec {
            layer,
            kind: LayerKind::Blockwise,
            tasks,
            function: 1,
            flags: u8::from(wanted),
            inputs: &[InputSpec {
                count,
                ..spec(over, first, true)
            }],
            ..LayerSpec::default()
        }]);
    }

    /// A tree over rows `first` … of a layer; returns its number of rows.
    pub fn tree(&mut self, layer: u32, over: u32, first: u32, fan_in: u32, wanted: bool) -> u32 {
        let mut level: Vec<(u32, u32)> = (first..self.graph.rows_of(over))
            .map(|row| (over, row))
            .collect();
        let mut tasks = 0;
        while !level.is_empty() {
            level = level
                .chunks(fan_in as usize)
                .map(|reads| {
                    self.graph.rows.insert((layer, tasks), (0, reads.to_vec()));
                    tasks += 1;
                    (layer, tasks - 1)
                })
                .collect();
            if level.len() == 1 {
                break;
            }
        }
        self.submit(&[LayerSpec {
            layer,
            kind: LayerKind::TreeReduce,
            tasks,
            function: 1,
            fan_in,
            flags: u8::from(wanted),
            inputs: &[spec(over, first, false)],
            ..LayerSpec::default()
        }]);
        tasks
    }

    /// Rows whose values the client scatters.
    pub fn data(&mut self, layer: u32, tasks: u32) {
        for row in 0..tasks {
            self.graph.rows.insert((layer, row), (100, Vec::new()));
        }
        self.submit(&[LayerSpec {
            layer,
            kind: LayerKind::Data,
            tasks,
            data_codec: 5,
            ..LayerSpec::default()
        }]);
    }
}

pub fn spec(layer: u32, first: u32, broadcast: bool) -> InputSpec {
    InputSpec {
        layer,
        first,
        part: WHOLE,
        broadcast,
        count: 0,
    }
}
