//! Verified is not valid: the second stage. Every column against its length, every number against its limit.

use crate::error::WireError;
use flatbuffers::{
    Follow, ForwardsUOffset, InvalidFlatbuffer, Vector, Verifiable, VerifierOptions,
};
use heddle_core::column::{I32s, U8s, U16s, U32s};
use heddle_core::limits;

const DEPTH_MAX: usize = 8;
const TABLES_MAX: usize = 70_000;

/// Runs the FlatBuffers verifier and gives the root table.
pub(crate) fn root<'a, T>(body: &'a [u8]) -> Result<T::Inner, WireError>
where
    T: 'a + Follow<'a> + Verifiable,
{
    // Offsets may be shared, so a small buffer can unfold into much work. Tables share their vtable (64 bytes at
    // most) by design, hence the factor; the absolute bound is twice the frame cap.
    let apparent = (16 * body.len() + 4096).min(2 * limits::CONTROL_FRAME_BYTES_MAX);
    let options = VerifierOptions {
        max_depth: DEPTH_MAX,
        max_tables: TABLES_MAX,
        max_apparent_size: apparent,
        ignore_missing_null_terminator: false,
    };
    flatbuffers::root_with_opts::<T>(&options, body).map_err(|error| refused(&error))
}

fn refused(error: &InvalidFlatbuffer) -> WireError {
    use InvalidFlatbuffer as Bad;
    let (at, problem) = match error {
        Bad::MissingRequiredField { .. } => (0, "lacks a field"),
        Bad::InconsistentUnion { .. } => (0, "has a wrong union"),
        Bad::Utf8Error { range, .. } => (range.start, "has text that is not UTF-8"),
        Bad::MissingNullTerminator { range, .. } => (range.start, "has text without an end"),
        Bad::Unaligned { position, .. } => (*position, "is not aligned"),
        Bad::RangeOutOfBounds { range, .. } => (range.start, "points outside the frame"),
        Bad::SignedOffsetOutOfBounds { position, .. } => (*position, "points outside the frame"),
        Bad::TooManyTables => return WireError::limit("body", 0, "has too many tables"),
        Bad::ApparentSizeTooLarge => return WireError::limit("body", 0, "unfolds too far"),
        Bad::DepthLimitReached => return WireError::limit("body", 0, "is nested too deeply"),
    };
    WireError::protocol("body", at as u64, problem)
}

/// A column of u32; absent is empty.
#[inline]
pub(crate) fn u32s(vector: Option<Vector<'_, u32>>) -> U32s<'_> {
    U32s::new(vector.map_or(&[], |v| v.bytes()))
}

/// A column of i32; absent is empty.
#[inline]
pub(crate) fn i32s(vector: Option<Vector<'_, i32>>) -> I32s<'_> {
    I32s::new(vector.map_or(&[], |v| v.bytes()))
}

/// A column of u16; absent is empty.
#[inline]
pub(crate) fn u16s(vector: Option<Vector<'_, u16>>) -> U16s<'_> {
    U16s::new(vector.map_or(&[], |v| v.bytes()))
}

/// A column of bytes; absent is empty.
#[inline]
pub(crate) fn u8s(vector: Option<Vector<'_, u8>>) -> U8s<'_> {
    U8s::new(vector.map_or(&[], |v| v.bytes()))
}

/// A text of bounded length; absent is empty.
pub(crate) fn text<'a>(text: Option<&'a str>, place: &'static str) -> Result<&'a str, WireError> {
    let text = text.unwrap_or("");
    at_most(text.len() as u64, limits::TEXT_BYTES_MAX, place)?;
    Ok(text)
}

/// Bounded bytes; absent is None.
pub(crate) fn bytes<'a>(
    vector: Option<Vector<'a, u8>>,
    max: usize,
    place: &'static str,
) -> Result<Option<&'a [u8]>, WireError> {
    let Some(bytes) = vector.map(|v| v.bytes()) else {
        return Ok(None);
    };
    at_most(bytes.len() as u64, max, place)?;
    Ok(Some(bytes))
}

/// A column must be absent or have `rows` items.
#[inline]
pub(crate) fn length(items: usize, rows: usize, place: &'static str) -> Result<(), WireError> {
    match items == 0 || items == rows {
        true => Ok(()),
        false => Err(WireError::protocol(
            place,
            items as u64,
            "has another length than its section",
        )),
    }
}

/// A required column must have `rows` items.
#[inline]
pub(crate) fn exact(items: usize, rows: usize, place: &'static str) -> Result<(), WireError> {
    match items == rows {
        true => Ok(()),
        false => Err(WireError::protocol(
            place,
            items as u64,
            "has another length than its section",
        )),
    }
}

/// Either every value has one size or each has its own.
pub(crate) fn one_way(stride: u32, sizes: U32s<'_>, place: &'static str) -> Result<(), WireError> {
    match stride > 0 && !sizes.is_empty() {
        false => Ok(()),
        true => Err(WireError::protocol(
            place,
            u64::from(stride),
            "is given besides sizes",
        )),
    }
}

/// A number within its limit.
#[inline]
pub(crate) fn at_most(value: u64, max: usize, place: &'static str) -> Result<(), WireError> {
    match value <= max as u64 {
        true => Ok(()),
        false => Err(WireError::limit(place, value, "is beyond the limit")),
    }
}

/// Every code of a column within its enum.
pub(crate) fn codes(column: U8s<'_>, max: u8, place: &'static str) -> Result<(), WireError> {
    match column.iter().position(|code| code > max) {
        None => Ok(()),
        Some(at) => Err(WireError::protocol(place, at as u64, "has an unknown code")),
    }
}

/// `bytes` bytes from `offset` of payload part `part`; none needed is none asked for.
pub(crate) fn payload<'a>(
    parts: &[&'a [u8]],
    part: u16,
    offset: u32,
    bytes: u64,
    place: &'static str,
) -> Result<&'a [u8], WireError> {
    if bytes == 0 {
        return Ok(&[]);
    }
    let Some(part) = parts.get(usize::from(part)) else {
        return Err(WireError::protocol(
            place,
            u64::from(part),
            "names a payload part that is not there",
        ));
    };
    usize::try_from(u64::from(offset) + bytes)
        .ok()
        .and_then(|end| part.get(offset as usize..end))
        .ok_or(WireError::protocol(
            place,
            part.len() as u64,
            "ends outside its payload part",
        ))
}

/// The count of a vector of tables.
pub(crate) fn tables<'a, T>(
    vector: Option<Vector<'a, ForwardsUOffset<T>>>,
    max: usize,
    place: &'static str,
) -> Result<usize, WireError>
where
    T: 'a,
{
    let count = vector.map_or(0, |v| v.len());
    at_most(count as u64, max, place)?;
    Ok(count)
}
