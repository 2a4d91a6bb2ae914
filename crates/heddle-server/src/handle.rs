//! Starting and stopping the thread.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use heddle_net::Waker;

use crate::config::ServerConfig;
use crate::error::ServerError;
use crate::panic;
use crate::server::Loop;
use crate::spool::{Progress, SpoolFailure};

/// What the thread does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It serves.
    Running,
    /// It was asked to stop and did.
    Stopped,
    /// A defect stopped it; the text says which.
    Failed(String),
}

/// Starts schedulers. Nothing is global: a process may run several.
#[derive(Debug)]
pub struct Server;

/// A running scheduler. Dropping it stops it.
#[derive(Debug)]
pub struct Handle {
    addresses: Vec<String>,
    epoch: u32,
    shared: Arc<Shared>,
    waker: Waker,
    recording: Arc<Progress>,
    tracing: Arc<Progress>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the thread and its handle both see.
#[derive(Debug)]
pub(crate) struct Shared {
    stop: AtomicBool,
    fault: AtomicBool,
    state: Mutex<State>,
}

impl Shared {
    fn new() -> Self {
        Self {
            stop: AtomicBool::new(false),
            fault: AtomicBool::new(false),
            state: Mutex::new(State::Running),
        }
    }

    /// Asked once per turn.
    ///
    /// # Panics
    /// After [`Handle::inject_fault`].
    pub(crate) fn stopping(&self) -> bool {
        assert!(!self.fault.load(Ordering::Acquire), "a fault was injected");
        self.stop.load(Ordering::Acquire)
    }

    fn set(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

struct Started {
    addresses: Vec<String>,
    waker: Waker,
    recording: Arc<Progress>,
    tracing: Arc<Progress>,
}

impl Server {
    /// Binds the endpoints and runs a scheduler on a thread of its own.
    ///
    /// # Errors
    /// An endpoint that cannot or must not be bound, a bad key, a system without threads left.
    pub fn start(config: ServerConfig) -> Result<Handle, ServerError> {
        let shared = Arc::new(Shared::new());
        let epoch = random_epoch();
        let (started, outcome) = sync_channel(1);
        let thread = thread::Builder::new()
            .name("heddle-sched".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || run(config, epoch, &shared, &started)
            })
            .map_err(|error| ServerError::Thread(error.to_string()))?;
        match outcome.recv() {
            Ok(Ok(Started {
                addresses,
                waker,
                recording,
                tracing,
            })) => Ok(Handle {
                recording,
                tracing,
                addresses,
                epoch,
                shared,
                waker,
                thread: Mutex::new(Some(thread)),
            }),
            Ok(Err(error)) => {
                // The thread has nothing left to do; its outcome is the error itself.
                let _ = thread.join();
                Err(error)
            }
            Err(_) => {
                let _ = thread.join();
                Err(ServerError::Thread(
                    "the scheduler's thread ended while it started".to_owned(),
                ))
            }
        }
    }
}

/// The thread. A panic anywhere ends this scheduler alone, never the process.
fn run(
    config: ServerConfig,
    epoch: u32,
    shared: &Shared,
    started: &SyncSender<Result<Started, ServerError>>,
) {
    let this = match Loop::open(config, epoch) {
        Ok(this) => this,
        Err(error) => {
            let _ = started.send(Err(error));
            return;
        }
    };
    let addresses = this.addresses().to_vec();
    // The receiver waits for this; if it is gone, so is the wish for a scheduler.
    if started
        .send(Ok(Started {
            addresses,
            waker: this.waker(),
            recording: this.recorder.progress(),
            tracing: this.tracer.progress(),
        }))
        .is_err()
    {
        return;
    }
    supervise(this, shared, |this| this.serve(shared));
}

/// Serves, and tells the peers and the handle how that ended.
fn supervise(
    mut this: Loop,
    shared: &Shared,
    serve: impl FnOnce(&mut Loop) -> Result<(), ServerError>,
) {
    // After a panic nothing of the engine is read again. Both ways to end close the sockets before
    // the state says so.
    let failure = match panic::catch(|| serve(&mut this)) {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(text) => Some(text),
    };
    match &failure {
        None => this.goodbye(),
        Some(text) => this.fail(text),
    }
    shared.set(failure.map_or(State::Stopped, State::Failed));
}

/// Random and never 0, which stands for "no epoch yet". The hasher's keys come from the system.
fn random_epoch() -> u32 {
    let bits = RandomState::new().hash_one(std::process::id());
    ((bits >> 32) as u32 ^ bits as u32).max(1)
}

impl Handle {
    /// Endpoints bound, with real ports, in the order asked for.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Number of this scheduler's life: random, never 0.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Why the record or the trace has ended before the run, if one has.
    pub fn spool_failure(&self) -> Option<SpoolFailure> {
        self.recording.failure().or_else(|| self.tracing.failure())
    }

    /// What the thread does now.
    pub fn state(&self) -> State {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Makes the thread panic in its next turn, as a defect of the engine would: for tests of what
    /// follows for clients, workers and the process.
    pub fn inject_fault(&self) {
        self.shared.fault.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Ends the thread and waits for it: milliseconds, at most the sockets' linger. Repeatable.
    pub fn stop(&self) {
        self.shared.stop.store(true, Ordering::Release);
        self.waker.wake();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // `run` catches panics; there is nothing to learn from its end.
            let _ = thread.join();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_this_scheduler_alone_and_says_why() {
        let (failing, other) = (
            Shared::new(),
            Server::start(ServerConfig::default()).unwrap(),
        );
        let this = Loop::open(ServerConfig::default(), 1).unwrap();
        let address = this.addresses()[0].clone();
        supervise(this, &failing, |_| panic!("counters differ"));
        let state = failing.state.lock().unwrap().clone();
        assert!(
            matches!(&state, State::Failed(text) if text.contains("counters differ")),
            "{state:?}"
        );
        assert_eq!(other.state(), State::Running);
        // Its socket is closed: the address is free again.
        let config = ServerConfig {
            bind: vec![address],
            ..ServerConfig::default()
        };
        Server::start(config).unwrap().stop();
    }

    #[test]
    fn stops_once_and_for_all() {
        let handle = Server::start(ServerConfig::default()).unwrap();
        assert_ne!(handle.epoch(), 0);
        handle.stop();
        handle.stop();
        assert_eq!(handle.state(), State::Stopped);
    }

    #[test]
    fn refuses_what_cannot_be_bound() {
        let start = |bind: &[&str]| {
            let bind = bind.iter().map(|&text| text.to_owned()).collect();
            Server::start(ServerConfig {
                bind,
                ..ServerConfig::default()
            })
        };
        let handle = start(&["tcp://127.0.0.1:0"]).unwrap();
        let taken = handle.addresses()[0].as_str();
        for (bind, code) in [
            (&[taken][..], "ERR_ADDRESS_IN_USE"),
            (&["tcp://0.0.0.0:0"], "ERR_ADDRESS_NOT_LOOPBACK"),
            (&["tcp://127.0.0.1"], "ERR_ADDRESS_INVALID"),
            (&[], "ERR_ADDRESS_INVALID"),
        ] {
            assert_eq!(start(bind).unwrap_err().code(), code);
        }
    }
}
