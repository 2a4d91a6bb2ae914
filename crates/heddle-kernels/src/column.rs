//! One column as plain buffers: what splitting, sorting and framing work on.
//!
//! Arrow's types matter only at the edges ([`Column::from_array`], [`Column::into_array`]); between
//! them a timestamp, an integer and a float are 64-bit words. Eight-byte columns and strings are
//! viewed in place, narrower ones are widened once.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BinaryArray, BooleanArray, StringArray, make_array};
use arrow_buffer::{
    ArrowNativeType, BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer,
};
use arrow_data::ArrayData;
use arrow_schema::{DataType, Field};

use crate::error::{Code, Result, damaged, error};
use crate::schema::{Physical, physical_of};

/// Values of a column, by memory layout.
#[derive(Debug, Clone)]
pub enum Values {
    /// Anything of at most eight bytes: sign-extended or bit pattern, booleans as 0 and 1.
    Words(ScalarBuffer<i64>),
    /// 128-bit decimals.
    Wide(ScalarBuffer<i128>),
    /// Strings or binary.
    Bytes {
        /// `rows + 1` positions into `data`.
        offsets: OffsetBuffer<i32>,
        /// The values, back to back.
        data: Buffer,
    },
}

/// A column: values and which of them are present.
#[derive(Debug, Clone)]
pub struct Column {
    /// What lies under a null is unspecified.
    pub values: Values,
    /// `None`: no nulls.
    pub nulls: Option<NullBuffer>,
}

fn words<T>(data: &ArrayData, widen: impl Fn(T) -> i64) -> ScalarBuffer<i64>
where
    T: ArrowNativeType,
{
    let narrow = ScalarBuffer::<T>::new(data.buffers()[0].clone(), data.offset(), data.len());
    narrow.iter().map(|v| widen(*v)).collect()
}

impl Column {
    /// Views `array`, a column of `field`.
    ///
    /// # Errors
    /// `TypeUnsupported` when the kernels do not carry the type.
    pub fn from_array(field: &Field, array: &dyn Array) -> Result<Self> {
        let data = array.to_data();
        let values = match physical_of(field)? {
            Physical::Bool => {
                let bits = BooleanArray::from(data.clone());
                Values::Words(bits.values().iter().map(i64::from).collect())
            }
            Physical::Word(1) => Values::Words(words::<i8>(&data, i64::from)),
            Physical::Word(2) => Values::Words(words::<i16>(&data, i64::from)),
            Physical::Word(4) => Values::Words(words::<i32>(&data, i64::from)),
            Physical::Word(_) => Values::Words(ScalarBuffer::new(
                data.buffers()[0].clone(),
                data.offset(),
                data.len(),
            )),
            Physical::Wide => Values::Wide(ScalarBuffer::new(
                data.buffers()[0].clone(),
                data.offset(),
                data.len(),
            )),
            Physical::Bytes => {
                let positions =
                    ScalarBuffer::new(data.buffers()[0].clone(), data.offset(), data.len() + 1);
                Values::Bytes {
                    offsets: if data.is_empty() {
                        OffsetBuffer::new_empty()
                    } else {
                        OffsetBuffer::new(positions)
                    },
                    data: data.buffers()[1].clone(),
                }
            }
        };
        Ok(Self {
            values,
            nulls: array.nulls().filter(|n| n.null_count() > 0).cloned(),
        })
    }

    /// Rows in the column.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.values {
            Values::Words(v) => v.len(),
            Values::Wide(v) => v.len(),
            Values::Bytes { offsets, .. } => offsets.len() - 1,
        }
    }

    /// True when the column has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True when row `row` holds a value.
    #[must_use]
    pub fn is_valid(&self, row: usize) -> bool {
        self.nulls.as_ref().is_none_or(|n| n.is_valid(row))
    }

    /// The rows named by `order`, in that order.
    ///
    /// # Errors
    /// `Limit` when the strings outgrow 2 GiB.
    pub fn gather(&self, order: &[u32]) -> Result<Self> {
        let values = match &self.values {
            Values::Words(v) => Values::Words(order.iter().map(|&i| v[i as usize]).collect()),
            Values::Wide(v) => Values::Wide(order.iter().map(|&i| v[i as usize]).collect()),
            Values::Bytes { offsets, data } => gather_bytes(offsets, data, order)?,
        };
        let nulls = self
            .nulls
            .as_ref()
            .map(|n| BooleanBuffer::collect_bool(order.len(), |i| n.is_valid(order[i] as usize)))
            .map(NullBuffer::new);
        Ok(Self { values, nulls })
    }

    /// The column as an Arrow array of `field`'s type.
    ///
    /// # Errors
    /// `Internal` when values do not fit the type: damaged bytes, such as invalid UTF-8.
    pub fn into_array(self, field: &Field) -> Result<ArrayRef> {
        let rows = self.len();
        let nulls = self.nulls;
        let buffer = match (self.values, physical_of(field)?) {
            (Values::Words(v), Physical::Bool) => {
                let bits = BooleanBuffer::collect_bool(rows, |i| v[i] != 0);
                return Ok(Arc::new(BooleanArray::new(bits, nulls)));
            }
            (Values::Words(v), Physical::Word(1)) => narrow(&v, |w| w as i8),
            (Values::Words(v), Physical::Word(2)) => narrow(&v, |w| w as i16),
            (Values::Words(v), Physical::Word(4)) => narrow(&v, |w| w as i32),
            (Values::Words(v), Physical::Word(_)) => v.into_inner(),
            (Values::Wide(v), Physical::Wide) => v.into_inner(),
            (Values::Bytes { offsets, data }, Physical::Bytes) => {
                return Ok(match field.data_type() {
                    DataType::Utf8 => Arc::new(StringArray::try_new(offsets, data, nulls)?),
                    _ => Arc::new(BinaryArray::try_new(offsets, data, nulls)?),
                });
            }
            _ => {
                return Err(damaged(&format!(
                    "column '{}' has another layout",
                    field.name()
                )));
            }
        };
        let data = ArrayData::builder(field.data_type().clone())
            .len(rows)
            .add_buffer(buffer)
            .nulls(nulls)
            .build()?;
        Ok(make_array(data))
    }
}

/// Keeps the low bytes of each word; the high ones are sign extension.
fn narrow<T: ArrowNativeType>(words: &ScalarBuffer<i64>, cut: impl Fn(i64) -> T) -> Buffer {
    words
        .iter()
        .map(|w| cut(*w))
        .collect::<ScalarBuffer<T>>()
        .into_inner()
}

fn gather_bytes(offsets: &OffsetBuffer<i32>, data: &Buffer, order: &[u32]) -> Result<Values> {
    let data = data.as_slice();
    let mut positions = Vec::with_capacity(order.len() + 1);
    let mut end = 0_usize;
    positions.push(0_i32);
    for &row in order {
        let row = row as usize;
        end += (offsets[row + 1] - offsets[row]) as usize;
        positions.push(end as i32);
    }
    if end > i32::MAX as usize {
        return Err(text_too_large());
    }
    let mut gathered = Vec::with_capacity(end);
    for &row in order {
        let row = row as usize;
        gathered.extend_from_slice(&data[offsets[row] as usize..offsets[row + 1] as usize]);
    }
    Ok(Values::Bytes {
        offsets: OffsetBuffer::new(positions.into()),
        data: Buffer::from_vec(gathered),
    })
}

/// Strings of one partition outgrew 32-bit offsets.
pub fn text_too_large() -> crate::error::KernelError {
    error(
        Code::Limit,
        "the strings of one column of one partition exceed 2 GiB. Use more partitions.",
    )
}
