//! A file written beside the run: the engine's thread fills a buffer, a thread of its own writes. What waits for the
//! disk is bounded; a disk that is full, failing or too slow ends the file, never the run.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::error::ServerError;

/// The buffer goes to the writer when it has this many bytes, or is this old.
const CHUNK_BYTES: usize = 64 << 10;
const CHUNK_AGE: Duration = Duration::from_millis(100);
/// What may wait for the disk.
const WAITING_BYTES_MAX: usize = 64 << 20;
const WAITING_CHUNKS_MAX: usize = 1024;

/// Why a file ended before the run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolFailure {
    /// Name in Heddle's table of errors.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

/// What the writer and the engine's thread both see.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    waiting_bytes: AtomicUsize,
    failure: Mutex<Option<SpoolFailure>>,
}

impl Progress {
    pub fn failure(&self) -> Option<SpoolFailure> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.clone()
    }

    fn fail(&self, reason: SpoolFailure) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(reason);
    }
}

/// One such file; the default is none.
#[derive(Debug, Default)]
pub(crate) struct Spool {
    open: Option<Open>,
    progress: Arc<Progress>,
}

#[derive(Debug)]
struct Open {
    /// What is written where, for people: `recording to run.rec`.
    what: String,
    buffer: Vec<u8>,
    since: Instant,
    chunks: SyncSender<Vec<u8>>,
    thread: JoinHandle<()>,
}

impl Spool {
    /// Creates the file. `doing` is what writing it is called.
    pub fn create(path: &Path, doing: &str) -> Result<Self, ServerError> {
        let what = format!("{doing} to {}", path.display());
        let file = File::create(path)
            .map_err(|error| ServerError::Spool(failure(&what, &error.kind(), &error)))?;
        let progress = Arc::new(Progress::default());
        let (chunks, received) = sync_channel(WAITING_CHUNKS_MAX);
        let thread = thread::Builder::new()
            .name("heddle-spool".to_owned())
            .spawn({
                let (what, progress) = (what.clone(), Arc::clone(&progress));
                move || write_chunks(file, &what, &received, &progress)
            })
            .map_err(|error| ServerError::Thread(error.to_string()))?;
        let open = Open {
            what,
            buffer: Vec::new(),
            since: Instant::now(),
            chunks,
            thread,
        };
        Ok(Self {
            open: Some(open),
            progress,
        })
    }

    /// Whether anything is written.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// What others see of it.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// What will be written next, to be added to; `None` when the file is none or has ended.
    pub fn buffer(&mut self) -> Option<&mut Vec<u8>> {
        self.open.as_mut().map(|open| &mut open.buffer)
    }

    /// Hands the buffer to the writer if there is much in it, or it is old. Once per turn.
    pub fn turn(&mut self) {
        let due = self.open.as_ref().is_some_and(|open| {
            open.buffer.len() >= CHUNK_BYTES
                || (!open.buffer.is_empty() && open.since.elapsed() >= CHUNK_AGE)
        });
        if due {
            self.pass_on();
        }
    }

    /// Writes the rest and closes the file.
    pub fn finish(&mut self) {
        self.pass_on();
        if let Some(Open { chunks, thread, .. }) = self.open.take() {
            drop(chunks);
            // Its outcome is in `progress`.
            let _ = thread.join();
        }
    }

    fn pass_on(&mut self) {
        let Some(open) = &mut self.open else {
            return;
        };
        let chunk = std::mem::take(&mut open.buffer);
        open.since = Instant::now();
        let (waiting, bytes) = (&self.progress.waiting_bytes, chunk.len());
        let all = waiting.fetch_add(bytes, Ordering::Relaxed) + bytes;
        // One frame alone may be larger.
        let full = all > WAITING_BYTES_MAX && all > bytes;
        let outcome = if full {
            Err(TrySendError::Full(chunk))
        } else {
            open.chunks.try_send(chunk)
        };
        match outcome {
            Ok(()) => return,
            Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(_)) => {
                let slow = "the disk is slower than the run";
                let kind = std::io::ErrorKind::Other;
                self.progress.fail(failure(&open.what, &kind, &slow));
            }
        }
        // The thread ends by itself: its channel closes.
        self.open = None;
    }
}

/// The writer's thread: until the channel closes or the disk refuses.
fn write_chunks(mut file: File, what: &str, chunks: &Receiver<Vec<u8>>, progress: &Progress) {
    for chunk in chunks {
        if let Err(error) = file.write_all(&chunk) {
            progress.fail(failure(what, &error.kind(), &error));
            return;
        }
        let waiting = &progress.waiting_bytes;
        waiting.fetch_sub(chunk.len(), Ordering::Relaxed);
    }
}

fn failure(what: &str, kind: &std::io::ErrorKind, why: &dyn std::fmt::Display) -> SpoolFailure {
    let code = match kind {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => "ERR_DISK_FULL",
        std::io::ErrorKind::NotFound => "ERR_FILE_MISSING",
        _ => "ERR_IO",
    };
    SpoolFailure {
        code,
        message: format!("{what} stopped, the run is untouched: {why}"),
    }
}
