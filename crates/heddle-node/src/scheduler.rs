//! The embedded scheduler as a JS class.

use std::path::PathBuf;
use std::sync::{Arc, Weak};

use heddle_server::{CheckLevel, Handle, Server, ServerConfig, State};
use napi::{Env, Error, Result, Status};
use napi_derive::napi;

/// Complete options of a scheduler; `ts/native` documents them.
#[napi(object)]
pub struct SchedulerOptions {
    /// Endpoints to bind.
    pub bind: Vec<String>,
    /// Version told to peers.
    pub package_version: String,
    /// Silence after which a peer is lost.
    pub peer_deadline_ms: u32,
    /// Longest time a lost client's demand is kept.
    pub client_grace_ms: u32,
    /// Wait before clients are told that work waits for workers.
    pub no_workers_notice_ms: u32,
    /// `light`, `touched` or `full`.
    pub check: String,
    /// Whether histograms of stages are kept.
    pub stages: bool,
    /// File for a record of the engine's inputs; empty: none.
    pub record: String,
    /// File for a trace of tasks and transfers; empty: none.
    pub trace: String,
}

/// A scheduler on a thread of its own.
#[napi]
pub struct Scheduler {
    handle: Arc<Handle>,
}

fn coded(code: &str, text: &str) -> Error {
    Error::new(Status::GenericFailure, format!("{code}: {text}"))
}

fn check_level(text: &str) -> Result<CheckLevel> {
    match text {
        "light" => Ok(CheckLevel::Light),
        "touched" => Ok(CheckLevel::Touched),
        "full" => Ok(CheckLevel::Full),
        _ => Err(coded(
            "ERR_ARGUMENT",
            "check must be 'light', 'touched' or 'full'",
        )),
    }
}

fn file(path: String) -> Option<PathBuf> {
    (!path.is_empty()).then(|| PathBuf::from(path))
}

#[napi]
impl Scheduler {
    /// Binds and starts the thread.
    #[napi(factory, catch_unwind)]
    pub fn start(env: Env, options: SchedulerOptions) -> Result<Self> {
        let config = ServerConfig {
            bind: options.bind,
            package_version: options.package_version,
            curve: None,
            peer_deadline_ms: options.peer_deadline_ms,
            client_grace_ms: options.client_grace_ms,
            no_workers_notice_ms: options.no_workers_notice_ms,
            check: check_level(&options.check)?,
            stages: options.stages,
            record: file(options.record),
            trace: file(options.trace),
        };
        let handle = Server::start(config)
            .map(Arc::new)
            .map_err(|error| coded(error.code(), &error.to_string()))?;
        // The environment may end first: process.exit, an uncaught error, a worker_thread's end.
        // The hook holds no strong reference, so a collected scheduler is stopped by its drop.
        env.add_env_cleanup_hook(Arc::downgrade(&handle), |handle: Weak<Handle>| {
            if let Some(handle) = handle.upgrade() {
                handle.stop();
            }
        })?;
        Ok(Self { handle })
    }

    /// Addresses bound, with real ports, in the order asked for.
    #[napi(getter, catch_unwind)]
    pub fn addresses(&self) -> Vec<String> {
        self.handle.addresses().to_vec()
    }

    /// Number of this scheduler's life.
    #[napi(getter, catch_unwind)]
    pub fn epoch(&self) -> u32 {
        self.handle.epoch()
    }

    /// `running`, `stopped` or `failed`.
    #[napi(getter, catch_unwind)]
    pub fn state(&self) -> &'static str {
        match self.handle.state() {
            State::Running => "running",
            State::Stopped => "stopped",
            State::Failed(_) => "failed",
        }
    }

    /// Why the state is `failed`; empty otherwise.
    #[napi(getter, catch_unwind)]
    pub fn failure(&self) -> String {
        match self.handle.state() {
            State::Failed(reason) => reason,
            State::Running | State::Stopped => String::new(),
        }
    }

    /// Why the record or the trace has ended before the run, as `CODE: text`; empty otherwise.
    #[napi(getter, catch_unwind)]
    pub fn spool_failure(&self) -> String {
        self.handle
            .spool_failure()
            .map(|failure| format!("{}: {}", failure.code, failure.message))
            .unwrap_or_default()
    }

    /// Makes the thread fail as a defect would: for tests.
    #[napi(catch_unwind)]
    pub fn inject_fault(&self) {
        self.handle.inject_fault();
    }

    /// Ends the thread and closes the sockets. Repeatable.
    #[napi(catch_unwind)]
    pub fn stop(&self) {
        self.handle.stop();
    }
}
