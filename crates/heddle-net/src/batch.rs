//! What one turn received.

use crate::part::Part;
use crate::peers::PeerId;

/// What was received. Reuse one batch for every turn: it keeps its capacity, so a turn allocates
/// nothing per message or part.
#[derive(Debug, Default)]
pub struct Batch {
    /// The parts of all messages, in order.
    parts: Vec<Part>,
    events: Vec<Event>,
}

#[derive(Debug)]
struct Event {
    peer: PeerId,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// So many of `parts`, after those of the messages before it.
    Message(usize),
    Gone,
    Violation,
}

/// One thing that happened on the socket, in order of arrival per peer.
#[derive(Debug)]
pub enum Inbound<'a> {
    /// A message of at least one part. Move a part out with `std::mem::take` to keep it.
    Message {
        /// Who sent it.
        peer: PeerId,
        /// Its parts, the routing id not among them.
        parts: &'a mut [Part],
    },
    /// The peer's connection ended; its id is never used again.
    PeerGone {
        /// Who left.
        peer: PeerId,
    },
    /// A message of more parts than `Limits::parts_max` came and was discarded.
    Violation {
        /// Who sent it.
        peer: PeerId,
    },
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything received by the last [`Router::receive`](crate::Router::receive), in order.
    pub fn drain(&mut self) -> impl Iterator<Item = Inbound<'_>> {
        let mut rest = self.parts.as_mut_slice();
        self.events.drain(..).map(move |event| match event.kind {
            Kind::Message(count) => {
                let (parts, after) = std::mem::take(&mut rest).split_at_mut(count);
                rest = after;
                Inbound::Message {
                    peer: event.peer,
                    parts,
                }
            }
            Kind::Gone => Inbound::PeerGone { peer: event.peer },
            Kind::Violation => Inbound::Violation { peer: event.peer },
        })
    }

    /// Whether the last receive brought nothing (or it was drained).
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.events.clear();
        self.parts.clear();
    }

    pub(crate) fn push_gone(&mut self, peer: PeerId) {
        self.events.push(Event {
            peer,
            kind: Kind::Gone,
        });
    }

    pub(crate) fn push_violation(&mut self, peer: PeerId) {
        self.events.push(Event {
            peer,
            kind: Kind::Violation,
        });
    }

    /// Room for one more part of the message being received.
    pub(crate) fn next_part(&mut self) -> &mut Part {
        self.parts.push(Part::default());
        self.parts.last_mut().expect("just pushed")
    }

    pub(crate) fn parts_len(&self) -> usize {
        self.parts.len()
    }

    /// Ends the message whose parts start at `first`.
    pub(crate) fn push_message(&mut self, peer: PeerId, first: usize) {
        self.events.push(Event {
            peer,
            kind: Kind::Message(self.parts.len() - first),
        });
    }

    /// Forgets the parts from `first` on: their message is not for the caller.
    pub(crate) fn discard_from(&mut self, first: usize) {
        self.parts.truncate(first);
    }
}
