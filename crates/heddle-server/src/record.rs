//! Records: every input of the engine with its time, so that a run can be repeated without its peers.
//!
//! What is written is what entered: verified frames with the identity of their sender, and the small events that
//! connections cause ([`crate::spool`] writes them).
//!
//! File: magic, then records of `u32 length | u32 CRC-32 | body`, little-endian. A body begins with its [`Kind`]; the
//! first is a header, the last of a whole file a trailer. Bound to one build: there is no other reader.

use std::path::Path;
use std::sync::Arc;

use heddle_core::id::{ClientId, Millis};
use heddle_core::{CheckLevel, Engine, Event};
use heddle_wire::Sender;

use crate::error::ServerError;
use crate::spool::{Progress, Spool};

/// The first bytes of a file.
pub(crate) const MAGIC: &[u8; 8] = b"HEDDLREC";
/// Which sources this engine was built from.
pub(crate) const BUILD: &str = env!("HEDDLE_BUILD");
/// Bytes before a body: its length and its CRC-32.
pub(crate) const PREFIX_BYTES: usize = 8;

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

/// Records, unless nothing is to be recorded or recording has ended.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    spool: Spool,
    events: u64,
}

impl Recorder {
    /// Creates the file and writes the header.
    pub fn create(
        path: &Path,
        package_version: &str,
        epoch: u32,
        check: CheckLevel,
    ) -> Result<Self, ServerError> {
        let mut this = Self {
            spool: Spool::create(path, "recording")?,
            events: 0,
        };
        if let Some(bytes) = this.spool.buffer() {
            bytes.extend_from_slice(MAGIC);
        }
        this.body(Kind::Header, |bytes| {
            text(bytes, package_version);
            text(bytes, BUILD);
            bytes.extend(epoch.to_le_bytes());
            bytes.push(check as u8);
        });
        Ok(this)
    }

    /// Whether anything is recorded.
    pub fn is_on(&self) -> bool {
        self.spool.is_open()
    }

    /// What others see of the recording.
    pub fn progress(&self) -> Arc<Progress> {
        self.spool.progress()
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
                bytes.extend(u32::from(joined.ahead).to_le_bytes());
                text(bytes, joined.host);
                text(bytes, joined.name);
                text(bytes, joined.data_address);
            }),
            _ => {}
        }
    }

    /// The client was told all it could be told; that changes what the engine knows of it.
    pub fn updated(&mut self, client: ClientId) {
        self.body(Kind::Updated, |bytes| bytes.extend(client.0.to_le_bytes()));
    }

    /// The effects of a turn were encoded.
    pub fn turn(&mut self) {
        self.body(Kind::Turn, |_| {});
        self.spool.turn();
    }

    /// Ends the recording with the run. `engine`: `None` if it failed and is not read again.
    pub fn finish(mut self, engine: Option<&Engine>) {
        if let Some(engine) = engine.filter(|_| self.is_on()) {
            let (digest, stats, events) = (engine.digest(), engine.stats(), self.events);
            self.body(Kind::Trailer, |bytes| {
                for number in [digest, events, stats.tasks_completed] {
                    bytes.extend(number.to_le_bytes());
                }
            });
        }
        self.spool.finish();
    }

    fn small(&mut self, kind: Kind, now: Millis, id: u32, number: u64) {
        self.event_body(kind, now, |bytes| {
            bytes.extend(id.to_le_bytes());
            bytes.extend(number.to_le_bytes());
        });
    }

    fn event_body(&mut self, kind: Kind, now: Millis, fill: impl FnOnce(&mut Vec<u8>)) {
        self.events += 1;
        self.body(kind, |bytes| {
            bytes.extend(now.0.to_le_bytes());
            fill(bytes);
        });
    }

    fn body(&mut self, kind: Kind, fill: impl FnOnce(&mut Vec<u8>)) {
        let Some(bytes) = self.spool.buffer() else {
            return;
        };
        let at = bytes.len();
        bytes.extend([0; PREFIX_BYTES]);
        bytes.push(kind as u8);
        fill(bytes);
        let body = at + PREFIX_BYTES;
        let crc = crc32fast::hash(&bytes[body..]);
        let length = (bytes.len() - body) as u32;
        bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
        bytes[at + 4..body].copy_from_slice(&crc.to_le_bytes());
    }
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}
