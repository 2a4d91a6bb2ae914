//! What a router is told when it opens.

use crate::curve::Curve;
use crate::endpoint::Endpoint;

/// How a router listens.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; at least one.
    pub binds: Vec<Endpoint>,
    /// Encryption and the list of clients; `None` lets in whoever can reach the endpoints.
    pub curve: Option<Curve>,
    /// Bounds of everything that grows.
    pub limits: Limits,
}

impl Config {
    /// Listens on one endpoint, without CURVE, with the default limits.
    pub fn bind(endpoint: Endpoint) -> Self {
        Self {
            binds: vec![endpoint],
            curve: None,
            limits: Limits::default(),
        }
    }
}

/// Bounds of everything that grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one part; a peer that sends a larger one is disconnected.
    pub part_bytes_max: usize,
    /// Parts of one message; one with more is discarded and told as a violation.
    pub parts_max: usize,
    /// Frames libzmq queues per peer and direction. Inbound, a full queue stops reading from that
    /// peer's connection; outbound, it is what `Blocked` means. Credit should keep both far away.
    pub frames_queued_max: u32,
    /// Bytes parked for one blocked peer before messages are given back.
    pub outbox_bytes_max: usize,
    /// Peers at a time; messages of further ones are discarded and counted.
    pub peers_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            part_bytes_max: 64 << 20,
            parts_max: 1 + 4096,
            frames_queued_max: 4096,
            outbox_bytes_max: 64 << 20,
            peers_max: 1 << 17,
        }
    }
}
