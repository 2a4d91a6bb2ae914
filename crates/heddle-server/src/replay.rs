//! Repeats a recorded run offline: the same inputs through the same decoder, engine and encoder, timed by stage.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use heddle_core::event::ProcJoined;
use heddle_core::id::{ClientId, Incarnation, Millis, ProcId};
use heddle_core::{CheckLevel, Config, Engine, Event, Out, UpdateOut};
use heddle_wire::{Aligned, Encoder, Frame, Inbound, Sender, decode};

use crate::outbound::{UPDATE_BYTES, encode_proc, views};
use crate::record::{BUILD, Kind, MAGIC, PREFIX_BYTES};
use crate::templates::{Step, Templates};

/// A longer body is none: a frame's parts are bounded far below.
const BODY_BYTES_MAX: usize = 1 << 30;

/// A record that cannot be replayed, or whose replay came to another end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayError {
    /// Name in Heddle's table of errors.
    pub code: &'static str,
    /// For people: where, what, and what to do.
    pub message: String,
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ReplayError {}

/// What a replay did. Times are wall time of this thread, in ns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplayReport {
    /// Inputs of the engine.
    pub events: u64,
    /// Those that came as frames.
    pub frames: u64,
    /// Turns of the recorded loop.
    pub turns: u64,
    /// Results accepted, and tasks that failed for good.
    pub tasks_completed: u64,
    /// Tasks that failed for good.
    pub tasks_failed: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// The engine's digest at the end: equal to the recorded one.
    pub digest: u64,
    /// Reading the file and comparing CRCs.
    pub read_ns: u64,
    /// Verifying and decoding frames.
    pub decode_ns: u64,
    /// The engine.
    pub apply_ns: u64,
    /// Encoding what workers and clients would have been sent.
    pub encode_ns: u64,
}

/// Replays a file.
///
/// # Errors
/// `ERR_FILE_MISSING`, `ERR_IO`; `ERR_RECORD_VERSION`: of another version or build; `ERR_RECORD_TRUNCATED`,
/// `ERR_RECORD_CORRUPT` with the offset; `ERR_RECORD_DIVERGED`: the end differs from the recorded one.
pub fn replay(path: &Path, package_version: &str) -> Result<ReplayReport, ReplayError> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| ReplayError {
        code: if error.kind() == ErrorKind::NotFound {
            "ERR_FILE_MISSING"
        } else {
            "ERR_IO"
        },
        message: format!(
            "{name} cannot be read ({error}): 'heddle scheduler --record FILE' writes such files"
        ),
    })?;
    let mut reader = Reader {
        name,
        file: BufReader::with_capacity(1 << 20, file),
        offset: 0,
        body: Vec::new(),
    };
    let mut player = reader.begin(package_version)?;
    loop {
        let began = Instant::now();
        let at = reader.offset;
        let kind = reader.next()?;
        player.report.read_ns += nanos(began.elapsed());
        if kind == Kind::Trailer {
            return player.end(&reader, at);
        }
        if player.play(kind, &reader.body).is_none() {
            return Err(reader.corrupt(at, "a record that does not say what its kind says"));
        }
    }
}

fn nanos(time: Duration) -> u64 {
    time.as_nanos() as u64
}

struct Reader {
    name: String,
    file: BufReader<File>,
    offset: u64,
    body: Vec<u8>,
}

impl Reader {
    fn begin(&mut self, package_version: &str) -> Result<Player, ReplayError> {
        let mut magic = [0; MAGIC.len()];
        self.fill(&mut magic, 0)?;
        if &magic != MAGIC {
            return Err(self.corrupt(0, "no record of Heddle"));
        }
        let at = self.offset;
        if self.next()? != Kind::Header {
            return Err(self.corrupt(at, "no header"));
        }
        let mut fields = Fields(&self.body[1..]);
        let header = (|| Some((fields.text()?, fields.text()?, fields.u32()?, fields.u8()?)))();
        let Some((version, build, epoch, check)) = header else {
            return Err(self.corrupt(at, "a header that ends too early"));
        };
        if (version, build) != (package_version, BUILD) {
            return Err(ReplayError {
                code: "ERR_RECORD_VERSION",
                message: format!(
                    "{} was recorded by heddle {version} (build {build}), this is {package_version} (build {BUILD}): replay it \
                     with the build that recorded it",
                    self.name
                ),
            });
        }
        let check = match check {
            0 => CheckLevel::Off,
            1 => CheckLevel::Light,
            2 => CheckLevel::Touched,
            _ => CheckLevel::Full,
        };
        Ok(Player::new(epoch, check))
    }

    /// Reads the next body; gives its kind.
    fn next(&mut self) -> Result<Kind, ReplayError> {
        let at = self.offset;
        let mut prefix = [0; PREFIX_BYTES];
        self.fill(&mut prefix, at)?;
        let mut fields = Fields(&prefix);
        let (length, crc) = (fields.u32().unwrap_or(0), fields.u32().unwrap_or(0));
        let length = length as usize;
        if length == 0 || length > BODY_BYTES_MAX {
            return Err(self.corrupt(at, "a record of impossible length"));
        }
        // In steps: a length that lies allocates nothing the file does not have.
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        let wanted = length as u64;
        let read = (&mut self.file).take(wanted).read_to_end(&mut body);
        self.body = body;
        match read {
            Ok(read) if read == length => self.offset += wanted,
            Ok(_) => return Err(self.truncated(at)),
            Err(error) => return Err(self.io(&error)),
        }
        if crc32fast::hash(&self.body) != crc {
            return Err(self.corrupt(at, "a record whose CRC differs"));
        }
        Kind::of(self.body[0]).ok_or_else(|| self.corrupt(at, "a record of unknown kind"))
    }

    fn fill(&mut self, bytes: &mut [u8], at: u64) -> Result<(), ReplayError> {
        match self.file.read_exact(bytes) {
            Ok(()) => {
                self.offset += bytes.len() as u64;
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(self.truncated(at)),
            Err(error) => Err(self.io(&error)),
        }
    }

    fn io(&self, error: &std::io::Error) -> ReplayError {
        ReplayError {
            code: "ERR_IO",
            message: format!(
                "{} cannot be read at byte {}: {error}",
                self.name, self.offset
            ),
        }
    }

    fn truncated(&self, at: u64) -> ReplayError {
        ReplayError {
            code: "ERR_RECORD_TRUNCATED",
            message: format!(
                "{} ends in the record at byte {at}, before its trailer: the scheduler was killed or its disk was full. \
                 Record again and stop the scheduler with Ctrl-C",
                self.name
            ),
        }
    }

    fn corrupt(&self, at: u64, what: &str) -> ReplayError {
        ReplayError {
            code: "ERR_RECORD_CORRUPT",
            message: format!(
                "{} has at byte {at} {what}: the file was changed or damaged; copy or record it again",
                self.name
            ),
        }
    }
}

/// The engine being replayed.
struct Player {
    engine: Engine,
    out: Out,
    update: UpdateOut,
    encoder: Encoder,
    aligned: Aligned,
    templates: Templates,
    report: ReplayReport,
}

impl Player {
    fn new(epoch: u32, check: CheckLevel) -> Self {
        Self {
            engine: Engine::new(Config { epoch, check }),
            out: Out::new(),
            update: UpdateOut::new(),
            encoder: Encoder::new(epoch),
            aligned: Aligned::new(),
            templates: Templates::default(),
            report: ReplayReport::default(),
        }
    }

    /// Repeats one record; `None` if its fields are not what its kind has.
    fn play(&mut self, kind: Kind, body: &[u8]) -> Option<()> {
        let mut fields = Fields(&body[1..]);
        match kind {
            Kind::Header | Kind::Trailer => return None,
            Kind::Turn => self.turn(),
            Kind::Updated => self.tell(ClientId(fields.u32()?)),
            Kind::Frame => self.frame(&mut fields)?,
            Kind::ProcJoined => {
                let now = Millis(fields.u64()?);
                let joined = ProcJoined {
                    proc: ProcId(fields.u32()?),
                    incarnation: Incarnation(fields.u32()?),
                    lanes: fields.u32()?,
                    memory_bytes: fields.u64()?,
                    ahead: fields.u32()? != 0,
                    host: fields.text()?,
                    name: fields.text()?,
                    data_address: fields.text()?,
                };
                self.apply(now, Event::ProcJoined(joined));
            }
            _ => {
                let (now, id, number) = (Millis(fields.u64()?), fields.u32()?, fields.u64()?);
                self.apply(now, small(kind, id, number)?);
            }
        }
        fields.0.is_empty().then_some(())
    }

    fn apply(&mut self, now: Millis, event: Event<'_>) {
        let began = Instant::now();
        self.report.events += 1;
        // What a peer said wrongly is refused again.
        let _ = self.engine.apply(now, event, &mut self.out);
        self.report.apply_ns += nanos(began.elapsed());
    }

    fn frame(&mut self, fields: &mut Fields<'_>) -> Option<()> {
        let began = Instant::now();
        let now = Millis(fields.u64()?);
        let sender = match (fields.u8()?, fields.u32()?) {
            (0, id) => Sender::Client(ClientId(id)),
            (_, id) => Sender::Worker(ProcId(id)),
        };
        let count = fields.u32()?;
        let mut parts = Vec::new();
        for _ in 0..count {
            let length = fields.u32()?;
            parts.push(fields.take(length as usize)?);
        }
        let Self {
            engine,
            out,
            aligned,
            templates,
            report,
            ..
        } = self;
        let frame = Frame::open(&parts, aligned).ok()?;
        let applied = decode(&frame, sender, |inbound| {
            let decoded = Instant::now();
            match (inbound, sender) {
                (Inbound::Event(event), _) => {
                    let _ = engine.apply(now, event, out);
                }
                (Inbound::Template(frame), Sender::Client(client)) => {
                    templates.take(client, frame, |step| {
                        if let Step::Event(event) = step {
                            let _ = engine.apply(now, event, out);
                        }
                    });
                }
                _ => return None,
            }
            Some((decoded, Instant::now()))
        });
        let (decoded, applied) = applied.ok()??;
        report.events += 1;
        report.frames += 1;
        report.decode_ns += nanos(decoded.duration_since(began));
        report.apply_ns += nanos(applied.duration_since(decoded));
        Some(())
    }

    fn turn(&mut self) {
        let began = Instant::now();
        self.report.turns += 1;
        for out in self.out.procs() {
            encode_proc(&mut self.encoder, &self.engine, out, |_| {});
        }
        self.out.clear();
        self.report.encode_ns += nanos(began.elapsed());
    }

    fn tell(&mut self, client: ClientId) {
        let began = Instant::now();
        while self
            .engine
            .next_update(client, UPDATE_BYTES, &mut self.update)
        {
            let peers = views(&self.engine, &self.update.peers);
            // Only its time is of interest.
            let _ = self.encoder.update(&self.update, &peers);
        }
        self.report.encode_ns += nanos(began.elapsed());
    }

    fn end(mut self, reader: &Reader, at: u64) -> Result<ReplayReport, ReplayError> {
        let mut fields = Fields(&reader.body[1..]);
        let trailer = (|| Some((fields.u64()?, fields.u64()?, fields.u64()?)))();
        let Some((digest, events, tasks)) = trailer else {
            return Err(reader.corrupt(at, "a trailer that ends too early"));
        };
        let stats = self.engine.stats();
        let report = &mut self.report;
        report.digest = self.engine.digest();
        report.bytes = reader.offset;
        report.tasks_completed = stats.tasks_completed;
        report.tasks_failed = stats.tasks_failed;
        let found = (report.digest, report.events, report.tasks_completed);
        if found == (digest, events, tasks) {
            return Ok(*report);
        }
        Err(ReplayError {
            code: "ERR_RECORD_DIVERGED",
            message: format!(
                "the replay of {} ended with digest {:016x} after {} events and {} tasks, the run with {digest:016x} \
                 after {events} and {tasks}: a fault in Heddle; report it with the file",
                reader.name, found.0, found.1, found.2
            ),
        })
    }
}

fn small(kind: Kind, id: u32, number: u64) -> Option<Event<'static>> {
    let client = ClientId(id);
    let narrow = u32::try_from(number);
    Some(match kind {
        Kind::ClientJoined => Event::ClientJoined {
            client,
            update_credit: narrow.ok()?,
        },
        Kind::ClientResumed => Event::ClientResumed {
            client,
            update_credit: narrow.ok()?,
        },
        Kind::ClientLost => Event::ClientLost {
            client,
            deadline: Millis(number),
        },
        Kind::ClientLeft => Event::ClientLeft { client },
        Kind::ProcLost => Event::ProcLost {
            proc: ProcId(id),
            incarnation: Incarnation(narrow.ok()?),
        },
        Kind::Tick => Event::Tick,
        _ => return None,
    })
}

/// Fields of a body, read in order.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn u32(&mut self) -> Option<u32> {
        let bytes = self.take(4)?;
        bytes.try_into().ok().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        let bytes = self.take(8)?;
        bytes.try_into().ok().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.u32()?;
        std::str::from_utf8(self.take(length as usize)?).ok()
    }
}
