//! Graphs that clients keep here, to submit them again by number.

use std::collections::BTreeMap;

use heddle_core::Event;
use heddle_core::column::{U32s, u32_bytes};
use heddle_core::event::Demand;
use heddle_core::fault::{self, Fault};
use heddle_core::id::ClientId;
use heddle_core::limits::{TEMPLATES_BYTES_MAX, TEMPLATES_PER_CLIENT_MAX};
use heddle_core::out::Message;
use heddle_wire::{Aligned, Instance, KeptGraph, TemplateFrame};

/// What follows from a frame.
pub(crate) enum Step<'a> {
    /// For the engine.
    Event(Event<'a>),
    /// For the client.
    Answer(Message),
}

/// The kept graphs of all clients.
#[derive(Debug, Default)]
pub(crate) struct Templates {
    clients: BTreeMap<ClientId, BTreeMap<u32, KeptGraph>>,
    aligned: Aligned,
}

impl Templates {
    /// How many are kept.
    pub fn count(&self) -> u64 {
        self.clients.values().map(|kept| kept.len() as u64).sum()
    }

    /// Bytes they take.
    pub fn bytes(&self) -> u64 {
        self.clients
            .values()
            .map(|kept| bytes_of(kept) as u64)
            .sum()
    }

    /// Forgets those of clients that are gone.
    pub fn retain(&mut self, is_there: impl Fn(ClientId) -> bool) {
        self.clients.retain(|&client, _| is_there(client));
    }

    /// Does what a frame says; `then` is handed what follows, in order.
    pub fn take(
        &mut self,
        client: ClientId,
        frame: TemplateFrame<'_>,
        mut then: impl FnMut(Step<'_>),
    ) {
        match frame {
            TemplateFrame::Define {
                template,
                graph,
                kept,
            } => then(Step::Answer(self.define(client, template, graph, kept))),
            TemplateFrame::Run(instance) => self.run(client, &instance, then),
            TemplateFrame::Drop(template) => {
                if let Some(kept) = self.clients.get_mut(&client) {
                    kept.remove(&template);
                }
            }
        }
    }

    fn define(&mut self, client: ClientId, number: u32, graph: u32, new: KeptGraph) -> Message {
        let kept = self.clients.entry(client).or_default();
        let full = kept.len() >= TEMPLATES_PER_CLIENT_MAX;
        if full || bytes_of(kept) + new.bytes() > TEMPLATES_BYTES_MAX {
            let message = format!(
                "a client keeps at most {TEMPLATES_PER_CLIENT_MAX} templates of {TEMPLATES_BYTES_MAX} bytes in all: \
                 drop some"
            );
            return refused(client, graph, fault::LIMIT_EXCEEDED, message);
        }
        kept.insert(number, new);
        Message::Accepted {
            client,
            graph,
            layers: Vec::new(),
            serials: Vec::new(),
        }
    }

    fn run(&mut self, client: ClientId, instance: &Instance<'_>, mut then: impl FnMut(Step<'_>)) {
        let number = instance.template;
        let kept = self.clients.get(&client).and_then(|kept| kept.get(&number));
        let Some(kept) = kept else {
            let message = format!("template {number} is not kept here: it was refused or dropped");
            let answer = refused(client, instance.graph, fault::GRAPH_INVALID, message);
            return then(Step::Answer(answer));
        };
        let submitted = kept.instance(client, instance, &mut self.aligned, |event| {
            then(Step::Event(event));
        });
        if let Err(error) = submitted {
            let message = error.to_string();
            let answer = refused(client, instance.graph, fault::GRAPH_INVALID, message);
            return then(Step::Answer(answer));
        }
        if kept.params() == 0 {
            return;
        }
        let columns = [instance.layer, 0, kept.params()].map(|number| u32_bytes(&[number]));
        then(Step::Event(Event::Released(Demand {
            client,
            layers: U32s::new(&columns[0]),
            starts: U32s::new(&columns[1]),
            counts: U32s::new(&columns[2]),
            reason: "",
        })));
    }
}

fn bytes_of(kept: &BTreeMap<u32, KeptGraph>) -> usize {
    kept.values().map(KeptGraph::bytes).sum()
}

fn refused(client: ClientId, graph: u32, code: &'static str, message: String) -> Message {
    Message::Refused {
        client,
        graph,
        fault: Fault {
            code,
            message,
            layer: 0,
            index: 0,
        },
    }
}
