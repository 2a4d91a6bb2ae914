//! Waking the router's thread from others.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ends a router's `poll` from any thread. Push the work first, then wake: a wake that finds the
/// flag set costs one atomic swap, because the router has not looked since the last.
#[derive(Debug, Clone)]
pub struct Waker(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Set: a byte is in the pipe or about to be. So the pipe holds at most one and never fills.
    pending: AtomicBool,
    pipe: PipeWriter,
}

impl Waker {
    /// Makes the router's current or next `poll` return with `woken` set.
    pub fn wake(&self) {
        if !self.0.pending.swap(true, Ordering::AcqRel) {
            // Fails only when the router is gone, and then nobody needs waking.
            let _ = (&self.0.pipe).write_all(&[1]);
        }
    }
}

/// The router's end of the pipe.
#[derive(Debug)]
pub(crate) struct WakeReceiver {
    pipe: PipeReader,
    waker: Waker,
}

impl WakeReceiver {
    pub fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        let shared = Shared {
            pending: AtomicBool::new(false),
            pipe: writer,
        };
        Ok(Self {
            pipe: reader,
            waker: Waker(Arc::new(shared)),
        })
    }

    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    pub fn fd(&self) -> RawFd {
        self.pipe.as_raw_fd()
    }

    /// Call when the descriptor polled readable, and before looking at the queue. The byte goes
    /// first, the flag second: a wake in between finds the flag set, and its work is seen by
    /// whoever reads the queue after the swap.
    pub fn acknowledge(&mut self) {
        let mut byte = [0];
        if self.pipe.read_exact(&mut byte).is_ok() {
            self.waker.0.pending.swap(false, Ordering::AcqRel);
        }
    }
}
