//! Procs (connection, store) and lanes (queue, credit). Losing a lane requeues its records and keeps stored
//! values; losing a proc loses its store.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::bitset::BitSet;
use crate::id::{HostId, Incarnation, LaneSlot, Millis, ProcId, Task};
use crate::loads::Loads;

/// In the number of a lane: its aside.
pub const ASIDE: u32 = 1 << 31;

/// A worker process.
#[derive(Debug)]
pub struct Proc {
    /// Its id.
    pub id: ProcId,
    /// Its connection.
    pub incarnation: Incarnation,
    /// Its machine.
    pub host: HostId,
    /// For people.
    pub name: Box<str>,
    /// Where its values are fetched.
    pub data_address: Box<str>,
    /// Managed memory limit; 0: unknown.
    pub memory_bytes: u64,
    /// It takes records sent ahead of their inputs.
    pub ahead: bool,
    /// Its lanes by number.
    pub lanes: Vec<LaneSlot>,
    /// Each lane's aside: where its records are while their bodies wait for tasks they submitted. It is numbered
    /// `ASIDE` and the lane's number, lives and dies with the lane, and is never sent anything.
    pub asides: Vec<LaneSlot>,
    /// Functions it was given.
    pub functions: BitSet,
    /// Procs whose addresses it was given.
    pub peers: BTreeSet<ProcId>,
    /// Rows whose values it was given to hold, most of them still.
    pub stored: Vec<Task>,
    /// Rows whose values it holds.
    pub stored_live: u32,
    /// Their bytes.
    pub stored_bytes: u64,
}

/// A lane.
#[derive(Debug, Default)]
pub struct Lane {
    /// Its proc.
    pub proc: ProcId,
    /// Its number there.
    pub number: u32,
    /// Which thread.
    pub epoch: u32,
    /// Takes records.
    pub up: bool,
    /// Records sent and not answered.
    pub in_flight: u32,
    /// Records sent ahead whose inputs do not exist yet; not among those in flight.
    pub ahead: u32,
    /// Arguments and inline inputs of both.
    pub bytes: u64,
    /// Their expected duration.
    pub backlog_ns: u64,
    /// Rows in the order they were sent, a few of them already answered.
    pub sent: VecDeque<Task>,
    /// Kept free (or in use) for one suspect at a time.
    pub quarantined: bool,
    /// Was asked to give records back and has not answered yet.
    pub retracting: bool,
    /// Was asked, and has ended nothing since: is sent nothing.
    pub asked: bool,
    /// When it answered last, or was sent the first record after being idle.
    pub answered: Millis,
    /// Place in `Lanes::open` plus one; 0: not there.
    pub open_at: u32,
    /// Counted in `Loads::idle`.
    pub idle: bool,
    /// Records counted in `Loads::in_flight`.
    pub counted: u32,
    /// Place in `Loads::heavy` plus one; 0: not there.
    pub heavy_at: u32,
    /// Stands in `Loads::aged`.
    pub aged: bool,
    /// Index of its open section in the proc's effects, if that still is its.
    pub section: u32,
}

/// All lanes by slot.
#[derive(Debug, Default)]
pub struct Lanes {
    slots: Vec<Lane>,
    free: Vec<u32>,
    /// Lanes that are up.
    pub up: u32,
    /// Lanes that are up and may have credit.
    pub open: Vec<LaneSlot>,
    /// Where the next search for a lane begins.
    pub cursor: usize,
    /// The lane that is being emptied so that suspects can run alone.
    pub quarantine: Option<LaneSlot>,
    /// Lanes by what is in flight to them.
    pub loads: Loads,
}

impl std::ops::Index<LaneSlot> for Lanes {
    type Output = Lane;
    #[inline]
    fn index(&self, slot: LaneSlot) -> &Lane {
        &self.slots[slot.index()]
    }
}

impl std::ops::IndexMut<LaneSlot> for Lanes {
    #[inline]
    fn index_mut(&mut self, slot: LaneSlot) -> &mut Lane {
        &mut self.slots[slot.index()]
    }
}

impl Lanes {
    /// A lane that is up.
    pub fn insert(&mut self, proc: ProcId, number: u32) -> LaneSlot {
        let slot = LaneSlot(self.free.pop().unwrap_or_else(|| {
            self.slots.push(Lane::default());
            self.slots.len() as u32 - 1
        }));
        self[slot] = Lane {
            proc,
            number,
            ..Lane::default()
        };
        slot
    }

    /// A lane of a proc that is gone.
    pub fn remove(&mut self, slot: LaneSlot) {
        self.close(slot);
        self.disregard(slot);
        self[slot] = Lane::default();
        self.free.push(slot.0);
    }

    /// The lane may have credit.
    #[inline]
    pub fn open(&mut self, slot: LaneSlot) {
        if self[slot].open_at == 0 && self[slot].up && self[slot].number & ASIDE == 0 {
            self.open.push(slot);
            self[slot].open_at = self.open.len() as u32;
        }
    }

    /// The lane has no credit.
    #[inline]
    pub fn close(&mut self, slot: LaneSlot) {
        let at = self[slot].open_at as usize;
        if at > 0 {
            self[slot].open_at = 0;
            self.open.swap_remove(at - 1);
            if let Some(&moved) = self.open.get(at - 1) {
                self[moved].open_at = at as u32;
            }
        }
    }
}

/// All procs, and hosts by name.
#[derive(Debug, Default)]
pub struct Procs {
    /// By id.
    pub table: BTreeMap<ProcId, Proc>,
    hosts: BTreeMap<Box<str>, (HostId, u32)>,
    next_host: u32,
}

impl Procs {
    /// One more proc on the host of this name.
    pub fn host(&mut self, name: &str) -> HostId {
        if let Some((id, procs)) = self.hosts.get_mut(name) {
            *procs += 1;
            return *id;
        }
        let id = HostId(self.next_host);
        self.next_host += 1;
        self.hosts.insert(name.into(), (id, 1));
        id
    }

    /// One proc fewer on it.
    pub fn leave_host(&mut self, id: HostId) {
        self.hosts.retain(|_, (host, procs)| {
            *procs -= u32::from(*host == id);
            *procs > 0
        });
    }

    /// The name of a host.
    pub fn host_name(&self, id: HostId) -> &str {
        self.hosts
            .iter()
            .find(|(_, (host, _))| *host == id)
            .map_or("", |(name, _)| name)
    }
}
