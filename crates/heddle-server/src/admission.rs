//! Who comes and who goes: hello, goodbye, lost connections, peers that misbehave.

use heddle_core::event::ProcJoined;
use heddle_core::id::{ClientId, Incarnation, Millis, ProcId};
use heddle_core::{Event, limits};
use heddle_net::PeerId;
use heddle_wire::{Bye, Hello, Role as HelloRole, Welcome};

use crate::answers::Answers;
use crate::server::Loop;
use crate::sessions::{ClientSession, Identity, Role, Session, Usage, WorkerSession};
use crate::stages::WorkerStages;

/// Said in Hello by a worker that takes records sent ahead of their inputs.
const AHEAD: &str = "ahead";

impl Loop {
    /// A first hello. A worker that comes back is a new proc with an empty store; a client that
    /// comes back within its grace is the client it was.
    pub(crate) fn hello(&mut self, peer: PeerId, hello: &Hello<'_>) {
        let identity = Identity {
            name: hello.name.to_owned(),
            host: hello.host.to_owned(),
            pid: hello.pid,
        };
        match hello.role {
            HelloRole::Client => self.client_joins(peer, hello, identity),
            HelloRole::Worker => self.worker_joins(peer, hello, identity),
        }
    }

    fn client_joins(&mut self, peer: PeerId, hello: &Hello<'_>, identity: Identity) {
        let key = hello.session;
        let known = self.sessions.greeting(&key);
        // From a connection the client has given up, overtaken by its next one.
        if known.is_some_and(|known| hello.greeting <= known) {
            self.counters.stale += 1;
            return;
        }
        // Its former connection may not have been noticed to be gone yet. What is still under way there
        // is not read any more: the client is told what was, and says the rest again.
        if let Some(former) = self.sessions.find_key(&key) {
            self.router.drop_peer(former);
            self.lost(former);
        }
        let update_credit = hello
            .update_credit
            .clamp(1, limits::UPDATE_CREDIT_MAX as u32);
        let Some((session, event)) = self.returned(hello, update_credit).or_else(|| {
            let fresh = next(&mut self.clients_named, u32::MAX)?;
            let client = ClientId(fresh);
            let session = ClientSession {
                client: fresh,
                key,
                grace_ms: hello.grace_ms.min(self.config.client_grace_ms),
                greeting: hello.greeting,
                received: 0,
                answers: Answers::default(),
            };
            let event = Event::ClientJoined {
                client,
                update_credit,
            };
            Some((session, event))
        }) else {
            return self.reject(peer, "ERR_LIMIT_EXCEEDED", "too many clients came so far");
        };
        self.welcome(peer, session.client, 0, session.received);
        self.outgoing.answers(peer, &session.answers);
        self.sessions.insert(Session {
            peer,
            heard_ms: self.now.0,
            identity,
            role: Role::Client(session),
        });
        self.apply(Some(peer), event);
    }

    /// The session that goes on with this hello; `None` if none is waited for, or something it has not
    /// heard cannot be said again. Then it is over, and the client learns from its new id.
    fn returned(
        &mut self,
        hello: &Hello<'_>,
        update_credit: u32,
    ) -> Option<(ClientSession, Event<'static>)> {
        let mut session = self.sessions.resume(&hello.session)?;
        let client = ClientId(session.client);
        if !session.answers.reach(hello.answered) {
            self.apply(None, Event::ClientLeft { client });
            return None;
        }
        session.answers.confirm(hello.answered);
        session.greeting = hello.greeting;
        let event = Event::ClientResumed {
            client,
            update_credit,
        };
        Some((session, event))
    }

    fn worker_joins(&mut self, peer: PeerId, hello: &Hello<'_>, identity: Identity) {
        let Some(proc) = next(&mut self.procs_named, limits::PROCS_MAX as u32) else {
            return self.reject(peer, "ERR_LIMIT_EXCEEDED", "too many workers came so far");
        };
        // A proc id is never given twice, so it serves as the incarnation, too.
        let incarnation = proc;
        let role = Role::Worker(WorkerSession {
            proc,
            incarnation,
            usage: Usage::default(),
            beats: 0,
            stages: WorkerStages::default(),
        });
        self.sessions.insert(Session {
            peer,
            heard_ms: self.now.0,
            identity,
            role,
        });
        self.welcome(peer, proc, incarnation, 0);
        self.tracer.joined(proc, hello.name, hello.lanes);
        self.apply(
            Some(peer),
            Event::ProcJoined(ProcJoined {
                proc: ProcId(proc),
                incarnation: Incarnation(incarnation),
                host: hello.host,
                name: hello.name,
                lanes: hello.lanes,
                data_address: hello.data_address,
                memory_bytes: hello.memory_bytes,
                ahead: hello.capabilities.contains(&AHEAD),
            }),
        );
    }

    fn welcome(&mut self, to: PeerId, peer: u32, incarnation: u32, received: u64) {
        let welcome = Welcome {
            peer,
            incarnation,
            heartbeat_ms: limits::HEARTBEAT_MS as u32,
            inline_bytes_max: limits::INLINE_BYTES_MAX as u32,
            package_version: &self.config.package_version,
            capabilities: self.tracer.capabilities(),
            received,
        };
        self.outgoing.welcome(to, &welcome);
    }

    /// The peer's connection is gone without a word.
    pub(crate) fn lost(&mut self, peer: PeerId) {
        let Some(session) = self.sessions.remove(peer) else {
            return;
        };
        match session.role {
            Role::Worker(worker) => self.proc_lost(&worker),
            Role::Client(session) => {
                let client = ClientId(session.client);
                self.notices.forget(client);
                let deadline = Millis(self.now.0 + u64::from(session.grace_ms));
                if session.grace_ms > 0 && self.sessions.await_return(session, deadline.0) {
                    self.apply(None, Event::ClientLost { client, deadline });
                } else {
                    self.apply(None, Event::ClientLeft { client });
                }
            }
        }
    }

    /// The peer said goodbye. A client may say so on a connection where it has not said hello: its own was
    /// lost, and it had nothing more to say.
    pub(crate) fn bye(&mut self, peer: PeerId, bye: &Bye<'_>) {
        if self.sessions.get(peer).is_none()
            && let Some(key) = bye.session
        {
            if let Some(connected) = self.sessions.find_key(&key) {
                self.left(connected);
            } else if let Some(session) = self.sessions.resume(&key) {
                let client = ClientId(session.client);
                self.apply(None, Event::ClientLeft { client });
            }
        }
        self.left(peer);
    }

    /// Whatever the peer holds is released at once.
    fn left(&mut self, peer: PeerId) {
        self.router.drop_peer(peer);
        let Some(session) = self.sessions.remove(peer) else {
            return;
        };
        match session.role {
            Role::Worker(worker) => self.proc_lost(&worker),
            Role::Client(session) => {
                let client = ClientId(session.client);
                self.notices.forget(client);
                self.apply(None, Event::ClientLeft { client });
            }
        }
    }

    fn proc_lost(&mut self, worker: &WorkerSession) {
        let (proc, incarnation) = (ProcId(worker.proc), Incarnation(worker.incarnation));
        self.apply(None, Event::ProcLost { proc, incarnation });
    }

    /// Drops a peer for what it sent: it is told why, counted, and ignored from now on.
    pub(crate) fn reject(&mut self, peer: PeerId, code: &str, message: &str) {
        self.counters.rejected += 1;
        self.outgoing.reject(peer, code, message);
        self.lost(peer);
    }
}

/// The next name, or `None` when all up to `max` have been given.
fn next(named: &mut u32, max: u32) -> Option<u32> {
    if *named >= max {
        return None;
    }
    *named += 1;
    Some(*named)
}
