//! Times of traced runs in Done frames: read beside the event, and only when a trace is written.

use crate::check::{exact, root, u32s};
use crate::error::WireError;
use crate::frame::Frame;
use crate::generated::protocol::{self as fb, Kind};
use heddle_core::column::U32s;

/// Begins and ends of a section's records.
#[derive(Debug)]
pub struct TracedSection<'a> {
    /// Lane of the records.
    pub lane: u32,
    /// Their layer.
    pub serial: u32,
    /// `ok`, or what else became of all of them.
    pub outcome: &'static str,
    /// First row when `indices` is empty.
    pub first: u32,
    /// Rows.
    pub indices: U32s<'a>,
    /// Attempts; absent: all 1.
    pub attempts: U32s<'a>,
    /// Milliseconds since the Unix epoch that the columns count from.
    pub trace_ms: f64,
    /// When each began, in microseconds; empty if the worker tells none.
    pub begins: U32s<'a>,
    /// When each ended.
    pub ends: U32s<'a>,
}

/// A value that came from another worker.
#[derive(Debug, Clone, Copy)]
pub struct Transfer {
    /// From which proc.
    pub from: u32,
    /// How large it is.
    pub bytes: u32,
    /// Milliseconds since the Unix epoch that the times count from.
    pub trace_ms: f64,
    /// When it was asked for, in microseconds.
    pub begin_us: u32,
    /// When it was there.
    pub end_us: u32,
}

/// Reads the times of a frame that [`crate::decode`] has taken; a frame that is no Done has none.
///
/// # Errors
/// When columns differ in length; nothing more is told then.
pub fn read_trace<'a>(
    frame: &Frame<'a>,
    mut section: impl FnMut(TracedSection<'a>),
    mut transfer: impl FnMut(Transfer),
) -> Result<(), WireError> {
    if frame.header.kind != Kind::Done {
        return Ok(());
    }
    let done = root::<fb::Done<'_>>(frame.body)?;
    for read in done.sections().into_iter().flatten() {
        let (begins, ends) = (u32s(read.begins_us()), u32s(read.ends_us()));
        if begins.is_empty() {
            continue;
        }
        let rows = read.count() as usize;
        exact(begins.len(), rows, "DoneSection.begins_us")?;
        exact(ends.len(), rows, "DoneSection.ends_us")?;
        section(TracedSection {
            lane: read.lane(),
            serial: read.serial(),
            outcome: read.outcome().variant_name().unwrap_or("unknown"),
            first: read.first(),
            indices: u32s(read.indices()),
            attempts: u32s(read.attempts()),
            trace_ms: read.trace_ms(),
            begins,
            ends,
        });
    }
    let procs = u32s(done.transfer_procs());
    let columns = [
        u32s(done.transfer_bytes()),
        u32s(done.transfer_begins_us()),
        u32s(done.transfer_ends_us()),
    ];
    for column in columns {
        exact(column.len(), procs.len(), "Done.transfer_bytes")?;
    }
    for (at, from) in procs.iter().enumerate() {
        transfer(Transfer {
            from,
            bytes: columns[0].get(at),
            trace_ms: done.transfer_ms(),
            begin_us: columns[1].get(at),
            end_us: columns[2].get(at),
        });
    }
    Ok(())
}
