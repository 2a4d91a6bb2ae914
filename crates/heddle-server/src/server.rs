//! The loop: receive, verify, decode, apply, encode, send; nothing else happens on its thread.
//!
//! A turn drains the socket within bounds, applies everything, then encodes what came of it once per
//! peer. So batches grow only under load, and an idle system answers at once. No timer decides when
//! something is sent: the timeout of `poll` only serves deadlines measured in hundreds of ms.

use std::time::{Duration, Instant};

use heddle_core::id::Millis;
use heddle_core::{Config, Engine, Event, Out, UpdateOut, limits};
use heddle_net::{Batch, Config as NetConfig, Inbound, Limits, PeerId, Router, Waker};
use heddle_wire::Aligned;

use crate::config::ServerConfig;
use crate::cpu::{Phase, PhaseClock};
use crate::error::ServerError;
use crate::handle::Shared;
use crate::notices::Notices;
use crate::outbound::Outgoing;
use crate::record::Recorder;
use crate::sessions::Sessions;
use crate::stages::{Stage, Stages};
use crate::templates::Templates;
use crate::trace::Tracer;

/// Bounds of one turn, after which its effects are sent. The first two hold for every receive.
const FRAMES_PER_RECEIVE: usize = 64;
const BYTES_PER_RECEIVE: usize = 4 << 20;
const TURN_FRAMES_MAX: usize = 1024;
const TURN_TIME_MAX: Duration = Duration::from_millis(2);

/// How often silent peers are looked for.
const SWEEP: Duration = Duration::from_millis(500);
/// How long answers wait for a turn that something else begins.
const LATE: Duration = Duration::from_millis(1);
/// How long nothing may happen before the thread looks around anyway.
const IDLE: Duration = Duration::from_secs(5);
/// Bytes a peer may leave unread. Credit keeps correct peers far below; beyond it a peer is lost.
const UNREAD_BYTES_MAX: usize = 1 << 30;
/// Time for farewells to leave.
const FAREWELL: Duration = Duration::from_millis(320);

/// What the loop counts.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Turns that received something.
    pub turns: u64,
    /// Peers dropped for what they sent.
    pub rejected: u64,
    /// Frames that are left over from another epoch or a lost connection, ignored.
    pub stale: u64,
}

/// All that the thread owns.
#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) config: ServerConfig,
    pub(crate) epoch: u32,
    pub(crate) router: Router,
    pub(crate) engine: Engine,
    pub(crate) sessions: Sessions,
    pub(crate) notices: Notices,
    pub(crate) out: Out,
    pub(crate) update: UpdateOut,
    pub(crate) outgoing: Outgoing,
    /// Peers whose outbox is full, found in this turn and lost in the next.
    pub(crate) overfull: Vec<PeerId>,
    pub(crate) cpu: PhaseClock,
    pub(crate) stages: Stages,
    pub(crate) recorder: Recorder,
    pub(crate) templates: Templates,
    pub(crate) tracer: Tracer,
    pub(crate) counters: Counters,
    pub(crate) clients_named: u32,
    pub(crate) procs_named: u32,
    started: Instant,
    swept: Instant,
    /// Time of this turn.
    pub(crate) now: Millis,
}

impl Loop {
    /// Opens the sockets.
    pub fn open(config: ServerConfig, epoch: u32) -> Result<Self, ServerError> {
        let binds = config
            .bind
            .iter()
            .map(|text| text.parse())
            .collect::<Result<Vec<_>, _>>()?;
        if binds.is_empty() {
            return Err(ServerError::NoAddress);
        }
        let limits = Limits {
            part_bytes_max: limits::CONTROL_FRAME_BYTES_MAX,
            parts_max: 1 + limits::PAYLOAD_PARTS_MAX,
            outbox_bytes_max: UNREAD_BYTES_MAX,
            ..Limits::default()
        };
        let router = Router::open(NetConfig {
            binds,
            curve: config.curve.clone(),
            limits,
        })?;
        let recorder = match &config.record {
            None => Recorder::default(),
            Some(path) => Recorder::create(path, &config.package_version, epoch, config.check)?,
        };
        let tracer = match &config.trace {
            None => Tracer::default(),
            Some(path) => Tracer::create(path)?,
        };
        let now = Instant::now();
        Ok(Self {
            stages: Stages::new(config.stages),
            recorder,
            templates: Templates::default(),
            tracer,
            engine: Engine::new(Config {
                epoch,
                check: config.check,
            }),
            config,
            epoch,
            router,
            sessions: Sessions::default(),
            notices: Notices::default(),
            out: Out::new(),
            update: UpdateOut::new(),
            outgoing: Outgoing::new(epoch),
            overfull: Vec::new(),
            cpu: PhaseClock::new(),
            counters: Counters::default(),
            clients_named: 0,
            procs_named: 0,
            started: now,
            swept: now,
            now: Millis(0),
        })
    }

    pub fn addresses(&self) -> &[String] {
        self.router.addresses()
    }

    pub fn waker(&self) -> Waker {
        self.router.waker()
    }

    /// Serves until asked to stop.
    pub fn serve(&mut self, shared: &Shared) -> Result<(), ServerError> {
        let mut batch = Batch::new();
        let mut aligned = Aligned::new();
        loop {
            self.router.poll(self.patience())?;
            if shared.stopping() {
                return Ok(());
            }
            self.turn(&mut batch, &mut aligned)?;
        }
    }

    /// How long poll may wait: until the next deadline.
    fn patience(&self) -> Duration {
        if !self.overfull.is_empty() {
            return Duration::ZERO;
        }
        if self.outgoing.has_late() {
            return LATE;
        }
        let deadline = self
            .engine
            .deadline()
            .into_iter()
            .chain(self.notices.deadline())
            .min();
        let deadline = deadline.map_or(IDLE, |deadline| {
            // The clock counts whole ms: one more, or it would not have passed yet.
            Duration::from_millis(deadline.0 + 1).saturating_sub(self.started.elapsed())
        });
        let sweep = if self.sessions.is_empty() {
            IDLE
        } else {
            SWEEP
        };
        deadline.min(sweep.saturating_sub(self.swept.elapsed()))
    }

    fn turn(&mut self, batch: &mut Batch, aligned: &mut Aligned) -> Result<(), ServerError> {
        self.cpu.begin();
        let began = Instant::now();
        let (mut more, mut frames) = (true, 0);
        while more && frames < TURN_FRAMES_MAX && began.elapsed() < TURN_TIME_MAX {
            more = self
                .router
                .receive(batch, FRAMES_PER_RECEIVE, BYTES_PER_RECEIVE)?;
            self.now = Millis(self.started.elapsed().as_millis() as u64);
            frames += self.take_in(batch, aligned);
        }
        self.counters.turns += u64::from(frames > 0);
        // Such a peer has read nothing for a very long time: it is as good as lost.
        for peer in std::mem::take(&mut self.overfull) {
            self.router.drop_peer(peer);
            self.lost(peer);
        }
        self.sweep();
        self.cpu.lap(Phase::Apply);
        self.cpu.settle();
        self.encode_for_workers();
        self.send_encoded()?;
        self.encode_for_clients();
        self.send_encoded()?;
        self.stages.observe(&self.engine);
        Ok(())
    }

    fn send_encoded(&mut self) -> Result<(), ServerError> {
        let encoded = self.cpu.lap(Phase::Encode);
        self.cpu.settle();
        if self.outgoing.is_empty() {
            return Ok(());
        }
        self.send_all()?;
        let sent = self.cpu.lap(Phase::Send);
        self.stages.record(Stage::Encode, encoded);
        self.stages.record(Stage::Send, sent);
        self.cpu.settle();
        Ok(())
    }

    /// Acts on deadlines that have passed.
    fn sweep(&mut self) {
        if self
            .engine
            .deadline()
            .is_some_and(|deadline| deadline <= self.now)
        {
            self.apply(None, Event::Tick);
        }
        if self.swept.elapsed() < SWEEP {
            return;
        }
        self.swept = Instant::now();
        self.sessions.expire(self.now.0);
        let engine = &self.engine;
        self.templates.retain(|client| engine.has_client(client));
        let deadline = self
            .now
            .0
            .saturating_sub(u64::from(self.config.peer_deadline_ms));
        for peer in self.sessions.silent(deadline) {
            // A client may only be blocked: its next heartbeat is answered, and it greets again.
            if self.sessions.client_of(peer).is_none() {
                self.router.drop_peer(peer);
            }
            self.lost(peer);
        }
    }

    /// Applies one event; a peer that says what no correct peer says is dropped.
    pub(crate) fn apply(&mut self, from: Option<PeerId>, event: Event<'_>) {
        self.recorder.event(self.now, &event);
        let outcome = self.engine.apply(self.now, event, &mut self.out);
        if let (Err(malformed), Some(peer)) = (outcome, from) {
            self.reject(peer, "ERR_PROTOCOL", &format!("{malformed:?}"));
        }
    }

    /// Tells everybody that the scheduler ends, and closes.
    pub fn goodbye(mut self) {
        std::mem::take(&mut self.recorder).finish(Some(&self.engine));
        self.tracer.finish();
        self.outgoing.clear();
        for peer in self.sessions.peers() {
            self.outgoing.bye(peer, "the scheduler was stopped");
        }
        self.close();
    }

    /// Tells everybody that the engine failed, and closes. Reads nothing of the engine.
    pub fn fail(mut self, reason: &str) {
        std::mem::take(&mut self.recorder).finish(None);
        self.tracer.finish();
        self.outgoing.clear();
        for peer in self.sessions.peers() {
            self.outgoing.reject(peer, "ERR_ENGINE_POISONED", reason);
        }
        self.close();
    }

    /// Sends the farewells and waits until the peers have closed their side: a connection that ends
    /// first takes what the peer has not read yet with it (libzmq's ZMQ_IMMEDIATE).
    fn close(mut self) {
        let began = Instant::now();
        // Farewells are a courtesy: peers also notice the end of their connection.
        if self.send_all().is_ok() {
            let mut batch = Batch::new();
            while self.awaits_farewell(began.elapsed()) && self.hear_farewell(&mut batch).is_ok() {}
        }
        let _ = self.router.close(FAREWELL.saturating_sub(began.elapsed()));
    }

    /// A client may live on the very JavaScript thread that waits for this one to end, so clients
    /// are not waited for as long as workers.
    fn awaits_farewell(&self, elapsed: Duration) -> bool {
        let patience = if self.sessions.has_workers() {
            FAREWELL
        } else {
            FAREWELL / 8
        };
        !self.sessions.peers().is_empty() && elapsed < patience
    }

    fn hear_farewell(&mut self, batch: &mut Batch) -> Result<(), ServerError> {
        self.router.poll(FAREWELL / 16)?;
        self.router
            .receive(batch, FRAMES_PER_RECEIVE, BYTES_PER_RECEIVE)?;
        for arrival in batch.drain() {
            if let Inbound::PeerGone { peer } = arrival {
                self.sessions.remove(peer);
            }
        }
        Ok(())
    }
}
