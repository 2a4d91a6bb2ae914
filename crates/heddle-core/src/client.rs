//! Clients: their names for things, what they have yet to be told, and how much they will hear.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::id::{ClientId, FunctionSerial, Millis, ProcId, TaskRef};

/// A client.
#[derive(Debug)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// Updates it takes before its next credit.
    pub update_credit: u32,
    /// The last update sent …
    pub seq_sent: u32,
    /// … and the last one it has digested.
    pub seq_digested: u32,
    /// Lost: when its demand ends.
    pub deadline: Option<Millis>,
    /// Layer slots by its numbers.
    pub layers: BTreeMap<u32, u32>,
    /// The highest layer number it ever used.
    pub layer_max: u32,
    /// Its functions by its numbers.
    pub functions: BTreeMap<u32, FunctionSerial>,
    /// Layers with something to tell.
    pub dirty: VecDeque<u32>,
    /// Procs whose addresses it was told.
    pub peers: BTreeSet<ProcId>,
    /// Explicit keys: definition and row.
    pub keys: BTreeMap<Box<str>, (u128, TaskRef)>,
    /// The explicit layer it appended to last: kept even when all its rows are forgotten.
    pub open_layer: Option<u32>,
    /// The graph it submitted last and its generation.
    pub graph: Option<(u32, u32)>,
    /// Was told that there are no workers.
    pub told_no_workers: bool,
}

impl Client {
    /// A client that just joined.
    pub fn new(id: ClientId, update_credit: u32) -> Client {
        Client {
            id,
            update_credit,
            seq_sent: 0,
            seq_digested: 0,
            deadline: None,
            layers: BTreeMap::new(),
            layer_max: 0,
            functions: BTreeMap::new(),
            dirty: VecDeque::new(),
            peers: BTreeSet::new(),
            keys: BTreeMap::new(),
            open_layer: None,
            graph: None,
            told_no_workers: false,
        }
    }

    /// True when it would take another update.
    pub fn has_credit(&self) -> bool {
        self.deadline.is_none()
            && self.seq_sent.wrapping_sub(self.seq_digested) < self.update_credit
    }
}
