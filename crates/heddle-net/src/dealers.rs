//! Many DEALERs of one thread: the other end of a [`Router`](crate::Router), for workers that are not Node's.

use std::ffi::{CString, c_int};
use std::time::Duration;

use heddle_zmq_sys as sys;

use crate::error::NetError;
use crate::part::Part;
use crate::readiness::Readiness;
use crate::socket::{Context, Outcome, Socket, last_error};

/// DEALERs of one context: libzmq allows 1,023 sockets in each, its own among them.
const PER_CONTEXT: usize = 500;

/// Connected sockets, numbered from 0. Which have something to receive is asked of the kernel, so that a wait costs
/// what is ready and not what there is.
#[derive(Debug)]
pub struct Dealers {
    /// Before the contexts: sockets close first.
    sockets: Vec<Socket>,
    _contexts: Vec<Context>,
    readiness: Readiness,
    /// Sockets that were sent on and not found empty since. libzmq tells the kernel of a message only to a reader that
    /// found nothing before, and whatever call comes first takes that word.
    unread: Vec<bool>,
    /// The numbers of those, and of some that were found empty.
    suspects: Vec<usize>,
}

// SAFETY: as for `Router`: moving between threads is a full barrier, and `&mut self` excludes two users at once.
unsafe impl Send for Dealers {}

impl Dealers {
    /// Opens `count` sockets and connects each to `endpoint`, any address libzmq knows; connecting is libzmq's to do
    /// and to repeat in the background.
    ///
    /// # Errors
    /// When the address is not one, or the system has no more sockets.
    pub fn connect(endpoint: &str, count: usize) -> Result<Self, NetError> {
        let invalid = |reason: &str| NetError::AddressInvalid {
            endpoint: endpoint.to_owned(),
            reason: reason.to_owned(),
        };
        let address = CString::new(endpoint).map_err(|_| invalid("it contains a NUL"))?;
        let mut readiness = Readiness::new()?;
        let mut contexts: Vec<Context> = Vec::new();
        let mut sockets = Vec::with_capacity(count);
        for at in 0..count {
            if at % PER_CONTEXT == 0 {
                contexts.push(Context::new(crate::io_thread::name_prefix())?);
            }
            let Some(context) = contexts.last() else {
                return Err(invalid("there is no context"));
            };
            let socket = context.socket(sys::ZMQ_DEALER)?;
            for (option, value) in [
                (sys::ZMQ_LINGER, 0),
                (sys::ZMQ_SNDHWM, 0),
                (sys::ZMQ_RCVHWM, 0),
            ] {
                socket.set_int(option, value)?;
            }
            // SAFETY: a valid socket and C string.
            if unsafe { sys::zmq_connect(socket.raw(), address.as_ptr()) } != 0 {
                return Err(last_error("zmq_connect"));
            }
            readiness.add(descriptor(&socket)?, at)?;
            sockets.push(socket);
        }
        Ok(Self {
            sockets,
            _contexts: contexts,
            readiness,
            unread: vec![true; count],
            suspects: (0..count).collect(),
        })
    }

    /// Waits until some sockets may have something to receive, at most `timeout`, and writes their numbers to
    /// `ready`. Each must then be received from until nothing is left.
    ///
    /// # Errors
    /// When waiting fails, which only a defect explains.
    pub fn wait(&mut self, timeout: Duration, ready: &mut Vec<usize>) -> Result<(), NetError> {
        let mut suspects = std::mem::take(&mut self.suspects);
        suspects.retain(|&at| self.unread[at]);
        let timeout = match suspects.is_empty() {
            true => timeout,
            false => Duration::ZERO,
        };
        self.readiness.wait(timeout, ready)?;
        ready.append(&mut suspects);
        // Kept for its capacity.
        self.suspects = suspects;
        Ok(())
    }

    /// Receives one message of socket `at` into `parts`; false when there is none.
    ///
    /// # Errors
    /// When receiving fails, which only a defect explains.
    pub fn receive(&mut self, at: usize, parts: &mut Vec<Part>) -> Result<bool, NetError> {
        parts.clear();
        loop {
            let mut part = Part::default();
            match self.sockets[at].receive(&mut part)? {
                Outcome::Done => {}
                // The parts of a message arrive together: only the first can be missing.
                Outcome::Again | Outcome::Unreachable => {
                    self.unread[at] = false;
                    return Ok(false);
                }
            }
            let more = part.more();
            parts.push(part);
            if !more {
                return Ok(true);
            }
        }
    }

    /// Sends a message on socket `at`. Its queue has no bound: who answers what it was sent is bounded by that.
    ///
    /// # Errors
    /// When sending fails, which only a defect explains.
    pub fn send(&mut self, at: usize, parts: &mut [Part]) -> Result<(), NetError> {
        if !std::mem::replace(&mut self.unread[at], true) {
            self.suspects.push(at);
        }
        let last = parts.len().saturating_sub(1);
        for (i, part) in parts.iter_mut().enumerate() {
            match self.sockets[at].send(part, i < last)? {
                Outcome::Done => {}
                Outcome::Again | Outcome::Unreachable => return Err(last_error("zmq_msg_send")),
            }
        }
        Ok(())
    }
}

/// What the kernel tells readable when libzmq has news for the socket.
fn descriptor(socket: &Socket) -> Result<c_int, NetError> {
    let mut fd: c_int = -1;
    let mut length = size_of::<c_int>();
    // SAFETY: a valid socket; the call writes one int and its size.
    let rc = unsafe {
        sys::zmq_getsockopt(
            socket.raw(),
            sys::ZMQ_FD,
            (&raw mut fd).cast(),
            &raw mut length,
        )
    };
    if rc == 0 {
        Ok(fd)
    } else {
        Err(last_error("zmq_getsockopt"))
    }
}
