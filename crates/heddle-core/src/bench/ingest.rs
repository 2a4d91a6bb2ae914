//! Ingestion: an explicit graph of n rows with two inputs each, all wanted, from columns into an engine.

use crate::bench::graph::{CLIENT, Graph, Shape};
use crate::column::{U32s, u32_bytes};
use crate::event::{Event, FunctionDefined, LayerKind, LayerSpec, Submit};
use crate::id::Millis;
use crate::{CheckLevel, Config, Engine, Out};

/// Columns and an engine that waits for them.
#[derive(Debug)]
pub struct Ingest {
    offsets: Vec<u8>,
    indices: Vec<u8>,
    tasks: u32,
    engine: Engine,
    out: Out,
}

impl Ingest {
    /// Describes a graph of `tasks` rows. The clock starts after this.
    pub fn new(tasks: u32) -> Ingest {
        let graph = Graph::new(Shape::Random, tasks);
        let offsets: Vec<u32> = std::iter::once(0)
            .chain(graph.ends.iter().copied())
            .collect();
        let mut engine = Engine::new(Config {
            epoch: 1,
            check: CheckLevel::default(),
        });
        let mut out = Out::new();
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
        for event in [joined, function] {
            let taken = engine.apply(Millis(0), event, &mut out);
            assert!(taken.is_ok(), "{taken:?}");
        }
        Ingest {
            offsets: u32_bytes(&offsets),
            indices: u32_bytes(&graph.inputs),
            tasks: graph.tasks,
            engine,
            out,
        }
    }

    /// Submits it: validated, laid out, demanded. Returns the rows the engine then knows.
    pub fn run(&mut self) -> u64 {
        let layer = LayerSpec {
            layer: 1,
            kind: LayerKind::Explicit,
            tasks: self.tasks,
            function: 1,
            flags: 1,
            dep_offsets: U32s::new(&self.offsets),
            dep_layer: 1,
            dep_indices: U32s::new(&self.indices),
            ..LayerSpec::default()
        };
        let submit = Event::GraphSubmitted(Submit {
            client: CLIENT,
            graph: 1,
            layers: &[layer],
        });
        let taken = self.engine.apply(Millis(0), submit, &mut self.out);
        assert!(taken.is_ok(), "{taken:?}");
        self.engine.stats().states.iter().sum()
    }

    /// The engine with the graph in it.
    pub fn engine(self) -> Engine {
        self.engine
    }
}
