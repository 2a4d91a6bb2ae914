//! Who is connected: one session per peer that said hello, and the clients whose connection is
//! gone but whose demand is kept for a while.

use std::collections::HashMap;

use heddle_core::id::{ClientId, ProcId};
use heddle_net::PeerId;
use heddle_wire::OutFrame;

use crate::answers::Answers;
use crate::stages::WorkerStages;

/// Milliseconds since the server started.
pub(crate) type Millis = u64;

/// A client's own 16 bytes, the same over its reconnects.
pub(crate) type SessionKey = [u8; 16];

/// A connection that said hello.
#[derive(Debug)]
pub(crate) struct Session {
    pub peer: PeerId,
    /// When something last came from it.
    pub heard_ms: Millis,
    /// What it calls itself and where it runs.
    pub identity: Identity,
    pub role: Role,
}

/// What a hello says of its sender.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identity {
    pub name: String,
    pub host: String,
    pub pid: u32,
}

#[derive(Debug)]
pub(crate) enum Role {
    Client(ClientSession),
    Worker(WorkerSession),
}

/// What is known of a client, over all its connections.
#[derive(Debug)]
pub(crate) struct ClientSession {
    pub client: u32,
    pub key: SessionKey,
    pub grace_ms: u32,
    /// The number of its last hello: one that is not newer comes from a connection it has given up.
    pub greeting: u32,
    /// Frames taken in, but for hello, heartbeats and goodbye. It says again what comes after them.
    pub received: u64,
    /// What it may not have heard.
    pub answers: Answers,
}

#[derive(Debug)]
pub(crate) struct WorkerSession {
    pub proc: u32,
    pub incarnation: u32,
    pub usage: Usage,
    /// Heartbeats heard.
    pub beats: u32,
    /// Its histograms, from its last heartbeat.
    pub stages: WorkerStages,
}

/// Totals of a worker process, from its last heartbeat.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    pub rss_bytes: f64,
    pub stored_bytes: f64,
    pub fetched_bytes: f64,
    pub cpu_compute_ns: f64,
    pub cpu_lane_ns: f64,
    pub cpu_main_ns: f64,
    pub layers: u32,
    pub loop_lag_us: u32,
}

/// A client without a connection, waited for. The engine keeps its demand until the same moment.
#[derive(Debug)]
struct Absent {
    session: ClientSession,
    until_ms: Millis,
}

/// Clients waited for at a time; one more is not waited for.
const ABSENT_MAX: usize = 4096;

/// All sessions. Indexed by the peer's slot, so finding one costs no hash.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    slots: Vec<Option<Session>>,
    /// Slot by client id and by proc id.
    clients: HashMap<u32, usize>,
    procs: HashMap<u32, usize>,
    absent: HashMap<SessionKey, Absent>,
}

impl Sessions {
    pub fn get(&mut self, peer: PeerId) -> Option<&mut Session> {
        self.slots
            .get_mut(peer.slot())?
            .as_mut()
            .filter(|session| session.peer == peer)
    }

    /// The session of a peer that said hello as a client.
    pub fn client_of(&mut self, peer: PeerId) -> Option<&mut ClientSession> {
        match &mut self.get(peer)?.role {
            Role::Client(client) => Some(client),
            Role::Worker(_) => None,
        }
    }

    /// Where a connected client is.
    pub fn client(&self, client: ClientId) -> Option<PeerId> {
        let slot = *self.clients.get(&client.0)?;
        self.slots[slot].as_ref().map(|session| session.peer)
    }

    /// Where a connected worker process is.
    pub fn proc(&self, proc: ProcId) -> Option<PeerId> {
        let slot = *self.procs.get(&proc.0)?;
        self.slots[slot].as_ref().map(|session| session.peer)
    }

    /// All connected clients.
    pub fn client_peers(&self) -> Vec<PeerId> {
        let is_client = |session: &&Session| matches!(session.role, Role::Client(_));
        self.iter()
            .filter(is_client)
            .map(|session| session.peer)
            .collect()
    }

    /// Adds a session. Its peer has none yet.
    pub fn insert(&mut self, session: Session) {
        let slot = session.peer.slot();
        if self.slots.len() <= slot {
            self.slots.resize_with(slot + 1, || None);
        }
        assert!(self.slots[slot].is_none(), "one hello per connection");
        match &session.role {
            Role::Client(client) => self.clients.insert(client.client, slot),
            Role::Worker(worker) => self.procs.insert(worker.proc, slot),
        };
        self.slots[slot] = Some(session);
    }

    /// Removes the peer's session, if it has one.
    pub fn remove(&mut self, peer: PeerId) -> Option<Session> {
        self.get(peer)?;
        let session = self.slots[peer.slot()].take()?;
        match &session.role {
            Role::Client(client) => self.clients.remove(&client.client),
            Role::Worker(worker) => self.procs.remove(&worker.proc),
        };
        Some(session)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Session> {
        self.slots.iter().flatten()
    }

    pub fn is_empty(&self) -> bool {
        self.clients.is_empty() && self.procs.is_empty() && self.absent.is_empty()
    }

    pub fn has_workers(&self) -> bool {
        !self.procs.is_empty()
    }

    /// All connected peers.
    pub fn peers(&self) -> Vec<PeerId> {
        self.iter().map(|session| session.peer).collect()
    }

    /// The connected peer of a client's session key: a client that reconnects before its old
    /// connection was noticed to be gone.
    pub fn find_key(&self, key: &SessionKey) -> Option<PeerId> {
        self.iter()
            .find(|s| matches!(&s.role, Role::Client(client) if client.key == *key))
            .map(|session| session.peer)
    }

    /// The number of the last hello under this key, if its client is connected or waited for.
    pub fn greeting(&self, key: &SessionKey) -> Option<u32> {
        let connected = self.iter().find_map(|session| match &session.role {
            Role::Client(client) if client.key == *key => Some(client.greeting),
            _ => None,
        });
        connected.or_else(|| self.absent.get(key).map(|absent| absent.session.greeting))
    }

    /// Keeps an answer until its client is known to have it; gives where the client is, if it is.
    pub fn keep_answer(&mut self, to: ClientId, graph: u32, frame: &OutFrame) -> Option<PeerId> {
        if let Some(peer) = self.client(to) {
            self.client_of(peer)?.answers.keep(graph, frame);
            return Some(peer);
        }
        let mut absent = self.absent.values_mut().map(|absent| &mut absent.session);
        let session = absent.find(|session| session.client == to.0)?;
        session.answers.keep(graph, frame);
        None
    }

    /// Waits for a lost client until `until_ms`; gives false if too many are waited for.
    pub fn await_return(&mut self, session: ClientSession, until_ms: Millis) -> bool {
        if self.absent.len() >= ABSENT_MAX {
            return false;
        }
        self.absent
            .insert(session.key, Absent { session, until_ms });
        true
    }

    /// The client that returns under this key, if it is waited for.
    pub fn resume(&mut self, key: &SessionKey) -> Option<ClientSession> {
        self.absent.remove(key).map(|absent| absent.session)
    }

    /// Peers silent since before `since_ms`.
    pub fn silent(&self, since_ms: Millis) -> Vec<PeerId> {
        self.iter()
            .filter(|s| s.heard_ms < since_ms)
            .map(|s| s.peer)
            .collect()
    }

    /// Forgets clients whose time to return is over; gives whether there were any.
    pub fn expire(&mut self, now_ms: Millis) -> bool {
        let before = self.absent.len();
        self.absent.retain(|_, absent| now_ms < absent.until_ms);
        self.absent.len() < before
    }
}
