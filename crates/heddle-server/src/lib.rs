//! Clock, sockets and engine joined: what the daemon and the embedded scheduler run.
//!
//! ```no_run
//! use heddle_server::{Server, ServerConfig};
//!
//! let handle = Server::start(ServerConfig::default())?;
//! println!("listening on {}", handle.addresses()[0]);
//! handle.stop();
//! # Ok::<(), heddle_server::ServerError>(())
//! ```
//!
//! One thread does everything: receive, verify, decode, apply, encode, send (`server`). Others see
//! it only through [`Handle`].
//!
//! Invariants:
//!
//! * Nothing reaches the engine that `heddle-wire` has not verified and that its sender may not say.
//! * A peer that sends what no correct peer sends is told why, counted and ignored; nobody else
//!   notices.
//! * A panic ends this scheduler alone: its peers are told, its state says why, the process goes on.
//!
//! Deliberately absent: timers that delay a send, locks on the hot path, anything global.

mod admission;
mod answers;
mod config;
mod cpu;
mod error;
mod handle;
mod inbound;
mod json;
mod notices;
mod outbound;
mod panic;
mod query;
mod record;
#[cfg(test)]
mod record_tests;
mod replay;
mod server;
mod sessions;
mod spool;
mod stages;
mod templates;
mod trace;

pub use config::ServerConfig;
pub use cpu::thread_cpu_ns;
pub use error::ServerError;
pub use handle::{Handle, Server, State};
pub use heddle_core::CheckLevel;
pub use replay::{ReplayError, ReplayReport, replay};
pub use spool::SpoolFailure;

/// Versions of what is compiled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// Version of this crate, the engine's.
    pub engine: String,
    /// Protocol `major.minor`.
    pub protocol: String,
    /// Version of libzmq.
    pub libzmq: String,
}

/// Versions of what is compiled in.
pub fn versions() -> Versions {
    use heddle_wire::limits::{PROTOCOL_MAJOR, PROTOCOL_MINOR};
    Versions {
        engine: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: format!("{PROTOCOL_MAJOR}.{PROTOCOL_MINOR}"),
        libzmq: heddle_net::libzmq_version(),
    }
}
