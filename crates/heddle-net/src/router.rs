//! The ROUTER: opening it, one turn of receiving, sending with an outbox per peer.

use std::ffi::c_int;
use std::time::{Duration, Instant};

use heddle_zmq_sys as sys;

use crate::batch::Batch;
use crate::config::{Config, Limits};
use crate::curve::ClientKey;
use crate::endpoint::SocketFile;
use crate::error::NetError;
use crate::io_thread;
use crate::part::Part;
use crate::peers::{Outbox, Peer, PeerId, Peers, size};
use crate::setup;
use crate::socket::{Context, Outcome, Socket};
use crate::waker::{WakeReceiver, Waker};
use crate::zap::ZapHandler;

/// How soon a blocked peer is tried again while nothing else happens: libzmq does not say when one
/// peer's pipe has room.
const RETRY: Duration = Duration::from_millis(5);
/// How often lost disconnect notices are looked for.
const SWEEP: Duration = Duration::from_secs(1);
/// Longest routing id by ZMTP.
const ROUTING_ID_BYTES_MAX: usize = 255;
/// The longest graceful close.
const LINGER_MAX: Duration = Duration::from_secs(1);

/// Why `poll` returned; nothing set: time ran out or a signal came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wake {
    /// `receive` has something to give.
    pub readable: bool,
    /// A [`Waker`] was used since the last time this was set.
    pub woken: bool,
    /// A blocked peer became writable, or was lost while blocked.
    pub unblocked: bool,
}

/// What became of a message handed to [`Router::send`].
#[must_use = "a message given back must be sent again, or its peer given up"]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendOutcome {
    /// Taken by libzmq.
    Sent,
    /// The peer is blocked; the message is parked and will be retried. Stop encoding for this peer
    /// until [`Router::is_writable`].
    Blocked,
    /// The peer's outbox is full; the parts are still the caller's.
    Full,
    /// The peer has no connection any more (or was dropped); the parts are cleared. Its
    /// `PeerGone` follows what it still sent.
    Gone,
}

/// What crossed the socket so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages received, discarded ones included.
    pub frames_received: u64,
    /// Bytes of their parts.
    pub bytes_received: u64,
    /// Messages libzmq took.
    pub frames_sent: u64,
    /// Bytes of their parts.
    pub bytes_sent: u64,
    /// Messages ignored: of dropped peers, of peers beyond the limit, of too many parts.
    pub frames_discarded: u64,
    /// CURVE handshakes refused because the key is not listed.
    pub handshakes_refused: u64,
}

/// A ROUTER socket and all that belongs to it. One thread at a time uses it. Dropping it closes
/// everything at once, unsent messages included, and removes the ipc socket files.
#[derive(Debug)]
pub struct Router {
    // Sockets close before the context, which waits for them: fields drop in this order.
    socket: Socket,
    zap: Option<ZapHandler>,
    _context: Context,
    _files: Vec<SocketFile>,
    addresses: Vec<String>,
    wake: WakeReceiver,
    limits: Limits,
    peers: Peers,
    /// Peers with something in their outbox.
    blocked: Vec<PeerId>,
    /// Peers that sending found gone and whose disconnect notice has not been read yet.
    suspects: Vec<PeerId>,
    swept: Instant,
    counters: Counters,
    thread_prefix: c_int,
    /// The routing id of the message being received.
    envelope: Part,
    /// Where surplus parts go.
    surplus: Part,
}

// SAFETY: libzmq sockets may move between threads with a full memory barrier, which moving a value
// to another thread implies; `&mut self` everywhere keeps two threads from using them at once.
unsafe impl Send for Router {}

impl Router {
    /// Opens the socket and binds every endpoint, or none.
    pub fn open(config: Config) -> Result<Self, NetError> {
        let thread_prefix = io_thread::name_prefix();
        let context = Context::new(thread_prefix)?;
        let socket = context.socket(sys::ZMQ_ROUTER)?;
        setup::set_options(&socket, &config.limits)?;
        let zap = match config.curve {
            Some(curve) => Some(setup::set_curve(&context, &socket, curve)?),
            None => None,
        };
        let wake = WakeReceiver::new().map_err(|error| NetError::System {
            call: "pipe",
            errno: error.raw_os_error().unwrap_or(0),
            text: error.to_string(),
        })?;
        let mut router = Self {
            socket,
            zap,
            _context: context,
            _files: Vec::new(),
            addresses: Vec::new(),
            wake,
            peers: Peers::new(config.limits.peers_max),
            limits: config.limits,
            blocked: Vec::new(),
            suspects: Vec::new(),
            swept: Instant::now(),
            counters: Counters::default(),
            thread_prefix,
            envelope: Part::default(),
            surplus: Part::default(),
        };
        for endpoint in &config.binds {
            let address = setup::bind(&router.socket, endpoint)?;
            router.addresses.push(address);
            router._files.extend(endpoint.claim_file());
        }
        Ok(router)
    }

    /// The addresses peers connect to, in the order of `Config::binds`, ports resolved.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// A handle that ends `poll` from any thread.
    pub fn waker(&self) -> Waker {
        self.wake.waker()
    }

    /// Retries the blocked peers, then waits until something can be received, a [`Waker`] is used
    /// or `timeout` has passed. With a blocked peer it returns within 5 ms, for the next try.
    pub fn poll(&mut self, timeout: Duration) -> Result<Wake, NetError> {
        let mut wake = Wake {
            unblocked: self.retry_blocked()?,
            ..Wake::default()
        };
        let timeout = if wake.unblocked || !self.suspects.is_empty() {
            Duration::ZERO
        } else if !self.blocked.is_empty() {
            timeout.min(RETRY)
        } else {
            timeout
        };
        let item = |socket, fd| sys::zmq_pollitem_t {
            socket,
            fd,
            events: sys::ZMQ_POLLIN,
            revents: 0,
        };
        let mut items = [
            item(self.socket.raw(), 0),
            item(std::ptr::null_mut(), self.wake.fd()),
            item(
                self.zap
                    .as_ref()
                    .map_or(std::ptr::null_mut(), ZapHandler::raw_socket),
                -1,
            ),
        ];
        let count = if self.zap.is_some() { 3 } else { 2 };
        crate::socket::poll(&mut items[..count], timeout)?;
        let ready = |index: usize| items[index].revents != 0;
        if ready(1) {
            self.wake.acknowledge();
            wake.woken = true;
        }
        if ready(2)
            && let Some(zap) = &mut self.zap
        {
            zap.answer_all()?;
            self.counters.handshakes_refused = zap.refused;
        }
        wake.readable = ready(0) || !self.suspects.is_empty();
        Ok(wake)
    }

    /// Replaces what is in `batch` by what has arrived, until `frames_max` messages or
    /// `bytes_max` bytes (a message is never split). Gives whether there may be more.
    pub fn receive(
        &mut self,
        batch: &mut Batch,
        frames_max: usize,
        bytes_max: usize,
    ) -> Result<bool, NetError> {
        batch.clear();
        let (mut frames, mut bytes) = (0, 0);
        while frames < frames_max && bytes < bytes_max {
            if self.socket.receive(&mut self.envelope)? != Outcome::Done {
                self.settle_lost(batch);
                return Ok(false);
            }
            frames += 1;
            bytes += self.receive_message(batch)?;
        }
        Ok(true)
    }

    /// Receives the message that follows the routing id in `envelope`; gives its size in bytes.
    fn receive_message(&mut self, batch: &mut Batch) -> Result<usize, NetError> {
        let first = batch.parts_len();
        let (mut count, mut bytes) = (0, 0);
        loop {
            let part = if count < self.limits.parts_max {
                batch.next_part()
            } else {
                &mut self.surplus
            };
            let outcome = self.socket.receive(part)?;
            assert!(outcome == Outcome::Done, "a ROUTER's messages arrive whole");
            count += 1;
            bytes += part.len();
            if !part.more() {
                break;
            }
        }
        // A lone empty part is libzmq's notice that the connection ended. A peer may send one
        // itself: then it has left, and what it sends next is from a stranger.
        if count == 1 && bytes == 0 {
            batch.discard_from(first);
            if let Some(peer) = self.peers.find(&self.envelope) {
                self.forget(peer, batch);
            }
            return Ok(0);
        }
        self.counters.frames_received += 1;
        self.counters.bytes_received += bytes as u64;
        match self.identify() {
            Some((peer, false)) if count <= self.limits.parts_max => {
                batch.push_message(peer, first)
            }
            discarded => {
                self.counters.frames_discarded += 1;
                batch.discard_from(first);
                if let Some((peer, false)) = discarded {
                    batch.push_violation(peer);
                }
            }
        }
        Ok(bytes)
    }

    /// The peer whose routing id is in `envelope`, and whether it was dropped; `None` for one
    /// beyond the limits.
    fn identify(&mut self) -> Option<(PeerId, bool)> {
        if let Some(peer) = self.peers.find(&self.envelope) {
            return Some((peer, self.peers.get(peer).is_some_and(|peer| peer.dropped)));
        }
        if self.envelope.len() > ROUTING_ID_BYTES_MAX {
            return None;
        }
        // A routing id is the sender's own choice; the key is what the handshake proved. Both stay
        // together until the connection ends, because a second one cannot take the same id.
        let client = match &self.zap {
            Some(zap) => Some(self.envelope.user_id().and_then(|key| zap.find(key))?),
            None => None,
        };
        self.peers
            .insert(&self.envelope, client)
            .map(|peer| (peer, false))
    }

    fn forget(&mut self, peer: PeerId, batch: &mut Batch) {
        if self.peers.remove(peer).is_some_and(|peer| !peer.dropped) {
            batch.push_gone(peer);
        }
    }

    /// Tells of peers whose connection ended without a notice: libzmq has no room for one when the
    /// inbound queue is full. Call only when nothing is left to receive.
    fn settle_lost(&mut self, batch: &mut Batch) {
        while let Some(peer) = self.suspects.pop() {
            self.forget(peer, batch);
        }
        if self.swept.elapsed() < SWEEP {
            return;
        }
        self.swept = Instant::now();
        let lost =
            |(id, peer): (PeerId, &Peer)| (!self.socket.has_peer(&peer.routing_id)).then_some(id);
        let lost: Vec<PeerId> = self.peers.iter().filter_map(lost).collect();
        for peer in lost {
            self.forget(peer, batch);
        }
    }

    /// Sends a message of at least one part, without waiting; see [`SendOutcome`] for whose the
    /// parts are afterwards. Messages to one peer arrive in the order they were given.
    pub fn send(&mut self, peer: PeerId, parts: &mut Vec<Part>) -> Result<SendOutcome, NetError> {
        assert!(!parts.is_empty(), "a message has a part");
        let Some(entry) = self.peers.get_mut(peer).filter(|entry| !entry.dropped) else {
            parts.clear();
            return Ok(SendOutcome::Gone);
        };
        let bytes = size(parts);
        if entry.outbox.is_empty() {
            match transmit(&self.socket, &entry.routing_id, parts)? {
                Outcome::Done => {
                    self.counters.frames_sent += 1;
                    self.counters.bytes_sent += bytes as u64;
                    return Ok(SendOutcome::Sent);
                }
                Outcome::Unreachable => {
                    self.suspects.push(peer);
                    parts.clear();
                    return Ok(SendOutcome::Gone);
                }
                Outcome::Again => self.blocked.push(peer),
            }
        } else if entry.outbox.bytes + bytes > self.limits.outbox_bytes_max {
            return Ok(SendOutcome::Full);
        }
        entry.outbox.push(std::mem::take(parts));
        Ok(SendOutcome::Blocked)
    }

    /// Sends what was parked, as far as it goes; gives whether any peer is no longer blocked.
    fn retry_blocked(&mut self) -> Result<bool, NetError> {
        let before = self.blocked.len();
        let mut index = 0;
        while let Some(&peer) = self.blocked.get(index) {
            if self.retry(peer)? {
                index += 1;
            } else {
                self.blocked.swap_remove(index);
            }
        }
        Ok(self.blocked.len() < before)
    }

    /// Retries one peer; gives whether it is still blocked.
    fn retry(&mut self, id: PeerId) -> Result<bool, NetError> {
        let Some(peer) = self.peers.get_mut(id) else {
            return Ok(false);
        };
        while let Some(parts) = peer.outbox.front() {
            let bytes = size(parts);
            match transmit(&self.socket, &peer.routing_id, parts)? {
                Outcome::Again => return Ok(true),
                Outcome::Done => {
                    peer.outbox.pop(bytes);
                    self.counters.frames_sent += 1;
                    self.counters.bytes_sent += bytes as u64;
                }
                Outcome::Unreachable => {
                    peer.outbox = Outbox::default();
                    self.suspects.push(id);
                }
            }
        }
        Ok(false)
    }

    /// Whether the peer is connected and not blocked.
    pub fn is_writable(&self, peer: PeerId) -> bool {
        self.peers
            .get(peer)
            .is_some_and(|peer| !peer.dropped && peer.outbox.is_empty())
    }

    /// Whose key the peer proved; `None` without CURVE or for a peer that is gone.
    pub fn client(&self, peer: PeerId) -> Option<&ClientKey> {
        self.zap.as_ref()?.client(self.peers.get(peer)?.client?)
    }

    /// Ignores the peer from now on: what it sends is discarded and counted, what waits for it is
    /// forgotten, and nothing more is told of it. What libzmq took before still goes out.
    pub fn drop_peer(&mut self, peer: PeerId) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.dropped = true;
            peer.outbox = Outbox::default();
        }
    }

    /// Connected peers that have sent something, dropped ones included.
    pub fn peers_len(&self) -> usize {
        self.peers.len()
    }

    /// What crossed the socket so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// CPU nanoseconds libzmq's I/O thread has used, where the system tells (Linux). Reads /proc.
    pub fn io_cpu_nanos(&self) -> Option<u64> {
        io_thread::cpu_nanos(self.thread_prefix)
    }

    /// Closes after giving what libzmq already took up to `linger` (at most 1 s) to leave. What is
    /// still in an outbox is lost. Dropping the router does the same with no time at all.
    pub fn close(self, linger: Duration) -> Result<(), NetError> {
        let linger = linger.min(LINGER_MAX).as_millis() as c_int;
        self.socket.set_int(sys::ZMQ_LINGER, linger)
    }
}

/// Hands one message to libzmq. `Done` leaves `parts` empty; otherwise they are as they were.
fn transmit(
    socket: &Socket,
    routing_id: &[u8],
    parts: &mut Vec<Part>,
) -> Result<Outcome, NetError> {
    match socket.send_bytes_more(routing_id)? {
        Outcome::Done => {}
        refused => return Ok(refused),
    }
    let last = parts.len() - 1;
    for (index, part) in parts.iter_mut().enumerate() {
        // Once the routing id is taken the rest is, too; should the connection end meanwhile,
        // libzmq discards the message and the disconnect notice follows.
        let outcome = socket.send(part, index < last)?;
        assert!(outcome == Outcome::Done, "a message is taken whole");
    }
    parts.clear();
    Ok(Outcome::Done)
}
