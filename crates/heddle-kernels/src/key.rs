//! Sort keys: any orderable column as values whose plain comparison is the column's order.
//!
//! The order is total: numbers ascending with -0 equal to 0, NaN after every number, strings by
//! their UTF-8 bytes (code point order), `false` before `true`, and nulls after everything.

use arrow_buffer::{Buffer, OffsetBuffer};
use arrow_schema::{DataType, Field};

use crate::column::{Column, Values};
use crate::error::{Code, Result, error};

const SIGN: u64 = 1 << 63;

/// Keys of a column. What stands at a null row is unspecified.
#[derive(Debug)]
pub enum Keys {
    /// Unsigned numbers ordered as the values are.
    Words(Vec<u64>),
    /// Byte strings.
    Bytes {
        /// `rows + 1` positions into `data`.
        offsets: OffsetBuffer<i32>,
        /// The strings, back to back.
        data: Buffer,
    },
}

fn float_key(value: f64) -> u64 {
    if value.is_nan() {
        return u64::MAX;
    }
    // Adding zero turns -0 into 0; then negative numbers order by their complement.
    let bits = (value + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

impl Keys {
    /// Keys of `column`, whose type is `field`'s.
    ///
    /// # Errors
    /// `TypeUnsupported` when the type has no order here.
    pub fn new(field: &Field, column: &Column) -> Result<Self> {
        let unsupported = || {
            error(
                Code::TypeUnsupported,
                format!(
                    "cannot order rows by column '{}' of type {}. Choose an integer, float, date, timestamp, boolean or string column.",
                    field.name(),
                    field.data_type()
                ),
            )
        };
        match (&column.values, field.data_type()) {
            (Values::Bytes { offsets, data }, _) => Ok(Self::Bytes {
                offsets: offsets.clone(),
                data: data.clone(),
            }),
            (Values::Wide(_), _) | (_, DataType::Float16) => Err(unsupported()),
            (Values::Words(words), data_type) => Ok(Self::Words(match data_type {
                DataType::Float64 => words
                    .iter()
                    .map(|w| float_key(f64::from_bits(*w as u64)))
                    .collect(),
                DataType::Float32 => words
                    .iter()
                    .map(|w| float_key(f64::from(f32::from_bits(*w as u32))))
                    .collect(),
                DataType::UInt8 => words.iter().map(|w| u64::from(*w as u8)).collect(),
                DataType::UInt16 => words.iter().map(|w| u64::from(*w as u16)).collect(),
                DataType::UInt32 => words.iter().map(|w| u64::from(*w as u32)).collect(),
                DataType::UInt64 => words.iter().map(|w| *w as u64).collect(),
                _ => words.iter().map(|w| *w as u64 ^ SIGN).collect(),
            })),
        }
    }

    /// Number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Words(words) => words.len(),
            Self::Bytes { offsets, .. } => offsets.len() - 1,
        }
    }

    /// True when there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A byte string with its first eight bytes as a number, so that most comparisons touch no memory.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    prefix: u64,
    bytes: &'a [u8],
}

impl<'a> Text<'a> {
    /// The string at `row`.
    #[must_use]
    pub fn at(offsets: &OffsetBuffer<i32>, data: &'a [u8], row: usize) -> Self {
        Self::new(&data[offsets[row] as usize..offsets[row + 1] as usize])
    }

    /// Wraps `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut head = [0; 8];
        let taken = bytes.len().min(8);
        head[..taken].copy_from_slice(&bytes[..taken]);
        Self {
            prefix: u64::from_be_bytes(head),
            bytes,
        }
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Text<'_> {}
impl PartialOrd for Text<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Text<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.prefix.cmp(&other.prefix).then_with(|| {
            if self.bytes.len() <= 8 && other.bytes.len() <= 8 {
                // Equal but for zero padding: the shorter one is a prefix of the longer.
                self.bytes.len().cmp(&other.bytes.len())
            } else {
                self.bytes.cmp(other.bytes)
            }
        })
    }
}
