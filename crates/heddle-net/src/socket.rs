//! A libzmq context and sockets that close themselves.

use std::ffi::{CStr, CString, c_int, c_long, c_void};
use std::time::Duration;

use heddle_zmq_sys as sys;

use crate::error::NetError;
use crate::part::Part;

/// What a non-blocking call came to, errors that mean a defect aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// EAGAIN: nothing to receive, or no room to send.
    Again,
    /// EHOSTUNREACH: no connection has that routing id.
    Unreachable,
}

/// A system error of `call`, from the calling thread's errno.
pub(crate) fn last_error(call: &'static str) -> NetError {
    // SAFETY: no arguments.
    let errno = unsafe { sys::zmq_errno() };
    // SAFETY: any number is accepted; the result is a static or thread-local C string.
    let text = unsafe { CStr::from_ptr(sys::zmq_strerror(errno)) };
    NetError::System {
        call,
        errno,
        text: text.to_string_lossy().into_owned(),
    }
}

/// Turns the return code of a non-blocking call into an [`Outcome`]; `None` asks to try again.
fn outcome(rc: c_int, call: &'static str) -> Option<Result<Outcome, NetError>> {
    if rc >= 0 {
        return Some(Ok(Outcome::Done));
    }
    // SAFETY: no arguments.
    match unsafe { sys::zmq_errno() } {
        libc::EAGAIN => Some(Ok(Outcome::Again)),
        libc::EHOSTUNREACH => Some(Ok(Outcome::Unreachable)),
        libc::EINTR => None,
        _ => Some(Err(last_error(call))),
    }
}

/// Waits until one of `items` is ready, at most `timeout`. A signal ends the wait early.
pub(crate) fn poll(items: &mut [sys::zmq_pollitem_t], timeout: Duration) -> Result<(), NetError> {
    // Rounded up, so that a wait shorter than a millisecond does not spin.
    let ms = c_int::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(c_int::MAX);
    let count = c_int::try_from(items.len()).unwrap_or(c_int::MAX);
    // SAFETY: `count` initialised items with open sockets or descriptors.
    let rc = unsafe { sys::zmq_poll(items.as_mut_ptr(), count, c_long::from(ms)) };
    outcome(rc, "zmq_poll").map_or(Ok(()), |result| result.map(|_| ()))
}

/// A context of its own per router, so that several live in a process unaware of each other.
#[derive(Debug)]
pub(crate) struct Context(*mut c_void);

impl Context {
    /// `thread_prefix` starts the names of the context's threads.
    pub fn new(thread_prefix: c_int) -> Result<Self, NetError> {
        // SAFETY: no arguments.
        let raw = unsafe { sys::zmq_ctx_new() };
        if raw.is_null() {
            return Err(last_error("zmq_ctx_new"));
        }
        let context = Self(raw);
        // BLOCKY 0: sockets start with LINGER 0, so terminating never waits for a peer.
        for (option, value) in [
            (sys::ZMQ_BLOCKY, 0),
            (sys::ZMQ_THREAD_NAME_PREFIX, thread_prefix),
        ] {
            // SAFETY: a valid context.
            if unsafe { sys::zmq_ctx_set(raw, option, value) } != 0 {
                return Err(last_error("zmq_ctx_set"));
            }
        }
        Ok(context)
    }

    pub fn socket(&self, kind: c_int) -> Result<Socket, NetError> {
        // SAFETY: a valid context.
        let raw = unsafe { sys::zmq_socket(self.0, kind) };
        if raw.is_null() {
            Err(last_error("zmq_socket"))
        } else {
            Ok(Socket(raw))
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: a valid context; its sockets were closed first. A signal interrupts the wait.
        while unsafe { sys::zmq_ctx_term(self.0) } != 0
            // SAFETY: no arguments.
            && unsafe { sys::zmq_errno() } == libc::EINTR
        {}
    }
}

/// An open socket. Not `Sync`: one thread at a time.
#[derive(Debug)]
pub(crate) struct Socket(*mut c_void);

impl Socket {
    pub fn raw(&self) -> *mut c_void {
        self.0
    }

    fn set_bytes(&self, option: c_int, bytes: &[u8]) -> Result<(), NetError> {
        // SAFETY: a valid socket and a readable slice, copied by the call.
        let rc = unsafe { sys::zmq_setsockopt(self.0, option, bytes.as_ptr().cast(), bytes.len()) };
        if rc == 0 {
            Ok(())
        } else {
            Err(last_error("zmq_setsockopt"))
        }
    }

    pub fn set_int(&self, option: c_int, value: c_int) -> Result<(), NetError> {
        self.set_bytes(option, &value.to_ne_bytes())
    }

    pub fn set_i64(&self, option: c_int, value: i64) -> Result<(), NetError> {
        self.set_bytes(option, &value.to_ne_bytes())
    }

    pub fn set_str(&self, option: c_int, value: &CStr) -> Result<(), NetError> {
        self.set_bytes(option, value.to_bytes())
    }

    /// Binds, or gives the errno.
    pub fn bind(&self, endpoint: &str) -> Result<(), NetError> {
        let text = CString::new(endpoint).map_err(|_| NetError::AddressInvalid {
            endpoint: endpoint.to_owned(),
            reason: "it contains a NUL".to_owned(),
        })?;
        // SAFETY: a valid socket and C string.
        if unsafe { sys::zmq_bind(self.0, text.as_ptr()) } == 0 {
            Ok(())
        } else {
            Err(last_error("zmq_bind"))
        }
    }

    /// The endpoint last bound, with its port resolved.
    pub fn last_endpoint(&self) -> Result<String, NetError> {
        let mut buffer = [0u8; 256];
        let mut length = buffer.len();
        // SAFETY: a buffer of `length` bytes; the call writes a C string and its length.
        let rc = unsafe {
            sys::zmq_getsockopt(
                self.0,
                sys::ZMQ_LAST_ENDPOINT,
                buffer.as_mut_ptr().cast(),
                &mut length,
            )
        };
        if rc != 0 {
            return Err(last_error("zmq_getsockopt"));
        }
        let text = CStr::from_bytes_until_nul(&buffer).unwrap_or_default();
        Ok(text.to_string_lossy().into_owned())
    }

    /// Receives one part without waiting; what `part` held before is released.
    pub fn receive(&self, part: &mut Part) -> Result<Outcome, NetError> {
        loop {
            // SAFETY: an initialised message and a valid socket.
            let rc = unsafe { sys::zmq_msg_recv(part.raw_mut(), self.0, sys::ZMQ_DONTWAIT) };
            if let Some(result) = outcome(rc, "zmq_msg_recv") {
                return result;
            }
        }
    }

    /// Sends one part without waiting; once `Done`, `part` is empty.
    pub fn send(&self, part: &mut Part, more: bool) -> Result<Outcome, NetError> {
        let flags = sys::ZMQ_DONTWAIT | if more { sys::ZMQ_SNDMORE } else { 0 };
        loop {
            // SAFETY: an initialised message and a valid socket.
            let rc = unsafe { sys::zmq_msg_send(part.raw_mut(), self.0, flags) };
            if let Some(result) = outcome(rc, "zmq_msg_send") {
                return result;
            }
        }
    }

    /// Sends a copy of `bytes` as one part, with more to follow, without waiting.
    pub fn send_bytes_more(&self, bytes: &[u8]) -> Result<Outcome, NetError> {
        let flags = sys::ZMQ_DONTWAIT | sys::ZMQ_SNDMORE;
        loop {
            // SAFETY: a valid socket and a readable slice, copied by the call.
            let rc = unsafe { sys::zmq_send(self.0, bytes.as_ptr().cast(), bytes.len(), flags) };
            if let Some(result) = outcome(rc, "zmq_send") {
                return result;
            }
        }
    }

    /// Whether a connection has this routing id.
    pub fn has_peer(&self, routing_id: &[u8]) -> bool {
        // SAFETY: a valid ROUTER socket and a readable slice.
        unsafe {
            sys::zmq_socket_get_peer_state(self.0, routing_id.as_ptr().cast(), routing_id.len())
                >= 0
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // SAFETY: a valid socket, closed once.
        unsafe { sys::zmq_close(self.0) };
    }
}
