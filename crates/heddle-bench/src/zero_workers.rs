//! Workers that answer at once: they speak the protocol over real sockets and run nothing, so that a run's time is
//! client's, scheduler's and the transport's. A record's answer is a sum (`sums`), so that work that was lost, doubled or
//! handed wrong inputs changes the result.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use heddle_core::event::Fence;
use heddle_core::id::{Incarnation, ProcId};
use heddle_net::{Dealers, NetError, Part};
use heddle_wire::{Aligned, Encoder, Frame, Heartbeat, Hello, Role, Told, WireError, hear};

use crate::sums::Sums;

/// How long a wait lasts at most: then it is looked whether to stop, and for heartbeats that are due.
const TURN: Duration = Duration::from_millis(100);

/// Workers on a thread. Dropping it ends the thread and closes their connections.
#[derive(Debug)]
pub struct ZeroWorkers {
    stop: Arc<AtomicBool>,
    failure: Arc<OnceLock<String>>,
    thread: Option<JoinHandle<()>>,
}

/// One worker process, as the scheduler sees it.
#[derive(Debug, Default)]
struct Worker {
    /// `None` until welcomed.
    fence: Option<Fence>,
    sums: Sums,
}

/// The thread's state.
struct Group {
    dealers: Dealers,
    workers: Vec<Worker>,
    aligned: Aligned,
    encoder: Encoder,
    beat: Option<Duration>,
    beaten: Instant,
}

impl ZeroWorkers {
    /// Connects `workers` of them, each with `lanes` lanes, from one thread.
    ///
    /// # Errors
    /// In words, when the address is none or the system has no more sockets or threads.
    pub fn start(address: &str, workers: u32, lanes: u32) -> Result<Self, String> {
        let group = Group::open(address, workers, lanes).map_err(|error| error.to_string())?;
        let (stop, failure) = (Arc::new(AtomicBool::new(false)), Arc::new(OnceLock::new()));
        let (seen, told) = (Arc::clone(&stop), Arc::clone(&failure));
        let spawn = || -> io::Result<JoinHandle<()>> {
            thread::Builder::new()
                .name("zero-workers".to_owned())
                .spawn(move || {
                    if let Err(text) = group.serve(&seen) {
                        // Set once: this is the thread's end.
                        let _ = told.set(text);
                    }
                })
        };
        let thread = spawn().map_err(|error| error.to_string())?;
        Ok(Self {
            stop,
            failure,
            thread: Some(thread),
        })
    }

    /// Why the thread stopped by itself: the scheduler said goodbye, or a frame made no sense. `None` while it serves.
    pub fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }
}

impl Drop for ZeroWorkers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to end.
            let _ = thread.join();
        }
    }
}

impl Group {
    fn open(address: &str, workers: u32, lanes: u32) -> Result<Self, NetError> {
        let mut dealers = Dealers::connect(address, workers as usize)?;
        let mut encoder = Encoder::new(0);
        for at in 0..workers as usize {
            let hello = encoder.hello(&Hello {
                role: Role::Worker,
                session: [0; 16],
                package_version: env!("CARGO_PKG_VERSION"),
                capabilities: Vec::new(),
                key_binding: &[],
                name: "zero",
                host: "bench",
                pid: std::process::id(),
                data_address: "",
                lanes,
                memory_bytes: 0,
                update_credit: 0,
                grace_ms: 0,
                greeting: 0,
                answered: 0,
            });
            dealers.send(at, &mut [Part::from_vec(hello.head)])?;
        }
        let mut all = Vec::new();
        all.resize_with(workers as usize, Worker::default);
        Ok(Self {
            dealers,
            workers: all,
            aligned: Aligned::new(),
            encoder,
            beat: None,
            beaten: Instant::now(),
        })
    }

    /// Answers until told to stop, or until something is wrong.
    fn serve(mut self, stop: &AtomicBool) -> Result<(), String> {
        let in_words = |error: NetError| error.to_string();
        let (mut ready, mut parts) = (Vec::new(), Vec::new());
        while !stop.load(Ordering::Acquire) {
            self.dealers.wait(TURN, &mut ready).map_err(in_words)?;
            for &at in &ready {
                while self.dealers.receive(at, &mut parts).map_err(in_words)? {
                    self.answer(at, &parts)?;
                }
            }
            self.beat().map_err(in_words)?;
        }
        Ok(())
    }

    /// Answers one frame.
    fn answer(&mut self, at: usize, parts: &[Part]) -> Result<(), String> {
        let wrong = |error: WireError| error.to_string();
        let frame = Frame::open(parts, &mut self.aligned).map_err(wrong)?;
        let worker = &mut self.workers[at];
        match hear(&frame).map_err(wrong)? {
            Told::Welcome {
                peer,
                incarnation,
                epoch,
                heartbeat_ms,
            } => {
                worker.fence = Some(Fence {
                    epoch,
                    proc: ProcId(peer),
                    incarnation: Incarnation(incarnation),
                });
                if self.encoder.epoch() != epoch {
                    self.encoder = Encoder::new(epoch);
                }
                self.beat = Some(Duration::from_millis(u64::from(heartbeat_ms)));
            }
            Told::Layer { serial, data_codec } => worker.sums.define(serial, data_codec),
            Told::Assign => {
                let fence = worker.fence.ok_or("work came before a welcome")?;
                let done = worker.sums.answer(&frame, fence, &mut self.encoder)?;
                let mut parts = [Part::default(), Part::default()];
                let frames = std::iter::once(done.head).chain(done.payload);
                for (part, bytes) in parts.iter_mut().zip(frames) {
                    *part = Part::from_vec(bytes);
                }
                let sent = self.dealers.send(at, &mut parts);
                sent.map_err(|error| error.to_string())?;
            }
            Told::Over(reason) => return Err(format!("the scheduler ended: {reason}")),
            Told::Other => {}
        }
        Ok(())
    }

    /// Sends heartbeats if they are due.
    fn beat(&mut self) -> Result<(), NetError> {
        if self.beat.is_none_or(|every| self.beaten.elapsed() < every) {
            return Ok(());
        }
        self.beaten = Instant::now();
        for (at, worker) in self.workers.iter().enumerate() {
            let Some(fence) = worker.fence else { continue };
            let beat = self.encoder.heartbeat(&Heartbeat {
                peer: fence.proc.0,
                incarnation: fence.incarnation.0,
                ..Heartbeat::default()
            });
            self.dealers.send(at, &mut [Part::from_vec(beat.head)])?;
        }
        Ok(())
    }
}
