//! Traces: which task ran when on which lane, and which values moved, as Chrome trace events that Perfetto opens.
//!
//! Workers are asked in their Welcome to tell begins and ends; untraced runs carry and cost nothing. Times are
//! microseconds since the scheduler started, by the workers' clocks.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use heddle_core::Engine;
use heddle_core::id::{LayerSerial, ProcId};
use heddle_wire::{Frame, TracedSection, Transfer, read_trace};

use crate::error::ServerError;
use crate::json::string;
use crate::spool::{Progress, Spool};

/// Said in Welcome: the worker is to tell begins and ends.
const CAPABILITY: &str = "trace";
/// In a lane's number: the record went on beside the lane, while it waited for others.
const ASIDE: u32 = 1 << 31;

/// Something that took time.
struct Span<'a> {
    name: &'a str,
    category: &'static str,
    /// Microseconds.
    begin: u64,
    end: u64,
    proc: ProcId,
    thread: u32,
    /// Fields of a JSON object.
    args: &'a str,
}

/// Writes a trace, unless none is wanted or it has ended.
#[derive(Debug, Default)]
pub(crate) struct Tracer {
    spool: Spool,
    /// Milliseconds since the Unix epoch when the trace began.
    origin_ms: f64,
    pairs: u64,
    text: String,
}

impl Tracer {
    /// Creates the file and begins the array.
    pub fn create(path: &Path) -> Result<Self, ServerError> {
        let mut this = Self {
            spool: Spool::create(path, "tracing")?,
            origin_ms: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0.0, |time| time.as_secs_f64() * 1e3),
            ..Self::default()
        };
        this.text
            .push_str(r#"[{"name":"process_name","ph":"M","pid":0,"args":{"name":"scheduler"}}"#);
        this.flush();
        Ok(this)
    }

    /// Whether anything is traced.
    pub fn is_on(&self) -> bool {
        self.spool.is_open()
    }

    /// What others see of it.
    pub fn progress(&self) -> Arc<Progress> {
        self.spool.progress()
    }

    /// What workers are asked for in their Welcome.
    pub fn capabilities(&self) -> &'static [&'static str] {
        if self.is_on() { &[CAPABILITY] } else { &[] }
    }

    /// A worker has joined: it and its lanes get their names.
    pub fn joined(&mut self, proc: u32, name: &str, lanes: u32) {
        if !self.is_on() {
            return;
        }
        self.name("process_name", proc, 0, name);
        for lane in 0..lanes {
            self.name("thread_name", proc, lane + 1, &format!("lane {lane}"));
        }
        self.flush();
    }

    fn name(&mut self, what: &str, proc: u32, thread: u32, name: &str) {
        let text = &mut self.text;
        // Writing to a string cannot fail, here and below.
        let _ = write!(
            text,
            ",\n{{\"name\":\"{what}\",\"ph\":\"M\",\"pid\":{proc},\"tid\":{thread},\"args\":{{\"name\":"
        );
        string(text, name);
        text.push_str("}}");
    }

    /// A frame of a worker, before it is applied: its layers are still known.
    pub fn frame(&mut self, engine: &Engine, proc: ProcId, frame: &Frame<'_>) {
        let (mut sections, mut transfers) = (Vec::new(), Vec::new());
        if read_trace(
            frame,
            |section| sections.push(section),
            |transfer| transfers.push(transfer),
        )
        .is_err()
        {
            // Columns that do not fit: the frame counts, its times do not.
            return;
        }
        for section in &sections {
            let name = engine
                .layer(LayerSerial(section.serial))
                .map_or("task", |layer| layer.name);
            self.section(proc, name, section);
        }
        for transfer in &transfers {
            self.transfer(proc, transfer);
        }
        self.flush();
    }

    fn section(&mut self, proc: ProcId, name: &str, section: &TracedSection<'_>) {
        let (aside, lane) = (section.lane & ASIDE != 0, section.lane & !ASIDE);
        for at in 0..section.begins.len() {
            let begin = self.micros(section.trace_ms, section.begins.get(at));
            let end = self.micros(section.trace_ms, section.ends.get(at));
            let index = if section.indices.is_empty() {
                section.first + at as u32
            } else {
                section.indices.get(at)
            };
            let args = format!(
                "\"layer\":{},\"index\":{index},\"attempt\":{},\"outcome\":\"{}\"",
                section.serial,
                section.attempts.get_or(at, 1),
                section.outcome,
            );
            let span = Span {
                name,
                category: "task",
                begin,
                end: end.max(begin),
                proc,
                thread: lane + 1,
                args: &args,
            };
            if aside {
                self.pair(&span);
            } else {
                self.complete(&span);
            }
        }
    }

    fn transfer(&mut self, proc: ProcId, transfer: &Transfer) {
        let begin = self.micros(transfer.trace_ms, transfer.begin_us);
        let end = self.micros(transfer.trace_ms, transfer.end_us);
        let args = format!("\"from\":{},\"bytes\":{}", transfer.from, transfer.bytes);
        self.pair(&Span {
            name: "transfer",
            category: "transfer",
            begin,
            end: end.max(begin),
            proc,
            thread: 0,
            args: &args,
        });
    }

    /// One event: nothing else is on that thread meanwhile.
    fn complete(&mut self, span: &Span<'_>) {
        self.open("X", span.begin, span);
        let _ = write!(
            self.text,
            ",\"dur\":{},\"args\":{{{}}}}}",
            span.end - span.begin,
            span.args
        );
    }

    /// A pair of events with a number of its own: transfers, and tasks that wait beside their lane, overlap.
    fn pair(&mut self, span: &Span<'_>) {
        self.pairs += 1;
        for (phase, at) in [("b", span.begin), ("e", span.end)] {
            self.open(phase, at, span);
            let _ = write!(
                self.text,
                ",\"id\":{},\"args\":{{{}}}}}",
                self.pairs, span.args
            );
        }
    }

    fn open(&mut self, phase: &str, at: u64, span: &Span<'_>) {
        self.text.push_str(",\n{\"name\":");
        string(&mut self.text, span.name);
        let _ = write!(
            self.text,
            ",\"cat\":\"{}\",\"ph\":\"{phase}\",\"ts\":{at},\"pid\":{},\"tid\":{}",
            span.category, span.proc.0, span.thread,
        );
    }

    fn micros(&self, base_ms: f64, us: u32) -> u64 {
        // What is no time, or before the trace, becomes its beginning.
        let base = ((base_ms - self.origin_ms) * 1e3).max(0.0) as u64;
        base + u64::from(us)
    }

    fn flush(&mut self) {
        if let Some(buffer) = self.spool.buffer() {
            buffer.extend_from_slice(self.text.as_bytes());
        }
        self.text.clear();
    }

    /// A turn has ended.
    pub fn turn(&mut self) {
        self.spool.turn();
    }

    /// Ends the array and closes the file.
    pub fn finish(&mut self) {
        self.text.push_str("]\n");
        self.flush();
        self.spool.finish();
    }
}
