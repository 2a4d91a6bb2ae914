//! What a server is told when it starts.

use std::path::PathBuf;

use heddle_core::CheckLevel;
use heddle_core::limits;
use heddle_net::Curve;

/// Options of [`crate::Server::start`].
#[derive(Debug)]
pub struct ServerConfig {
    /// Endpoints to bind; `heddle-net` refuses what other machines could reach.
    pub bind: Vec<String>,
    /// Package version told to peers.
    pub package_version: String,
    /// Keys, when the endpoints are encrypted.
    pub curve: Option<Curve>,
    /// Silence after which a peer is lost.
    pub peer_deadline_ms: u32,
    /// Longest time a lost client's demand is kept.
    pub client_grace_ms: u32,
    /// Wait before clients are told that their work waits for workers.
    pub no_workers_notice_ms: u32,
    /// The engine's self-checks.
    pub check: CheckLevel,
    /// Whether histograms of stages are kept. Off only to measure what they cost.
    pub stages: bool,
    /// Where to record the engine's inputs, if anywhere.
    pub record: Option<PathBuf>,
    /// Where to write a trace of tasks and transfers, if anywhere.
    pub trace: Option<PathBuf>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            bind: vec!["tcp://127.0.0.1:0".to_owned()],
            package_version: env!("CARGO_PKG_VERSION").to_owned(),
            curve: None,
            peer_deadline_ms: limits::PEER_DEADLINE_MS as u32,
            client_grace_ms: limits::CLIENT_GRACE_MS as u32,
            no_workers_notice_ms: 1_000,
            check: CheckLevel::Light,
            stages: true,
            record: None,
            trace: None,
        }
    }
}
