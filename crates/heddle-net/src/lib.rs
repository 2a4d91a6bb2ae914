//! A libzmq ROUTER owned by one thread: bytes in, bytes out, and which peer they belong to.
//!
//! ```no_run
//! use std::time::Duration;
//! use heddle_net::{Batch, Config, Inbound, Router};
//!
//! let mut router = Router::open(Config::bind("tcp://127.0.0.1:*".parse()?))?;
//! let waker = router.waker(); // Clone it into other threads.
//! let mut batch = Batch::new();
//! loop {
//!     let wake = router.poll(Duration::from_secs(1))?; // Retries blocked peers, then waits.
//!     if wake.woken { /* look at the queue other threads push to */ }
//!     let more = router.receive(&mut batch, 256, 8 << 20)?; // One bounded turn.
//!     for inbound in batch.drain() {
//!         match inbound {
//!             Inbound::Message { peer, parts } => { /* read parts[0]; take what must live on */ }
//!             Inbound::PeerGone { peer } => { /* forget it */ }
//!             Inbound::Violation { peer } => router.drop_peer(peer),
//!         }
//!     }
//!     // router.send(peer, &mut parts) for whatever the turn produced; poll only if !more.
//! }
//! # #[allow(unreachable_code)]
//! # Ok::<(), heddle_net::NetError>(())
//! ```
//!
//! What the caller can rely on:
//!
//! * **Only ipc and loopback tcp are bound**; every other address is a typed error ([`Endpoint`]).
//! * **A peer is a connection.** A [`PeerId`] is given with a connection's first message and never
//!   given again; after [`Inbound::PeerGone`] nothing more comes from it. A peer that dies is told
//!   within milliseconds (ROUTER_NOTIFY), one that freezes within 4 s (ZMTP heartbeats).
//! * **Blocked is not lost.** A message is sent, parked in the peer's outbox and retried, or given
//!   back; never dropped while its peer lives. A blocked peer does not hold up another.
//! * **With CURVE** only the listed keys complete a handshake, and [`Router::client`] tells whose a
//!   peer is. Without it there is no authentication.
//! * **Received bytes are hostile.** Only their size and number are checked here.
//!
//! [`Dealers`] are the other end, for workers that are not Node's: the benchmarks'.
//!
//! Deliberately absent: FlatBuffers, clocks other than the sweep's, threads, reconnection, and a
//! way to cut a connection (libzmq has none for a ROUTER: [`Router::drop_peer`] ignores it).

mod batch;
mod config;
mod curve;
mod dealers;
mod endpoint;
mod error;
mod io_thread;
mod part;
mod peers;
mod readiness;
mod router;
mod setup;
mod socket;
mod version;
mod waker;
mod zap;

pub use batch::{Batch, Inbound};
pub use config::{Config, Limits};
pub use curve::{ClientKey, Curve, PublicKey, SecretKey};
pub use dealers::Dealers;
pub use endpoint::Endpoint;
pub use error::NetError;
pub use part::Part;
pub use peers::PeerId;
pub use router::{Counters, Router, SendOutcome, Wake};
pub use version::libzmq_version;
pub use waker::Waker;
