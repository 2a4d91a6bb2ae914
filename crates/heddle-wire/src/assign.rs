//! `Assign`, the hot frame to workers: written from the engine's columns, read back in place.

use crate::check::{at_most, exact, i32s, length, one_way, payload, root, tables, u8s, u32s};
use crate::error::WireError;
use crate::frame::Frame;
use crate::generated::protocol as fb;
use core::ops::Range;
use flatbuffers::{FlatBufferBuilder, WIPOffset};
use heddle_core::column::{I32s, U8s, U32s};
use heddle_core::limits;
use heddle_core::out::AssignSection;

/// No payload in a section.
const NO_PART: u16 = u16::MAX;

/// Where the bytes of a section stand in payload part 0.
#[derive(Clone, Copy, Default)]
pub(crate) struct Placed {
    data: u32,
    deps: u32,
}

/// Appends the bytes of a section to payload part 0: row data, then inputs, each at a multiple of 8.
pub(crate) fn place(section: &AssignSection, part: &mut Vec<u8>) -> Placed {
    Placed {
        data: append(&section.data, part),
        deps: append(&section.dep_bytes, part),
    }
}

/// Payload bytes `place` adds at most.
pub(crate) fn placed_bytes(section: &AssignSection) -> usize {
    section.data.len() + section.dep_bytes.len() + 16
}

fn append(bytes: &[u8], part: &mut Vec<u8>) -> u32 {
    if bytes.is_empty() {
        return 0;
    }
    part.resize(part.len().next_multiple_of(8), 0);
    let at = part.len() as u32;
    part.extend_from_slice(bytes);
    at
}

/// Writes one section.
pub(crate) fn write<'a>(
    fbb: &mut FlatBufferBuilder<'a>,
    section: &AssignSection,
    placed: Placed,
) -> WIPOffset<fb::AssignSection<'a>> {
    // An empty column is absent.
    macro_rules! column {
        ($name:ident) => {
            (!section.$name.is_empty()).then(|| fbb.create_vector(&section.$name))
        };
    }
    let has_bytes = !section.data.is_empty() || !section.dep_bytes.is_empty();
    let args = fb::AssignSectionArgs {
        lane: section.lane,
        lane_epoch: section.lane_epoch,
        serial: section.serial,
        first: section.first,
        count: section.count,
        indices: column!(indices),
        attempts: column!(attempts),
        functions: column!(functions),
        priorities: column!(priorities),
        resource_classes: column!(resource_classes),
        flags: None,
        timeouts_ms: column!(timeouts_ms),
        part: if has_bytes { 0 } else { NO_PART },
        data_offset: placed.data,
        data_stride: stride(section.data_stride, &section.data_sizes),
        data_sizes: data_sizes(fbb, section),
        dep_counts: column!(dep_counts),
        dep_serial: section.dep_serial,
        dep_serials: column!(dep_serials),
        dep_indices: column!(dep_indices),
        dep_attempts: column!(dep_attempts),
        dep_parts: column!(dep_parts),
        dep_procs: column!(dep_procs),
        dep_codecs: column!(dep_codecs),
        dep_codec: fb::Codec(section.dep_codec),
        dep_stride: stride(section.dep_stride, &section.dep_sizes),
        dep_sizes: column!(dep_sizes),
        dep_offset: placed.deps,
    };
    fb::AssignSection::create(fbb, &args)
}

/// Row data of zero bytes is still row data: sizes of 0 say so, where absence would say there is none.
fn data_sizes<'a>(
    fbb: &mut FlatBufferBuilder<'a>,
    section: &AssignSection,
) -> Option<WIPOffset<flatbuffers::Vector<'a, u32>>> {
    if section.data_sizes.is_empty() {
        let all_empty = section.has_data && section.data_stride == 0;
        return all_empty.then(|| fbb.create_vector(&vec![0_u32; section.count as usize]));
    }
    Some(fbb.create_vector(&section.data_sizes))
}

/// Where sizes are given the stride means nothing; a frame may not carry both.
fn stride(stride: u32, sizes: &[u32]) -> u32 {
    if sizes.is_empty() { stride } else { 0 }
}

/// A received section of `Assign`: the columns where they lie in the frame; fields as in `schemas/dispatch.fbs`.
#[derive(Clone, Copy, Debug, Default)]
#[expect(missing_docs, reason = "named and explained in schemas/dispatch.fbs")]
pub struct AssignView<'a> {
    pub lane: u32,
    pub lane_epoch: u32,
    pub serial: u32,
    pub first: u32,
    pub count: u32,
    pub indices: U32s<'a>,
    pub attempts: U32s<'a>,
    pub functions: U32s<'a>,
    pub priorities: I32s<'a>,
    pub timeouts_ms: U32s<'a>,
    pub data_stride: u32,
    pub data_sizes: U32s<'a>,
    /// Row data of all records.
    pub data: &'a [u8],
    pub dep_counts: U32s<'a>,
    pub dep_serial: u32,
    pub dep_serials: U32s<'a>,
    pub dep_indices: U32s<'a>,
    pub dep_attempts: U32s<'a>,
    pub dep_parts: U32s<'a>,
    pub dep_procs: U32s<'a>,
    pub dep_codecs: U8s<'a>,
    pub dep_codec: u8,
    pub dep_stride: u32,
    pub dep_sizes: U32s<'a>,
    /// Bytes of the inline inputs.
    pub dep_bytes: &'a [u8],
}

impl AssignView<'_> {
    /// Row of record `i`.
    #[inline]
    pub fn index(&self, i: usize) -> u32 {
        self.indices.get_or(i, self.first.wrapping_add(i as u32))
    }

    /// Bytes of row data of record `i`.
    #[inline]
    pub fn data_size(&self, i: usize) -> u32 {
        if self.data_stride > 0 {
            self.data_stride
        } else {
            self.data_sizes.get(i)
        }
    }

    /// Inputs of record `i` among all inputs, given where those of the record before end.
    pub fn inputs(&self, i: usize, from: usize) -> Range<usize> {
        from..from + self.dep_counts.get(i) as usize
    }
}

/// Reads an `Assign` frame as a worker does: for native workers, tests and the benchmark.
///
/// # Errors
/// When the body is malformed or beyond a limit.
pub fn read_assign<'a>(
    frame: &Frame<'a>,
    mut each: impl FnMut(u32, &AssignView<'a>),
) -> Result<(), WireError> {
    let table = root::<fb::Assign<'_>>(frame.body)?;
    tables(
        table.sections(),
        limits::SECTIONS_PER_FRAME_MAX,
        "Assign.sections",
    )?;
    for section in table.sections().into_iter().flatten() {
        each(table.proc_(), &read(section, &frame.payload)?);
    }
    Ok(())
}

fn read<'a>(
    section: fb::AssignSection<'a>,
    parts: &[&'a [u8]],
) -> Result<AssignView<'a>, WireError> {
    let mut view = AssignView {
        lane: section.lane(),
        lane_epoch: section.lane_epoch(),
        serial: section.serial(),
        first: section.first(),
        count: section.count(),
        indices: u32s(section.indices()),
        attempts: u32s(section.attempts()),
        functions: u32s(section.functions()),
        priorities: i32s(section.priorities()),
        timeouts_ms: u32s(section.timeouts_ms()),
        data_stride: section.data_stride(),
        data_sizes: u32s(section.data_sizes()),
        data: &[],
        dep_counts: u32s(section.dep_counts()),
        dep_serial: section.dep_serial(),
        dep_serials: u32s(section.dep_serials()),
        dep_indices: u32s(section.dep_indices()),
        dep_attempts: u32s(section.dep_attempts()),
        dep_parts: u32s(section.dep_parts()),
        dep_procs: u32s(section.dep_procs()),
        dep_codecs: u8s(section.dep_codecs()),
        dep_codec: section.dep_codec().0,
        dep_stride: section.dep_stride(),
        dep_sizes: u32s(section.dep_sizes()),
        dep_bytes: &[],
    };
    check_columns(&view)?;
    let rows = u64::from(view.count);
    let data = match view.data_stride {
        0 => view.data_sizes.iter().map(u64::from).sum(),
        stride => u64::from(stride) * rows,
    };
    let place = "AssignSection.part";
    view.data = payload(parts, section.part(), section.data_offset(), data, place)?;
    let deps = inline_dep_bytes(&view);
    view.dep_bytes = payload(parts, section.part(), section.dep_offset(), deps, place)?;
    Ok(view)
}

fn check_columns(view: &AssignView<'_>) -> Result<(), WireError> {
    let rows = view.count as usize;
    at_most(
        rows as u64,
        limits::RECORDS_PER_SECTION_MAX,
        "AssignSection.count",
    )?;
    length(view.indices.len(), rows, "AssignSection.indices")?;
    length(view.attempts.len(), rows, "AssignSection.attempts")?;
    length(view.functions.len(), rows, "AssignSection.functions")?;
    length(view.priorities.len(), rows, "AssignSection.priorities")?;
    length(view.timeouts_ms.len(), rows, "AssignSection.timeouts_ms")?;
    length(view.data_sizes.len(), rows, "AssignSection.data_sizes")?;
    length(view.dep_counts.len(), rows, "AssignSection.dep_counts")?;
    one_way(
        view.data_stride,
        view.data_sizes,
        "AssignSection.data_stride",
    )?;
    one_way(view.dep_stride, view.dep_sizes, "AssignSection.dep_stride")?;
    let deps = view.dep_counts.iter().map(u64::from).sum::<u64>();
    exact(
        view.dep_indices.len(),
        deps as usize,
        "AssignSection.dep_indices",
    )?;
    let deps = deps as usize;
    length(view.dep_serials.len(), deps, "AssignSection.dep_serials")?;
    length(view.dep_attempts.len(), deps, "AssignSection.dep_attempts")?;
    length(view.dep_parts.len(), deps, "AssignSection.dep_parts")?;
    length(view.dep_procs.len(), deps, "AssignSection.dep_procs")?;
    length(view.dep_codecs.len(), deps, "AssignSection.dep_codecs")?;
    length(view.dep_sizes.len(), deps, "AssignSection.dep_sizes")
}

/// Bytes of the inputs that travel in the frame.
fn inline_dep_bytes(view: &AssignView<'_>) -> u64 {
    let deps = view.dep_indices.len();
    if view.dep_procs.is_empty() {
        return match view.dep_stride {
            0 => view.dep_sizes.iter().map(u64::from).sum(),
            stride => u64::from(stride) * deps as u64,
        };
    }
    let size = |i| {
        if view.dep_stride > 0 {
            view.dep_stride
        } else {
            view.dep_sizes.get(i)
        }
    };
    (0..deps)
        .filter(|&i| view.dep_procs.get(i) == 0)
        .map(|i| u64::from(size(i)))
        .sum()
}
