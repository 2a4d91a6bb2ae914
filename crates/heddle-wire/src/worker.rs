//! What workers say: outcomes and lanes.

use crate::check::{at_most, codes, exact, length, one_way, payload, root, tables, u8s, u32s};
use crate::error::WireError;
use crate::frame::Frame;
use crate::generated::protocol as fb;
use heddle_core::column::U8s;
use heddle_core::event::{DoneSection, Event, Fence, Outcome};
use heddle_core::id::{Incarnation, LayerSerial, ProcId};
use heddle_core::limits;

/// The fence of a frame. A worker that speaks for another is not stale, it is wrong.
fn fence(
    frame: &Frame<'_>,
    proc: ProcId,
    named: u32,
    incarnation: u32,
) -> Result<Fence, WireError> {
    if named != proc.0 {
        return Err(WireError::protocol(
            "proc",
            u64::from(named),
            "is not the sender",
        ));
    }
    Ok(Fence {
        epoch: frame.header.epoch,
        proc,
        incarnation: Incarnation(incarnation),
    })
}

pub(crate) fn lanes<'a>(frame: &Frame<'a>, proc: ProcId) -> Result<Event<'a>, WireError> {
    let table = root::<fb::Lanes<'_>>(frame.body)?;
    let from = fence(frame, proc, table.proc_(), table.incarnation())?;
    let lanes = u32s(table.lanes());
    let (lane_epochs, states) = (u32s(table.lane_epochs()), u8s(table.states()));
    at_most(
        lanes.len() as u64,
        limits::RECORDS_PER_SECTION_MAX,
        "Lanes.lanes",
    )?;
    exact(lane_epochs.len(), lanes.len(), "Lanes.lane_epochs")?;
    exact(states.len(), lanes.len(), "Lanes.states")?;
    for lane in lanes.iter() {
        at_most(
            u64::from(lane) + 1,
            limits::LANES_PER_PROC_MAX,
            "Lanes.lanes",
        )?;
    }
    if let Some(at) = states
        .iter()
        .position(|state| fb::LaneState(state).variant_name().is_none())
    {
        return Err(WireError::protocol(
            "Lanes.states",
            at as u64,
            "has an unknown code",
        ));
    }
    Ok(Event::LanesChanged {
        from,
        lanes,
        lane_epochs,
        states,
    })
}

pub(crate) fn done<R>(
    frame: &Frame<'_>,
    proc: ProcId,
    then: impl FnOnce(Event<'_>) -> R,
) -> Result<R, WireError> {
    let table = root::<fb::Done<'_>>(frame.body)?;
    let from = fence(frame, proc, table.proc_(), table.incarnation())?;
    let count = tables(
        table.sections(),
        limits::SECTIONS_PER_FRAME_MAX,
        "Done.sections",
    )?;
    let mut sections = Vec::with_capacity(count);
    for section in table.sections().into_iter().flatten() {
        sections.push(read_section(section, &frame.payload)?);
    }
    Ok(then(Event::Done {
        from,
        sections: &sections,
    }))
}

fn read_section<'a>(
    section: fb::DoneSection<'a>,
    parts: &[&'a [u8]],
) -> Result<DoneSection<'a>, WireError> {
    let outcome = section.outcome().0;
    let outcome = Outcome::from_u8(outcome).ok_or(WireError::protocol(
        "DoneSection.outcome",
        u64::from(outcome),
        "is unknown",
    ))?;
    let rows = section.count() as usize;
    at_most(
        rows as u64,
        limits::RECORDS_PER_SECTION_MAX,
        "DoneSection.count",
    )?;
    let mut read = DoneSection {
        lane: section.lane(),
        lane_epoch: section.lane_epoch(),
        serial: LayerSerial(section.serial()),
        outcome,
        first: section.first(),
        count: section.count(),
        indices: u32s(section.indices()),
        attempts: u32s(section.attempts()),
        codec: section.codec().0,
        codecs: u8s(section.codecs()),
        stride: section.stride(),
        sizes: u32s(section.sizes()),
        homes: u8s(section.homes()),
        values: &[],
        duration_us: section.duration_us(),
        durations_us: u32s(section.durations_us()),
        retryable: section.retryable(),
        missing_serials: u32s(section.missing_serials()),
        missing_indices: u32s(section.missing_indices()),
        missing_procs: u32s(section.missing_procs()),
    };
    check_columns(&read, rows)?;
    let bytes = inline_bytes(&read, rows)?;
    read.values = payload(
        parts,
        section.part(),
        section.offset(),
        bytes,
        "DoneSection.part",
    )?;
    Ok(read)
}

fn check_columns(section: &DoneSection<'_>, rows: usize) -> Result<(), WireError> {
    if section.indices.is_empty() {
        let end = u64::from(section.first) + rows as u64;
        at_most(end, limits::TASKS_PER_LAYER_MAX, "DoneSection.first")?;
    }
    length(section.indices.len(), rows, "DoneSection.indices")?;
    length(section.attempts.len(), rows, "DoneSection.attempts")?;
    length(section.codecs.len(), rows, "DoneSection.codecs")?;
    length(section.sizes.len(), rows, "DoneSection.sizes")?;
    length(section.homes.len(), rows, "DoneSection.homes")?;
    length(section.durations_us.len(), rows, "DoneSection.durations_us")?;
    codes(
        U8s::new(&[section.codec]),
        fb::Codec::Error.0,
        "DoneSection.codec",
    )?;
    codes(section.codecs, fb::Codec::Error.0, "DoneSection.codecs")?;
    codes(section.homes, fb::Home::Stored.0, "DoneSection.homes")?;
    one_way(section.stride, section.sizes, "DoneSection.stride")?;
    let named = [
        section.missing_serials,
        section.missing_indices,
        section.missing_procs,
    ];
    for column in named {
        match section.outcome {
            Outcome::MissingInput => exact(column.len(), rows, "DoneSection.missing_serials")?,
            _ => length(column.len(), rows, "DoneSection.missing_serials")?,
        }
    }
    Ok(())
}

/// Bytes of the inline values; checks that each may be inline.
fn inline_bytes(section: &DoneSection<'_>, rows: usize) -> Result<u64, WireError> {
    let max = match section.outcome {
        Outcome::Failed => limits::ERROR_BYTES_MAX,
        _ => limits::INLINE_BYTES_MAX,
    };
    let uniform = section.sizes.is_empty() && section.homes.is_empty() && section.codecs.is_empty();
    if uniform {
        at_most(u64::from(section.stride), max, "DoneSection.stride")?;
        if section.codec == fb::Codec::Parts.0 && rows > 0 {
            return Err(WireError::protocol(
                "DoneSection.codec",
                0,
                "holds parts inline",
            ));
        }
        return Ok(u64::from(section.stride) * rows as u64);
    }
    let mut bytes = 0;
    for row in 0..rows {
        if section.homes.get(row) == fb::Home::Stored.0 {
            continue;
        }
        if section.codecs.get_or(row, section.codec) == fb::Codec::Parts.0 {
            return Err(WireError::protocol(
                "DoneSection.codecs",
                row as u64,
                "holds parts inline",
            ));
        }
        let size = if section.stride > 0 {
            section.stride
        } else {
            section.sizes.get(row)
        };
        at_most(u64::from(size), max, "DoneSection.sizes")?;
        bytes += u64::from(size);
    }
    Ok(bytes)
}
