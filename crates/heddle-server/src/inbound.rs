//! What arrived: opened, verified, allowed or refused, and handed to whom it concerns.

use heddle_core::column::U32s;
use heddle_core::id::{ClientId, ProcId};
use heddle_net::{Batch, Inbound as Arrival, Part, PeerId};
use heddle_wire::{Aligned, Frame, Heartbeat, Inbound, Sender, TemplateFrame, WireCode, decode};

use crate::cpu::Phase;
use crate::server::Loop;
use crate::sessions::{Role, Usage};
use crate::stages::Stage;
use crate::templates::Step;

impl Loop {
    /// Takes in all that one receive brought; gives how many things that was. Workers' frames come
    /// first: results free credit and heartbeats keep their sender alive, while a submission can
    /// be large. Frames of one peer stay in order, because a peer is a worker or is not.
    pub(crate) fn take_in(&mut self, batch: &mut Batch, aligned: &mut Aligned) -> usize {
        let mut taken = 0;
        let mut later = Vec::new();
        for arrival in batch.drain() {
            taken += 1;
            match arrival {
                Arrival::Message { peer, parts } if self.is_worker(peer) => {
                    self.frame(peer, parts, aligned);
                }
                Arrival::PeerGone { peer } if self.is_worker(peer) => self.lost(peer),
                arrival => later.push(arrival),
            }
        }
        for arrival in later {
            match arrival {
                Arrival::Message { peer, parts } => self.frame(peer, parts, aligned),
                Arrival::PeerGone { peer } => self.lost(peer),
                Arrival::Violation { peer } => {
                    self.reject(peer, "ERR_PROTOCOL", "a message of too many parts");
                }
            }
        }
        self.cpu.lap(Phase::Receive);
        taken
    }

    fn is_worker(&mut self, peer: PeerId) -> bool {
        self.sessions
            .get(peer)
            .is_some_and(|s| matches!(s.role, Role::Worker(_)))
    }

    fn frame(&mut self, peer: PeerId, parts: &[Part], aligned: &mut Aligned) {
        if self.outgoing.refuses(peer) {
            return;
        }
        let now = self.now.0;
        let sender = match self.sessions.get(peer) {
            None => Sender::New,
            Some(session) => {
                session.heard_ms = now;
                match &session.role {
                    Role::Client(client) => Sender::Client(ClientId(client.client)),
                    Role::Worker(worker) => Sender::Worker(ProcId(worker.proc)),
                }
            }
        };
        let outcome = Frame::open(parts, aligned).and_then(|frame| {
            // A frame of another epoch was meant for a former scheduler at this address. Hello has
            // none.
            if frame.epoch() != self.epoch && frame.epoch() != 0 {
                self.counters.stale += 1;
                return Ok(());
            }
            decode(&frame, sender, |inbound| {
                if self.recorder.is_on()
                    && matches!(inbound, Inbound::Event(_) | Inbound::Template(_))
                {
                    self.recorder.frame(self.now, sender, parts);
                }
                if let (true, Sender::Worker(proc)) = (self.tracer.is_on(), sender) {
                    self.tracer.frame(&self.engine, proc, &frame);
                }
                self.meaning(peer, inbound);
            })
        });
        if let Err(error) = outcome {
            let text = match error.code {
                WireCode::Version => version_text(parts),
                WireCode::Protocol | WireCode::Limit => error.to_string(),
            };
            self.reject(peer, error.code.as_str(), &text);
        }
    }

    fn meaning(&mut self, peer: PeerId, inbound: Inbound<'_>) {
        if matches!(
            inbound,
            Inbound::Event(_) | Inbound::Query(_) | Inbound::Template(_)
        ) && let Some(client) = self.sessions.client_of(peer)
        {
            client.received += 1;
        }
        match inbound {
            Inbound::Event(event) => {
                let ingested = self.cpu.lap(Phase::Receive);
                self.stages.event(&event);
                self.apply(Some(peer), event);
                let applied = self.cpu.lap(Phase::Apply);
                self.stages.record(Stage::Ingest, ingested);
                self.stages.record(Stage::Apply, applied);
            }
            Inbound::Template(frame) => self.template(peer, frame),
            Inbound::Heartbeat(heartbeat) => self.heartbeat(peer, &heartbeat),
            Inbound::Hello(hello) => self.hello(peer, &hello),
            Inbound::Bye(bye) => self.bye(peer, &bye),
            Inbound::Leftover => self.counters.stale += 1,
            Inbound::Query(query) => self.query(peer, &query),
        }
    }

    fn template(&mut self, peer: PeerId, frame: TemplateFrame<'_>) {
        let ingested = self.cpu.lap(Phase::Receive);
        let Some(client) = self.sessions.client_of(peer).map(|s| ClientId(s.client)) else {
            return;
        };
        let mut templates = std::mem::take(&mut self.templates);
        templates.take(client, frame, |step| match step {
            Step::Event(event) => {
                self.stages.event(&event);
                self.apply(Some(peer), event);
            }
            Step::Answer(message) => self.out.messages.push(message),
        });
        self.templates = templates;
        let applied = self.cpu.lap(Phase::Apply);
        self.stages.record(Stage::Ingest, ingested);
        self.stages.record(Stage::Apply, applied);
    }

    /// A heartbeat is answered, so that the peer knows the same of this side. A client also learns what
    /// arrived; one that was given up, while it was blocked or its connection was broken, learns that
    /// nobody is known here, and greets again. A worker never returns.
    fn heartbeat(&mut self, peer: PeerId, heartbeat: &Heartbeat<'_>) {
        let mut answer = Heartbeat::default();
        match self.sessions.get(peer).map(|session| &mut session.role) {
            Some(Role::Worker(worker)) => {
                answer.peer = worker.proc;
                let cells = U32s::new(heartbeat.stage_cells);
                let counts = U32s::new(heartbeat.stage_counts);
                worker.stages.learn(cells, counts);
                worker.beats += 1;
                worker.usage = Usage {
                    rss_bytes: heartbeat.rss_bytes,
                    stored_bytes: heartbeat.stored_bytes,
                    fetched_bytes: heartbeat.fetched_bytes,
                    cpu_compute_ns: heartbeat.cpu_compute_ns,
                    cpu_lane_ns: heartbeat.cpu_lane_ns,
                    cpu_main_ns: heartbeat.cpu_main_ns,
                    layers: heartbeat.layers,
                    loop_lag_us: heartbeat.loop_lag_us,
                };
            }
            Some(Role::Client(client)) => {
                answer.peer = client.client;
                answer.received = client.received as f64;
                client.answers.confirm(heartbeat.answered);
            }
            None if heartbeat.incarnation == 0 => self.counters.stale += 1,
            None => return self.reject(peer, "ERR_PROTOCOL", "a worker says hello first"),
        }
        self.outgoing.heartbeat(peer, &answer);
    }
}

/// What to say to a peer of another major version: both versions.
fn version_text(parts: &[Part]) -> String {
    let theirs = parts
        .first()
        .and_then(|part| part.get(2))
        .copied()
        .unwrap_or(0);
    format!(
        "this peer speaks protocol version {theirs}, the scheduler speaks version {}: install the \
         same version of heddle on both sides",
        heddle_wire::limits::PROTOCOL_MAJOR
    )
}
