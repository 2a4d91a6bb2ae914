//! What the engine wants told: encoded once per peer and turn, then sent.

use heddle_core::Engine;
use heddle_core::id::{ClientId, Millis, ProcId};
use heddle_core::out::{Message, ProcOut};
use heddle_core::view::ProcView;
use heddle_net::{Part, PeerId, SendOutcome};
use heddle_wire::{Encoder, Heartbeat, OutFrame, Welcome};

use crate::error::ServerError;
use crate::notices::Notice;
use crate::server::Loop;
use crate::sessions::Sessions;

/// About how many bytes of values one Update carries: the client works on the first while the next
/// is written.
const UPDATE_BYTES: usize = 512 << 10;
/// Below this a copy is cheaper than handing over an allocation.
const COPY_BYTES_MAX: usize = 512;

/// Frames of this turn, in the order they will be sent.
#[derive(Debug)]
pub(crate) struct Outgoing {
    encoder: Encoder,
    frames: Vec<(PeerId, OutFrame)>,
    /// Peers to be ignored once they were told why.
    drops: Vec<PeerId>,
}

impl Outgoing {
    pub fn new(epoch: u32) -> Self {
        Self {
            encoder: Encoder::new(epoch),
            frames: Vec::new(),
            drops: Vec::new(),
        }
    }

    pub fn welcome(&mut self, to: PeerId, welcome: &Welcome<'_>) {
        let frame = self.encoder.welcome(welcome);
        self.frames.push((to, frame));
    }

    pub fn heartbeat(&mut self, to: PeerId) {
        let frame = self.encoder.heartbeat(&Heartbeat::default());
        self.frames.push((to, frame));
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

    /// Whether the peer was refused in this turn.
    pub fn refuses(&self, peer: PeerId) -> bool {
        self.drops.contains(&peer)
    }

    pub fn clear(&mut self) {
        self.frames.clear();
        self.drops.clear();
    }

    fn message(&mut self, sessions: &Sessions, message: &Message) {
        match message {
            Message::Accepted {
                client,
                graph,
                layers,
                serials,
            } => {
                let Some(peer) = sessions.client(*client) else {
                    return;
                };
                let frame = self.encoder.accepted(*graph, layers, serials);
                self.frames.push((peer, frame));
            }
            Message::Refused {
                client,
                graph,
                fault,
            } => {
                let Some(peer) = sessions.client(*client) else {
                    return;
                };
                let (code, text) = (fault.code, &fault.message);
                let frame = self
                    .encoder
                    .refused(*graph, code, text, fault.layer, fault.index);
                self.frames.push((peer, frame));
            }
            // Notices wait: see `encode_effects`.
            Message::Notice { .. } => {}
        }
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

    /// Definitions stand before the first record that needs them; values are freed before new
    /// records arrive.
    fn proc(&mut self, engine: &Engine, peer: PeerId, out: &ProcOut) {
        let Self {
            encoder, frames, ..
        } = self;
        if !out.peers.is_empty() || !out.gone.is_empty() {
            frames.push((peer, encoder.peers(&views(engine, &out.peers), &out.gone)));
        }
        for function in out
            .functions
            .iter()
            .filter_map(|&serial| engine.function(serial))
        {
            frames.push((peer, encoder.define_function(&function)));
        }
        for layer in out.layers.iter().filter_map(|&serial| engine.layer(serial)) {
            frames.push((peer, encoder.define_layer(&layer)));
        }
        if !out.free.starts.is_empty() {
            frames.push((peer, encoder.free(out.proc, out.incarnation, &out.free)));
        }
        if !out.retract.is_empty() {
            frames.push((
                peer,
                encoder.retract(out.proc, out.incarnation, &out.retract),
            ));
        }
        encoder.assign(out.proc, out.incarnation, out.assign(), |frame| {
            frames.push((peer, frame))
        });
    }
}

fn views<'a>(engine: &'a Engine, procs: &[ProcId]) -> Vec<ProcView<'a>> {
    procs.iter().filter_map(|&proc| engine.proc(proc)).collect()
}

impl Loop {
    /// Encodes the effects of this turn.
    pub(crate) fn encode_effects(&mut self) {
        let patience_ms = u64::from(self.config.no_workers_notice_ms);
        for message in &self.out.messages {
            if let Message::Notice {
                client,
                code,
                message,
                cleared,
            } = message
            {
                let (client, message, cleared) = (*client, message.clone(), *cleared);
                let notice = Notice {
                    client,
                    code,
                    message,
                    cleared,
                };
                let due = Millis(self.now.0 + patience_ms);
                if let Some(notice) = self.notices.take(notice, due) {
                    self.outgoing.notice(&self.sessions, &notice);
                }
            } else {
                self.outgoing.message(&self.sessions, message);
            }
        }
        while let Some(notice) = self.notices.next_due(self.now) {
            self.outgoing.notice(&self.sessions, &notice);
        }
        for out in self.out.procs() {
            if let Some(peer) = self.sessions.proc(out.proc) {
                self.outgoing.proc(&self.engine, peer, out);
            }
        }
        self.out.clear();
        let due: Vec<ClientId> = self.engine.updates_due().collect();
        for client in due {
            self.encode_updates(client);
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

    /// Hands the frames of this turn to the sockets. A blocked peer's frames wait in its outbox.
    pub(crate) fn send_all(&mut self) -> Result<(), ServerError> {
        let mut overfull = Vec::new();
        let mut parts = Vec::new();
        for (peer, frame) in self.outgoing.frames.drain(..) {
            parts.clear();
            parts.push(part(frame.head));
            parts.extend(frame.payload.into_iter().map(part));
            match self.router.send(peer, &mut parts)? {
                // The notice that a peer is gone follows what it still sent.
                SendOutcome::Sent | SendOutcome::Blocked | SendOutcome::Gone => {}
                SendOutcome::Full => overfull.push(peer),
            }
        }
        for peer in self.outgoing.drops.drain(..) {
            self.router.drop_peer(peer);
        }
        // Such a peer has read nothing for a very long time: it is as good as lost.
        for peer in overfull {
            self.router.drop_peer(peer);
            self.lost(peer);
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
