//! The floor under latency: a ROUTER thread that hands each message of one peer to the other. No FlatBuffers, engine
//! or lane: two sockets' wake-ups and a third one's between them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use heddle_net::{Batch, Config, Inbound, NetError, Part, PeerId, Router, Waker};

/// A running relay. The first two peers that send anything are its ends; that first message of each is not passed on.
/// Dropping it ends the thread.
#[derive(Debug)]
pub struct RelayFloor {
    stop: Arc<AtomicBool>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

impl RelayFloor {
    /// Binds `address` and starts the thread.
    ///
    /// # Errors
    /// When the address cannot be bound or there is no thread to be had.
    pub fn start(address: &str) -> Result<Self, String> {
        let open = || -> Result<Router, NetError> { Router::open(Config::bind(address.parse()?)) };
        let router = open().map_err(|error| error.to_string())?;
        let stop = Arc::new(AtomicBool::new(false));
        let waker = router.waker();
        let seen = Arc::clone(&stop);
        let spawn = || -> io::Result<JoinHandle<()>> {
            thread::Builder::new()
                .name("relay-floor".to_owned())
                .spawn(move || {
                    // A socket that fails ends the relay; its ends then see silence.
                    let _ = relay(router, &seen);
                })
        };
        let thread = spawn().map_err(|error| error.to_string())?;
        Ok(Self {
            stop,
            waker,
            thread: Some(thread),
        })
    }
}

impl Drop for RelayFloor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            // A panicked relay has nothing left to end.
            let _ = thread.join();
        }
    }
}

fn relay(mut router: Router, stop: &AtomicBool) -> Result<(), NetError> {
    let mut ends: Vec<PeerId> = Vec::new();
    let mut batch = Batch::new();
    while !stop.load(Ordering::Acquire) {
        router.poll(Duration::from_secs(1))?;
        router.receive(&mut batch, 64, 1 << 20)?;
        for inbound in batch.drain() {
            let Inbound::Message { peer, parts } = inbound else {
                continue;
            };
            match ends.iter().position(|&end| end == peer) {
                None if ends.len() < 2 => ends.push(peer),
                None => router.drop_peer(peer),
                Some(from) => {
                    let mut parts: Vec<Part> = parts.iter_mut().map(std::mem::take).collect();
                    if let Some(&other) = ends.get(1 - from) {
                        let _ = router.send(other, &mut parts)?;
                    }
                }
            }
        }
    }
    Ok(())
}
