//! Who is connected, and what waits to be sent to those that are blocked.

use std::collections::{HashMap, VecDeque};

use crate::part::Part;

/// Names one connection of one peer: a slot and how often the slot was used before. Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerId {
    slot: u32,
    generation: u32,
}

impl PeerId {
    /// The slot: small and dense among live peers, so it can index the caller's own table. A slot
    /// is used again after its peer has gone; compare the whole id.
    pub fn slot(self) -> usize {
        self.slot as usize
    }
}

/// Messages for a peer whose pipe is full, in order.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    messages: VecDeque<Vec<Part>>,
    pub bytes: usize,
}

impl Outbox {
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub fn push(&mut self, parts: Vec<Part>) {
        self.bytes += size(&parts);
        self.messages.push_back(parts);
    }

    pub fn front(&mut self) -> Option<&mut Vec<Part>> {
        self.messages.front_mut()
    }

    /// Forgets the first message, of `bytes` bytes, which has been sent.
    pub fn pop(&mut self, bytes: usize) {
        self.messages.pop_front();
        self.bytes -= bytes;
    }
}

/// Bytes of a message's parts.
pub(crate) fn size(parts: &[Part]) -> usize {
    parts.iter().map(|part| part.len()).sum()
}

#[derive(Debug)]
pub(crate) struct Peer {
    pub routing_id: Box<[u8]>,
    /// Place in the CURVE allow-list.
    pub client: Option<usize>,
    /// Ignored until its connection ends.
    pub dropped: bool,
    pub outbox: Outbox,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    peer: Option<Peer>,
}

/// The live peers. Invariant: `by_routing_id` holds exactly the routing ids of occupied slots.
#[derive(Debug)]
pub(crate) struct Peers {
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_routing_id: HashMap<Box<[u8]>, u32>,
    /// The peer found last: under load frames of one peer arrive in runs.
    last: u32,
    max: usize,
}

impl Peers {
    pub fn new(max: usize) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            by_routing_id: HashMap::new(),
            last: 0,
            max,
        }
    }

    fn id(&self, slot: u32) -> PeerId {
        PeerId {
            slot,
            generation: self.slots[slot as usize].generation,
        }
    }

    pub fn find(&mut self, routing_id: &[u8]) -> Option<PeerId> {
        let last = self
            .slots
            .get(self.last as usize)
            .and_then(|slot| slot.peer.as_ref());
        if last.is_some_and(|peer| *peer.routing_id == *routing_id) {
            return Some(self.id(self.last));
        }
        self.last = *self.by_routing_id.get(routing_id)?;
        Some(self.id(self.last))
    }

    /// Gives an unknown routing id a slot; `None` when all are taken.
    pub fn insert(&mut self, routing_id: &[u8], client: Option<usize>) -> Option<PeerId> {
        if self.by_routing_id.len() >= self.max {
            return None;
        }
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                let slot = u32::try_from(self.slots.len()).ok()?;
                self.slots.push(Slot {
                    generation: 0,
                    peer: None,
                });
                slot
            }
        };
        let routing_id: Box<[u8]> = routing_id.into();
        let previous = self.by_routing_id.insert(routing_id.clone(), slot);
        assert!(previous.is_none(), "a routing id has one slot");
        let outbox = Outbox::default();
        self.slots[slot as usize].peer = Some(Peer {
            routing_id,
            client,
            dropped: false,
            outbox,
        });
        Some(self.id(slot))
    }

    pub fn get(&self, id: PeerId) -> Option<&Peer> {
        let slot = self.slots.get(id.slot())?;
        if slot.generation == id.generation {
            slot.peer.as_ref()
        } else {
            None
        }
    }

    pub fn get_mut(&mut self, id: PeerId) -> Option<&mut Peer> {
        let slot = self.slots.get_mut(id.slot())?;
        if slot.generation == id.generation {
            slot.peer.as_mut()
        } else {
            None
        }
    }

    /// Frees the peer's slot. A slot whose generations are used up is never handed out again.
    pub fn remove(&mut self, id: PeerId) -> Option<Peer> {
        let slot = self
            .slots
            .get_mut(id.slot())
            .filter(|s| s.generation == id.generation)?;
        let peer = slot.peer.take()?;
        self.by_routing_id.remove(&peer.routing_id);
        if slot.generation < u32::MAX {
            slot.generation += 1;
            self.free.push(id.slot);
        }
        Some(peer)
    }

    pub fn iter(&self) -> impl Iterator<Item = (PeerId, &Peer)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let id = PeerId {
                slot: index as u32,
                generation: slot.generation,
            };
            slot.peer.as_ref().map(|peer| (id, peer))
        })
    }

    pub fn len(&self) -> usize {
        self.by_routing_id.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reused_slot_is_another_peer() {
        let mut peers = Peers::new(2);
        let a = peers.insert(b"a", None).unwrap();
        let b = peers.insert(b"b", Some(3)).unwrap();
        assert!(peers.insert(b"c", None).is_none(), "at most two");
        assert_eq!((peers.find(b"a"), peers.find(b"b")), (Some(a), Some(b)));
        assert!(peers.remove(a).is_some() && peers.remove(a).is_none());
        assert_eq!(peers.find(b"a"), None);
        let c = peers.insert(b"c", None).unwrap();
        assert_eq!(c.slot(), a.slot());
        assert!(c != a && peers.get(a).is_none() && peers.get(c).is_some());
        assert_eq!(peers.iter().map(|(id, _)| id).collect::<Vec<_>>(), [c, b]);
        assert_eq!(peers.len(), 2);
    }
}
