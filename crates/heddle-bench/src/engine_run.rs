//! The engine without sockets: a graph submitted, two workers of one lane each that answer every assignment at once,
//! until no task is left. All that happens goes through `Engine::apply`.

use heddle_core::column::U32s;
use heddle_core::event::{
    DoneSection, Fence, FunctionDefined, InputSpec, LayerKind, LayerSpec, ProcJoined, Submit, WHOLE,
};
use heddle_core::id::{ClientId, Incarnation, LayerSerial, Millis, ProcId};
use heddle_core::out::ProcOut;
use heddle_core::{CheckLevel, Config, Engine, Event, Out};

use crate::graph::{Csr, FAN_IN, leaves};
use crate::ingest::ExplicitLayer;

const EPOCH: u32 = 1;
pub(crate) const CLIENT: ClientId = ClientId(1);
pub(crate) const FUNCTION: u32 = 1;
/// `LayerSpec::flags`: the client wants the rows.
pub(crate) const WANTED: u8 = 1;
const PROCS: u32 = 2;
/// Row data and results are columns of doubles.
const F64: u8 = 1;
const F64_BYTES: u32 = 8;

/// What the graph looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One layer of independent tasks, each with 8 bytes of row data; all results wanted.
    Map,
    /// Such a layer and a binary reduction over it; only the root wanted.
    Tree,
    /// Explicit edges, two inputs each drawn from all rows before; all results wanted.
    Random,
}

/// An engine and a graph to run once.
#[derive(Debug)]
pub struct EngineRun {
    engine: Engine,
    shape: Shape,
    /// Asked for; a tree has nearly as many.
    asked: u32,
    data: Vec<u8>,
    out: Out,
    replies: Replies,
    turns: u64,
}

impl EngineRun {
    /// Prepares. A random graph is submitted now: taking it in is measured by [`IngestRun`](crate::IngestRun). The
    /// others are submitted by `run`, for their rows come to be while they run.
    pub fn new(shape: Shape, tasks: u32) -> Self {
        let mut run = Self {
            engine: new_engine(),
            shape,
            asked: tasks,
            data: match shape {
                Shape::Map => vec![0; tasks as usize * F64_BYTES as usize],
                Shape::Tree => vec![0; leaves(tasks) as usize * F64_BYTES as usize],
                Shape::Random => Vec::new(),
            },
            out: Out::new(),
            replies: Replies::default(),
            turns: 0,
        };
        if shape == Shape::Random {
            let graph = ExplicitLayer::new(&Csr::random(tasks));
            let taken = graph.submit(&mut run.engine, &mut run.out);
            assert!(taken, "the engine takes a well-formed graph");
        }
        run
    }

    /// Rows of the graph.
    pub fn tasks(&self) -> u32 {
        match self.shape {
            Shape::Map | Shape::Random => self.asked,
            Shape::Tree => Csr::tree(self.asked).rows() as u32,
        }
    }

    /// Runs everything; gives the number of tasks the engine says were completed.
    pub fn run(&mut self) -> u64 {
        for proc in 1..=PROCS {
            self.apply(Event::ProcJoined(ProcJoined {
                proc: ProcId(proc),
                incarnation: Incarnation(proc),
                host: "bench",
                name: "bench",
                lanes: 1,
                data_address: "",
                memory_bytes: 0,
            }));
        }
        match self.shape {
            Shape::Map => self.submit_regular(self.asked, WANTED),
            Shape::Tree => self.submit_regular(leaves(self.asked), 0),
            Shape::Random => {}
        }
        let mut next = Out::new();
        while self
            .out
            .procs()
            .iter()
            .any(|proc| !proc.assign().is_empty())
        {
            self.turns += 1;
            for proc in self.out.procs() {
                self.replies
                    .answer(&mut self.engine, Millis(self.turns), proc, &mut next);
            }
            self.out.clear();
            std::mem::swap(&mut self.out, &mut next);
        }
        self.engine.stats().tasks_completed
    }

    /// The engine's digest: equal after equal runs.
    pub fn digest(&self) -> u64 {
        self.engine.digest()
    }

    fn apply(&mut self, event: Event<'_>) {
        let applied = self.engine.apply(Millis(self.turns), event, &mut self.out);
        assert!(applied.is_ok(), "a workload's events are well formed");
    }

    /// A map layer and, when its own rows are not wanted, the reduction over it.
    fn submit_regular(&mut self, rows: u32, flags: u8) {
        let data = std::mem::take(&mut self.data);
        let map = LayerSpec {
            layer: 1,
            kind: LayerKind::Map,
            tasks: rows,
            name: "map",
            function: FUNCTION,
            flags,
            data_codec: F64,
            data_stride: F64_BYTES,
            data: Some(&data),
            ..LayerSpec::default()
        };
        let over_map = [InputSpec {
            layer: 1,
            first: 0,
            part: WHOLE,
            broadcast: false,
        }];
        let reduce = LayerSpec {
            layer: 2,
            kind: LayerKind::TreeReduce,
            tasks: Csr::tree(self.asked).rows() as u32 - rows,
            name: "reduce",
            function: FUNCTION,
            inputs: &over_map,
            fan_in: FAN_IN,
            ..LayerSpec::default()
        };
        let layers = [map, reduce];
        let layers = &layers[..if self.shape == Shape::Tree { 2 } else { 1 }];
        self.apply(Event::GraphSubmitted(Submit {
            client: CLIENT,
            graph: 1,
            layers,
        }));
        if self.shape == Shape::Tree {
            self.want_root(reduce.tasks - 1);
        }
    }

    fn want_root(&mut self, root: u32) {
        let column = |item: u32| item.to_le_bytes();
        let (layer, start, count) = (column(2), column(root), column(1));
        self.apply(Event::Wanted(heddle_core::event::Demand {
            client: CLIENT,
            layers: U32s::new(&layer),
            starts: U32s::new(&start),
            counts: U32s::new(&count),
            reason: "",
        }));
    }
}

/// An engine that knows one client and its one function.
pub(crate) fn new_engine() -> Engine {
    let mut engine = Engine::new(Config {
        epoch: EPOCH,
        check: CheckLevel::Light,
    });
    let joined = Event::ClientJoined {
        client: CLIENT,
        update_credit: 1,
    };
    let defined = Event::FunctionDefined(FunctionDefined {
        client: CLIENT,
        function: FUNCTION,
        hash: [7; 32],
        name: "bench",
        body: b"bench",
    });
    let mut out = Out::new();
    for event in [joined, defined] {
        let applied = engine.apply(Millis(0), event, &mut out);
        assert!(applied.is_ok(), "a workload's events are well formed");
    }
    engine
}

/// A worker that answers an assignment at once, each result 8 bytes. Buffers are reused.
#[derive(Debug, Default)]
struct Replies {
    indices: Vec<Vec<u8>>,
    values: Vec<u8>,
}

impl Replies {
    fn answer(&mut self, engine: &mut Engine, now: Millis, proc: &ProcOut, out: &mut Out) {
        let assigned = proc.assign();
        if assigned.is_empty() {
            return;
        }
        self.indices.resize_with(assigned.len(), Vec::new);
        let mut longest = 0;
        for (section, indices) in assigned.iter().zip(&mut self.indices) {
            indices.clear();
            indices.extend(section.indices.iter().flat_map(|index| index.to_le_bytes()));
            longest = longest.max(section.count);
        }
        let bytes = longest as usize * F64_BYTES as usize;
        if self.values.len() < bytes {
            self.values.resize(bytes, 0);
        }
        let sections: Vec<DoneSection<'_>> = assigned
            .iter()
            .zip(&self.indices)
            .map(|(section, indices)| DoneSection {
                lane: section.lane,
                lane_epoch: section.lane_epoch,
                serial: LayerSerial(section.serial),
                first: section.first,
                count: section.count,
                indices: U32s::new(indices),
                codec: F64,
                stride: F64_BYTES,
                values: &self.values[..section.count as usize * F64_BYTES as usize],
                // A microsecond each: short enough for the largest credit.
                duration_us: section.count,
                ..DoneSection::default()
            })
            .collect();
        let from = Fence {
            epoch: EPOCH,
            proc: proc.proc,
            incarnation: proc.incarnation,
        };
        let done = Event::Done {
            from,
            sections: &sections,
        };
        let applied = engine.apply(now, done, out);
        assert!(applied.is_ok(), "a workload's events are well formed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_completed_and_runs_are_equal() {
        for shape in [Shape::Map, Shape::Tree, Shape::Random] {
            let [mut first, mut second] =
                [EngineRun::new(shape, 5_000), EngineRun::new(shape, 5_000)];
            assert_eq!(first.run(), u64::from(first.tasks()), "{shape:?}");
            second.run();
            assert_eq!(first.digest(), second.digest(), "{shape:?}");
        }
    }
}
