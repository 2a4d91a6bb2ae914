//! What the engine wants told: encoded once per peer and turn, then sent.

use heddle_core::Engine;
use heddle_core::id::{ClientId, Millis, ProcId};
use heddle_core::out::{Message, ProcOut};
use heddle_core::view::ProcView;
use heddle_net::{Part, PeerId, SendOutcome};
use heddle_wire::{Encoder, Heartbeat, OutFrame, Welcome};

use crate::answers::Answers;
use crate::error::ServerError;
use crate::notices::Notice;
use crate::server::Loop;
use crate::sessions::Sessions;

/// About how many bytes of values one Update carries: the client works on the first while the next
/// is written.
pub(crate) const UPDATE_BYTES: usize = 512 << 10;
/// Below this a copy is cheaper than handing over an allocation.
const COPY_BYTES_MAX: usize = 512;

/// Frames of this turn, in the order they will be sent.
#[derive(Debug)]
pub(crate) struct Outgoing {
    encoder: Encoder,
    frames: Vec<(PeerId, OutFrame)>,
    /// Answers of the last turn, for this one.
    late: Vec<(PeerId, OutFrame)>,
    /// Peers to be ignored once they were told why.
    drops: Vec<PeerId>,
}

impl Outgoing {
    pub fn new(epoch: u32) -> Self {
        Self {
            encoder: Encoder::new(epoch),
            frames: Vec::new(),
            late: Vec::new(),
            drops: Vec::new(),
        }
    }

    pub fn welcome(&mut self, to: PeerId, welcome: &Welcome<'_>) {
        let frame = self.encoder.welcome(welcome);
        self.frames.push((to, frame));
    }

    pub fn heartbeat(&mut self, to: PeerId, beat: &Heartbeat<'_>) {
        let frame = self.encoder.heartbeat(beat);
        self.frames.push((to, frame));
    }

    /// Says answers again, to a client that has returned.
    pub fn answers(&mut self, to: PeerId, answers: &Answers) {
        self.frames
            .extend(answers.frames().map(|frame| (to, frame)));
    }

    pub fn reply(&mut self, to: PeerId, request: u32, body: &str) {
        let frame = self.encoder.reply(request, body);
        self.frames.push((to, frame));
    }

    pub fn bye(&mut self, to: PeerId, reason: &str) {
        let frame = self.encoder.bye(reason);
        self.frames.push((to, frame));
    }

    /// Says why the peer is refused; what it sends from now on is ignored.
    pub fn reject(&mut self, to: PeerId, code: &str, message: &str) {
        let frame = self.encoder.reject(code, message);
        self.frames.push((to, frame));
        self.drops.push(to);
    }

    /// Whether nothing waits to be sent.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty() && self.drops.is_empty()
    }

    /// Whether the peer was refused in this turn.
    pub fn refuses(&self, peer: PeerId) -> bool {
        self.drops.contains(&peer)
    }

    /// Whether answers wait for the next turn.
    pub fn has_late(&self) -> bool {
        !self.late.is_empty()
    }

    pub fn clear(&mut self) {
        self.frames.clear();
        self.late.clear();
        self.drops.clear();
    }

    fn notice(&mut self, sessions: &Sessions, notice: &Notice) {
        let to = match notice.client {
            Some(client) => sessions.client(client).into_iter().collect(),
            None => sessions.client_peers(),
        };
        for peer in to {
            let frame = self
                .encoder
                .notice(notice.code, &notice.message, notice.cleared);
            self.frames.push((peer, frame));
        }
    }

    fn proc(&mut self, engine: &Engine, peer: PeerId, out: &ProcOut) {
        let Self {
            encoder, frames, ..
        } = self;
        encode_proc(encoder, engine, out, |frame| frames.push((peer, frame)));
    }
}

/// Encodes what a worker is told. Definitions stand before the first record that needs them; values
/// are freed before new records arrive. Records stand before retractions: one turn may have sent and
/// taken back the same record, and an attempt that is sent again has another number. Definitions are
/// dropped behind all that may need them.
pub(crate) fn encode_proc(
    encoder: &mut Encoder,
    engine: &Engine,
    out: &ProcOut,
    mut push: impl FnMut(OutFrame),
) {
    if !out.peers.is_empty() || !out.gone.is_empty() {
        push(encoder.peers(&views(engine, &out.peers), &out.gone));
    }
    for function in out
        .functions
        .iter()
        .filter_map(|&serial| engine.function(serial))
    {
        push(encoder.define_function(&function));
    }
    for layer in out.layers.iter().filter_map(|&serial| engine.layer(serial)) {
        push(encoder.define_layer(&layer));
    }
    if !out.free.starts.is_empty() {
        push(encoder.free(out.proc, out.incarnation, &out.free));
    }
    encoder.assign(out.proc, out.incarnation, out.assign(), &mut push);
    if !out.retract.is_empty() {
        push(encoder.retract(out.proc, out.incarnation, &out.retract));
    }
    let (layers, functions) = (&out.forget_layers, &out.forget_functions);
    if !layers.is_empty() || !functions.is_empty() {
        push(encoder.forget(out.proc, out.incarnation, layers, functions));
    }
}

pub(crate) fn views<'a>(engine: &'a Engine, procs: &[ProcId]) -> Vec<ProcView<'a>> {
    procs.iter().filter_map(|&proc| engine.proc(proc)).collect()
}

impl Loop {
    /// Encodes what workers are to know and to do. It is sent before anything is encoded for
    /// clients: a worker can start meanwhile.
    pub(crate) fn encode_for_workers(&mut self) {
        for out in self.out.procs() {
            if let Some(peer) = self.sessions.proc(out.proc) {
                let records = out.assign().iter().map(|section| u64::from(section.count));
                self.stages.assigned(records.sum());
                self.outgoing.proc(&self.engine, peer, out);
            }
        }
    }

    /// Encodes what clients are told, and forgets the effects of this turn.
    ///
    /// Answers to graphs whose work has just gone out wait for the next turn, which is soon: they
    /// would wake clients while workers start, and then come again with results. A millisecond at
    /// most; never behind what is told of rows.
    pub(crate) fn encode_for_clients(&mut self) {
        let Outgoing { frames, late, .. } = &mut self.outgoing;
        frames.append(late);
        let earlier = frames.len();
        for message in std::mem::take(&mut self.out.messages) {
            self.encode_message(message);
        }
        let busy = self.out.procs().iter().any(|out| !out.assign().is_empty());
        if busy && self.engine.updates_due().next().is_none() {
            let Outgoing { frames, late, .. } = &mut self.outgoing;
            late.extend(frames.drain(earlier..));
        }
        self.out.clear();
        self.recorder.turn();
        self.tracer.turn();
        while let Some(notice) = self.notices.next_due(self.now) {
            self.outgoing.notice(&self.sessions, &notice);
        }
        let due: Vec<ClientId> = self.engine.updates_due().collect();
        for client in due {
            self.encode_updates(client);
        }
    }

    fn encode_message(&mut self, message: Message) {
        match message {
            Message::Accepted {
                client,
                graph,
                layers,
                serials,
            } => {
                let frame = self.outgoing.encoder.accepted(graph, &layers, &serials);
                self.answer(client, graph, frame);
            }
            Message::Refused {
                client,
                graph,
                fault,
            } => {
                let (code, text) = (fault.code, &fault.message);
                let encoder = &mut self.outgoing.encoder;
                let frame = encoder.refused(graph, code, text, fault.layer, fault.index);
                self.answer(client, graph, frame);
            }
            Message::Notice {
                client,
                code,
                message,
                cleared,
            } => {
                let due = Millis(self.now.0 + u64::from(self.config.no_workers_notice_ms));
                let notice = Notice {
                    client,
                    code,
                    message,
                    cleared,
                };
                if let Some(notice) = self.notices.take(notice, due) {
                    self.outgoing.notice(&self.sessions, &notice);
                }
            }
        }
    }

    fn answer(&mut self, client: ClientId, graph: u32, frame: OutFrame) {
        if let Some(peer) = self.sessions.keep_answer(client, graph, &frame) {
            self.outgoing.frames.push((peer, frame));
        }
    }

    /// Clients are told the present state of rows, so nothing is lost by waiting: a client that is
    /// blocked or out of credit costs no encoding.
    fn encode_updates(&mut self, client: ClientId) {
        let Some(peer) = self.sessions.client(client) else {
            return;
        };
        if !self.router.is_writable(peer) {
            return;
        }
        self.recorder.updated(client);
        while self
            .engine
            .next_update(client, UPDATE_BYTES, &mut self.update)
        {
            let peers = views(&self.engine, &self.update.peers);
            match self.outgoing.encoder.update(&self.update, &peers) {
                Ok(frame) => self.outgoing.frames.push((peer, frame)),
                // The engine stays within its bounds; anything else is a defect of ours.
                Err(error) => panic!("an update that cannot be sent: {error}"),
            }
        }
    }

    /// Hands encoded frames to the sockets. A blocked peer's frames wait in its outbox.
    pub(crate) fn send_all(&mut self) -> Result<(), ServerError> {
        let mut parts = Vec::new();
        for (peer, frame) in self.outgoing.frames.drain(..) {
            parts.clear();
            parts.push(part(frame.head));
            parts.extend(frame.payload.into_iter().map(part));
            match self.router.send(peer, &mut parts)? {
                // The notice that a peer is gone follows what it still sent.
                SendOutcome::Sent | SendOutcome::Blocked | SendOutcome::Gone => {}
                SendOutcome::Full => self.overfull.push(peer),
            }
        }
        for peer in self.outgoing.drops.drain(..) {
            self.router.drop_peer(peer);
        }
        Ok(())
    }
}

fn part(bytes: Vec<u8>) -> Part {
    if bytes.len() <= COPY_BYTES_MAX {
        Part::copy_from(&bytes)
    } else {
        Part::from_vec(bytes)
    }
}
