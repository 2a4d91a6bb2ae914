//! A graph of explicit edges taken into the engine: validated, stored both ways, ordered.

use heddle_core::column::{U32s, u32_bytes};
use heddle_core::event::{LayerKind, LayerSpec, Submit};
use heddle_core::id::Millis;
use heddle_core::out::Message;
use heddle_core::{Engine, Event, Out};

use crate::engine_run::{CLIENT, FUNCTION, WANTED, new_engine};
use crate::graph::Csr;

/// An engine with one client, and a graph to submit once.
#[derive(Debug)]
pub struct IngestRun {
    engine: Engine,
    graph: ExplicitLayer,
    out: Out,
}

impl IngestRun {
    /// `tasks` rows with two inputs each.
    pub fn random(tasks: u32) -> Self {
        Self {
            engine: new_engine(),
            graph: ExplicitLayer::new(&Csr::random(tasks)),
            out: Out::new(),
        }
    }

    /// Submits; gives whether the engine took the graph. No worker is there, so nothing is assigned.
    pub fn run(&mut self) -> bool {
        self.out.clear();
        let accepted = |message: &Message| matches!(message, Message::Accepted { .. });
        self.graph.submit(&mut self.engine, &mut self.out) && self.out.messages.iter().any(accepted)
    }
}

/// A graph as the columns of one submitted layer.
#[derive(Debug)]
pub(crate) struct ExplicitLayer {
    rows: u32,
    dep_offsets: Vec<u8>,
    dep_indices: Vec<u8>,
}

impl ExplicitLayer {
    pub(crate) fn new(graph: &Csr) -> Self {
        Self {
            rows: graph.rows() as u32,
            dep_offsets: u32_bytes(&graph.offsets),
            dep_indices: u32_bytes(&graph.inputs),
        }
    }

    /// Gives whether the engine found the event well formed.
    pub(crate) fn submit(&self, engine: &mut Engine, out: &mut Out) -> bool {
        let layer = LayerSpec {
            layer: 1,
            kind: LayerKind::Explicit,
            tasks: self.rows,
            name: "random",
            function: FUNCTION,
            flags: WANTED,
            dep_offsets: U32s::new(&self.dep_offsets),
            dep_layer: 1,
            dep_indices: U32s::new(&self.dep_indices),
            ..LayerSpec::default()
        };
        let submit = Event::GraphSubmitted(Submit {
            client: CLIENT,
            graph: 1,
            layers: &[layer],
        });
        engine.apply(Millis(0), submit, out).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graph_is_taken_once() {
        let mut run = IngestRun::random(1_000);
        assert!(run.run());
        assert!(!run.run(), "the same layer number again");
    }
}
