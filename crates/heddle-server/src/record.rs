//! Records: every input of the engine with its time, so that a run can be repeated without its peers.
//!
//! What is written is what entered: verified frames with the identity of their sender, and the small events that
//! connections cause. The engine's thread copies them into a buffer; a thread of its own writes. A disk that is full,
//! failing or too slow ends the recording, never the run.
//!
//! File: magic, then records of `u32 length | u32 CRC-32 | body`, little-endian. A body begins with its [`Kind`]; the
//! first is a header, the last of a whole file a trailer. Bound to one build: there is no other reader.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use heddle_core::id::{ClientId, Millis};
use heddle_core::{CheckLevel, Engine, Event};
use heddle_wire::Sender;

use crate::error::ServerError;

/// The first bytes of a file.
pub(crate) const MAGIC: &[u8; 8] = b"HEDDLREC";
/// Which sources this engine was built from.
pub(crate) const BUILD: &str = env!("HEDDLE_BUILD");
/// Bytes before a body: its length and its CRC-32.
pub(crate) const PREFIX_BYTES: usize = 8;

/// A chunk goes to the writer when it has this many bytes, or is this old.
const CHUNK_BYTES: usize = 64 << 10;
const CHUNK_AGE: Duration = Duration::from_millis(100);
/// What may wait for the disk. Beyond it the recording ends: the engine does not wait.
const WAITING_BYTES_MAX: usize = 64 << 20;
const WAITING_CHUNKS_MAX: usize = 1024;

/// What a body is; its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Header = 1,
    /// A frame of a known sender that means an event.
    Frame,
    ClientJoined,
    ClientResumed,
    ClientLost,
    ClientLeft,
    ProcJoined,
    ProcLost,
    Tick,
    /// A client was told all that it could be told.
    Updated,
    /// The effects so far were encoded and forgotten.
    Turn,
    Trailer,
}

impl Kind {
    const ALL: [Self; 12] = [
        Self::Header,
        Self::Frame,
        Self::ClientJoined,
        Self::ClientResumed,
        Self::ClientLost,
        Self::ClientLeft,
        Self::ProcJoined,
        Self::ProcLost,
        Self::Tick,
        Self::Updated,
        Self::Turn,
        Self::Trailer,
    ];

    pub fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// Why a recording ended before the run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFailure {
    /// Name in Heddle's table of errors.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

/// What the writer and the engine's thread both see.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    waiting_bytes: AtomicUsize,
    failure: Mutex<Option<RecordFailure>>,
}

impl Progress {
    pub fn failure(&self) -> Option<RecordFailure> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.clone()
    }

    fn fail(&self, code: &'static str, message: String) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(RecordFailure { code, message });
    }
}

/// Records, unless nothing is to be recorded or recording has ended.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    writer: Option<Writer>,
    progress: Arc<Progress>,
}

#[derive(Debug)]
struct Writer {
    path: String,
    chunk: Vec<u8>,
    since: Instant,
    events: u64,
    chunks: SyncSender<Vec<u8>>,
    thread: JoinHandle<()>,
}

impl Recorder {
    /// Creates the file and writes the header.
    pub fn create(
        path: &Path,
        package_version: &str,
        epoch: u32,
        check: CheckLevel,
    ) -> Result<Self, ServerError> {
        let name = path.display().to_string();
        let refused = |error: std::io::Error| ServerError::Record(failure(&name, &error));
        let file = File::create(path).map_err(refused)?;
        let progress = Arc::new(Progress::default());
        let (chunks, received) = sync_channel(WAITING_CHUNKS_MAX);
        let thread = thread::Builder::new()
            .name("heddle-record".to_owned())
            .spawn({
                let (name, progress) = (name.clone(), Arc::clone(&progress));
                move || write_chunks(file, &name, &received, &progress)
            })
            .map_err(|error| ServerError::Thread(error.to_string()))?;
        let mut writer = Writer {
            path: name,
            chunk: MAGIC.to_vec(),
            since: Instant::now(),
            events: 0,
            chunks,
            thread,
        };
        writer.body(Kind::Header, |bytes| {
            text(bytes, package_version);
            text(bytes, BUILD);
            bytes.extend(epoch.to_le_bytes());
            bytes.push(check as u8);
        });
        Ok(Self {
            writer: Some(writer),
            progress,
        })
    }

    /// Whether anything is recorded.
    pub fn is_on(&self) -> bool {
        self.writer.is_some()
    }

    /// What others see of the recording.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// A frame that means an event, before it is applied.
    pub fn frame<P: std::ops::Deref<Target = [u8]>>(
        &mut self,
        now: Millis,
        sender: Sender,
        parts: &[P],
    ) {
        let (role, id) = match sender {
            Sender::New => return,
            Sender::Client(client) => (0u8, client.0),
            Sender::Worker(proc) => (1, proc.0),
        };
        self.event_body(Kind::Frame, now, |bytes| {
            bytes.push(role);
            bytes.extend(id.to_le_bytes());
            bytes.extend((parts.len() as u32).to_le_bytes());
            for part in parts {
                bytes.extend((part.len() as u32).to_le_bytes());
                bytes.extend_from_slice(part);
            }
        });
    }

    /// An event that no frame carries, before it is applied; those of frames are recorded with them.
    pub fn event(&mut self, now: Millis, event: &Event<'_>) {
        match *event {
            Event::ClientJoined {
                client,
                update_credit,
            } => self.small(Kind::ClientJoined, now, client.0, update_credit.into()),
            Event::ClientResumed {
                client,
                update_credit,
            } => self.small(Kind::ClientResumed, now, client.0, update_credit.into()),
            Event::ClientLost { client, deadline } => {
                self.small(Kind::ClientLost, now, client.0, deadline.0);
            }
            Event::ClientLeft { client } => self.small(Kind::ClientLeft, now, client.0, 0),
            Event::ProcLost { proc, incarnation } => {
                self.small(Kind::ProcLost, now, proc.0, incarnation.0.into());
            }
            Event::Tick => self.small(Kind::Tick, now, 0, 0),
            Event::ProcJoined(ref joined) => self.event_body(Kind::ProcJoined, now, |bytes| {
                for number in [joined.proc.0, joined.incarnation.0, joined.lanes] {
                    bytes.extend(number.to_le_bytes());
                }
                bytes.extend(joined.memory_bytes.to_le_bytes());
                text(bytes, joined.host);
                text(bytes, joined.name);
                text(bytes, joined.data_address);
            }),
            _ => {}
        }
    }

    /// The client was told all it could be told; that changes what the engine knows of it.
    pub fn updated(&mut self, client: ClientId) {
        if let Some(writer) = &mut self.writer {
            writer.body(Kind::Updated, |bytes| bytes.extend(client.0.to_le_bytes()));
        }
    }

    /// The effects of a turn were encoded. Hands what was recorded to the writer, now and then.
    pub fn turn(&mut self) {
        let Some(writer) = &mut self.writer else {
            return;
        };
        writer.body(Kind::Turn, |_| {});
        if writer.chunk.len() >= CHUNK_BYTES || writer.since.elapsed() >= CHUNK_AGE {
            self.pass_on();
        }
    }

    /// Ends the recording with the run. `engine`: `None` if it failed and is not read again.
    pub fn finish(mut self, engine: Option<&Engine>) {
        if let (Some(writer), Some(engine)) = (&mut self.writer, engine) {
            let (digest, stats, events) = (engine.digest(), engine.stats(), writer.events);
            writer.body(Kind::Trailer, |bytes| {
                for number in [digest, events, stats.tasks_completed] {
                    bytes.extend(number.to_le_bytes());
                }
            });
        }
        self.pass_on();
        if let Some(Writer { chunks, thread, .. }) = self.writer {
            drop(chunks);
            // Its outcome is in `progress`.
            let _ = thread.join();
        }
    }

    fn small(&mut self, kind: Kind, now: Millis, id: u32, number: u64) {
        self.event_body(kind, now, |bytes| {
            bytes.extend(id.to_le_bytes());
            bytes.extend(number.to_le_bytes());
        });
    }

    fn event_body(&mut self, kind: Kind, now: Millis, fill: impl FnOnce(&mut Vec<u8>)) {
        if let Some(writer) = &mut self.writer {
            writer.events += 1;
            writer.body(kind, |bytes| {
                bytes.extend(now.0.to_le_bytes());
                fill(bytes);
            });
        }
    }

    fn pass_on(&mut self) {
        let Some(writer) = &mut self.writer else {
            return;
        };
        let chunk = std::mem::take(&mut writer.chunk);
        writer.since = Instant::now();
        let waiting = &self.progress.waiting_bytes;
        let bytes = chunk.len();
        let all = waiting.fetch_add(bytes, Ordering::Relaxed) + bytes;
        // One frame alone may be larger.
        let full = all > WAITING_BYTES_MAX && all > bytes;
        let outcome = if full {
            Err(TrySendError::Full(chunk))
        } else {
            writer.chunks.try_send(chunk)
        };
        match outcome {
            Ok(()) => return,
            Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(_)) => self.progress.fail(
                "ERR_IO",
                format!(
                    "recording to {} stopped, the run goes on: the disk is slower than the run",
                    writer.path
                ),
            ),
        }
        // The thread ends by itself: its channel closes.
        self.writer = None;
    }
}

impl Writer {
    fn body(&mut self, kind: Kind, fill: impl FnOnce(&mut Vec<u8>)) {
        let at = self.chunk.len();
        self.chunk.extend([0; PREFIX_BYTES]);
        self.chunk.push(kind as u8);
        fill(&mut self.chunk);
        let body = at + PREFIX_BYTES;
        let crc = crc32fast::hash(&self.chunk[body..]);
        let length = (self.chunk.len() - body) as u32;
        self.chunk[at..at + 4].copy_from_slice(&length.to_le_bytes());
        self.chunk[at + 4..body].copy_from_slice(&crc.to_le_bytes());
    }
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// The writer's thread: until the channel closes or the disk refuses.
fn write_chunks(mut file: File, path: &str, chunks: &Receiver<Vec<u8>>, progress: &Progress) {
    for chunk in chunks {
        if let Err(error) = file.write_all(&chunk) {
            let RecordFailure { code, message } = failure(path, &error);
            progress.fail(code, message);
            return;
        }
        progress
            .waiting_bytes
            .fetch_sub(chunk.len(), Ordering::Relaxed);
    }
}

fn failure(path: &str, error: &std::io::Error) -> RecordFailure {
    let code = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => "ERR_DISK_FULL",
        std::io::ErrorKind::NotFound => "ERR_FILE_MISSING",
        _ => "ERR_IO",
    };
    RecordFailure {
        code,
        message: format!("recording to {path} stopped, the run is untouched: {error}"),
    }
}
