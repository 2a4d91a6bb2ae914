//! Raw libzmq DEALERs to test the router with, and bounded waits.
#![allow(dead_code, reason = "every test file uses another part of it")]
#![allow(clippy::unwrap_used, reason = "test code")]

use std::ffi::{CString, c_int, c_void};
use std::time::{Duration, Instant};

use heddle_net::{Batch, Config, Inbound, PeerId, Router, SecretKey};
use heddle_zmq_sys as sys;

/// Nothing here takes longer; only a defect makes a test wait for it.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// A DEALER in a context of its own, closed without linger.
pub struct Dealer {
    context: *mut c_void,
    socket: *mut c_void,
}

// SAFETY: used by one thread at a time, as the tests move it whole.
unsafe impl Send for Dealer {}

impl Dealer {
    pub fn new() -> Self {
        // SAFETY: the constructors of libzmq; null is checked.
        let (context, socket) = unsafe {
            let context = sys::zmq_ctx_new();
            sys::zmq_ctx_set(context, sys::ZMQ_BLOCKY, 0);
            (context, sys::zmq_socket(context, sys::ZMQ_DEALER))
        };
        assert!(!socket.is_null());
        let dealer = Self { context, socket };
        dealer.set(sys::ZMQ_IPV6, 1);
        dealer.set(sys::ZMQ_SNDHWM, 0);
        dealer.set(sys::ZMQ_RCVHWM, 0);
        dealer.set(sys::ZMQ_RCVTIMEO, DEADLINE.as_millis() as c_int);
        dealer
    }

    pub fn connected(address: &str) -> Self {
        let dealer = Self::new();
        dealer.connect(address);
        dealer
    }

    pub fn set(&self, option: c_int, value: c_int) {
        self.set_bytes(option, &value.to_ne_bytes());
    }

    pub fn set_bytes(&self, option: c_int, bytes: &[u8]) {
        // SAFETY: a readable slice.
        let rc =
            unsafe { sys::zmq_setsockopt(self.socket, option, bytes.as_ptr().cast(), bytes.len()) };
        assert_eq!(rc, 0, "option {option}");
    }

    pub fn set_curve(&self, secret: &SecretKey, server: &str) {
        self.set_bytes(sys::ZMQ_CURVE_SERVERKEY, server.as_bytes());
        self.set_bytes(
            sys::ZMQ_CURVE_PUBLICKEY,
            secret.public().unwrap().as_str().as_bytes(),
        );
        self.set_bytes(sys::ZMQ_CURVE_SECRETKEY, secret.expose().as_bytes());
    }

    pub fn connect(&self, address: &str) {
        let address = CString::new(address).unwrap();
        // SAFETY: a C string.
        let rc = unsafe { sys::zmq_connect(self.socket, address.as_ptr()) };
        assert_eq!(rc, 0);
    }

    pub fn send(&self, parts: &[&[u8]]) {
        for (index, part) in parts.iter().enumerate() {
            let flags = if index + 1 < parts.len() {
                sys::ZMQ_SNDMORE
            } else {
                0
            };
            // SAFETY: a readable slice.
            let rc = unsafe { sys::zmq_send(self.socket, part.as_ptr().cast(), part.len(), flags) };
            assert_eq!(rc as usize, part.len());
        }
    }

    /// One message, or `None` after the receive timeout.
    pub fn receive(&self) -> Option<Vec<Vec<u8>>> {
        receive(self.socket)
    }

    /// Watches this socket's connection; call before `connect`.
    pub fn monitor(&self) -> Monitor {
        let events = sys::ZMQ_EVENT_DISCONNECTED
            | sys::ZMQ_EVENT_HANDSHAKE_SUCCEEDED
            | sys::ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
            | sys::ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
            | sys::ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
        // SAFETY: C strings and live sockets.
        unsafe {
            let name = c"inproc://monitor".as_ptr();
            assert_eq!(sys::zmq_socket_monitor(self.socket, name, events), 0);
            let pair = sys::zmq_socket(self.context, sys::ZMQ_PAIR);
            let timeout = DEADLINE.as_millis() as c_int;
            let bytes = timeout.to_ne_bytes();
            sys::zmq_setsockopt(pair, sys::ZMQ_RCVTIMEO, bytes.as_ptr().cast(), bytes.len());
            assert_eq!(sys::zmq_connect(pair, name), 0);
            Monitor(pair)
        }
    }
}

impl Drop for Dealer {
    fn drop(&mut self) {
        // SAFETY: closed once, the socket before its context; linger is 0.
        unsafe {
            sys::zmq_close(self.socket);
            sys::zmq_ctx_term(self.context);
        }
    }
}

/// Drop it before its dealer.
pub struct Monitor(*mut c_void);

impl Monitor {
    /// The next event on the watched connection.
    pub fn next(&self) -> c_int {
        let event = receive(self.0).expect("an event in time");
        c_int::from(u16::from_ne_bytes([event[0][0], event[0][1]]))
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        // SAFETY: closed once.
        unsafe { sys::zmq_close(self.0) };
    }
}

fn receive(socket: *mut c_void) -> Option<Vec<Vec<u8>>> {
    let mut message = Vec::new();
    loop {
        // SAFETY: the message is initialised before use and closed after its bytes were copied.
        unsafe {
            let mut raw = std::mem::MaybeUninit::uninit();
            sys::zmq_msg_init(raw.as_mut_ptr());
            let mut raw: sys::zmq_msg_t = raw.assume_init();
            if sys::zmq_msg_recv(&mut raw, socket, 0) < 0 {
                return None;
            }
            let size = sys::zmq_msg_size(&raw);
            let data = sys::zmq_msg_data(&mut raw).cast::<u8>();
            let bytes = if size == 0 {
                &[]
            } else {
                std::slice::from_raw_parts(data, size)
            };
            message.push(bytes.to_vec());
            let more = sys::zmq_msg_more(&raw) != 0;
            sys::zmq_msg_close(&mut raw);
            if !more {
                return Some(message);
            }
        }
    }
}

/// What a router told, copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Message(PeerId, Vec<Vec<u8>>),
    Gone(PeerId),
    Violation(PeerId),
}

impl Seen {
    pub fn peer(&self) -> PeerId {
        match self {
            Self::Message(peer, _) | Self::Gone(peer) | Self::Violation(peer) => *peer,
        }
    }
}

/// A router and a batch to receive into.
pub struct Harness {
    pub router: Router,
    batch: Batch,
}

impl Harness {
    pub fn open(config: Config) -> Self {
        Self {
            router: Router::open(config).unwrap(),
            batch: Batch::new(),
        }
    }

    pub fn tcp() -> Self {
        Self::open(Config::bind("tcp://127.0.0.1:*".parse().unwrap()))
    }

    pub fn address(&self) -> &str {
        &self.router.addresses()[0]
    }

    /// What one wait of at most `wait` and one turn bring.
    pub fn turn(&mut self, wait: Duration) -> Vec<Seen> {
        self.router.poll(wait).unwrap();
        self.router.receive(&mut self.batch, 64, 1 << 20).unwrap();
        let seen = |inbound: Inbound<'_>| match inbound {
            Inbound::Message { peer, parts } => {
                Seen::Message(peer, parts.iter().map(|part| part.to_vec()).collect())
            }
            Inbound::PeerGone { peer } => Seen::Gone(peer),
            Inbound::Violation { peer } => Seen::Violation(peer),
        };
        self.batch.drain().map(seen).collect()
    }

    /// Turns until `count` things were told.
    pub fn collect(&mut self, count: usize) -> Vec<Seen> {
        let mut all = Vec::new();
        self.until("enough arrives", |_, seen| {
            all.extend(seen);
            all.len() >= count
        });
        all
    }

    /// The next message, which must be the next thing told.
    pub fn message(&mut self) -> (PeerId, Vec<Vec<u8>>) {
        match self.collect(1).remove(0) {
            Seen::Message(peer, parts) => (peer, parts),
            other => panic!("{other:?} instead of a message"),
        }
    }

    /// Turns until `done` says so.
    pub fn until(&mut self, what: &str, mut done: impl FnMut(&mut Router, Vec<Seen>) -> bool) {
        let start = Instant::now();
        loop {
            let seen = self.turn(Duration::from_millis(20));
            if done(&mut self.router, seen) {
                return;
            }
            assert!(start.elapsed() < DEADLINE, "waited too long until {what}");
        }
    }
}
