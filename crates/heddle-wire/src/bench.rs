//! The work of the benchmark case `wire.assign`; timed by its caller.

use crate::encode::Encoder;
use crate::error::WireError;
use crate::frame::{Aligned, Frame};
use crate::read_assign;
use heddle_core::id::{Incarnation, ProcId};
use heddle_core::out::AssignSection;

/// Records of one frame.
pub const RECORDS_PER_FRAME: usize = 256;

/// Encodes, opens, verifies and decodes `records` records in frames of [`RECORDS_PER_FRAME`], each record with an
/// index, an attempt, 8 bytes of row data and one inline input of 8 bytes. Every record is looked at.
///
/// Returns the sum of all indices and sizes seen, which [`expected`] says beforehand.
///
/// # Errors
/// None can occur; it is the decoder's type.
pub fn assign(records: usize) -> Result<u64, WireError> {
    let mut encoder = Encoder::new(1);
    let mut aligned = Aligned::new();
    let sections = [section()];
    let mut sum = 0;
    for _ in 0..records / RECORDS_PER_FRAME {
        let mut result = Ok(());
        encoder.assign(ProcId(1), Incarnation(1), &sections, |out| {
            result = sum_frame(
                &[&out.head[..], &out.payload[0][..]],
                &mut aligned,
                &mut sum,
            );
        });
        result?;
    }
    Ok(sum)
}

/// What [`assign`] returns for so many records.
pub fn expected(records: usize) -> u64 {
    let indices: u64 = (0..RECORDS_PER_FRAME as u64).map(|i| 3 * i).sum();
    let bytes = 16 * RECORDS_PER_FRAME as u64;
    (records / RECORDS_PER_FRAME) as u64 * (indices + bytes)
}

fn sum_frame(parts: &[&[u8]], aligned: &mut Aligned, sum: &mut u64) -> Result<(), WireError> {
    let frame = Frame::open(parts, aligned)?;
    read_assign(&frame, |_, section| {
        for i in 0..section.count as usize {
            *sum += u64::from(section.index(i)) + u64::from(section.data_size(i));
        }
        *sum += section.dep_bytes.len() as u64;
    })
}

fn section() -> AssignSection {
    let rows = RECORDS_PER_FRAME as u32;
    AssignSection {
        serial: 7,
        count: rows,
        indices: (0..rows).map(|i| 3 * i).collect(),
        attempts: vec![1; RECORDS_PER_FRAME],
        data_stride: 8,
        data: vec![1; 8 * RECORDS_PER_FRAME],
        dep_counts: vec![1; RECORDS_PER_FRAME],
        dep_indices: (0..rows).collect(),
        dep_codec: 1,
        dep_stride: 8,
        dep_bytes: vec![2; 8 * RECORDS_PER_FRAME],
        ..AssignSection::default()
    }
}
