//! The two halves of an all-to-all exchange by key range: split a partition, merge its slices.

use arrow_array::{Array, RecordBatch, new_empty_array};
use arrow_schema::SchemaRef;

use crate::column::Column;
use crate::error::{Code, Result, damaged, error};
use crate::key::{Keys, Text};
use crate::schema::{column_index, fingerprint};
use crate::slice::{self, Slices};
use crate::sort;
use crate::table::table;

fn columns_of(partition: &RecordBatch) -> Result<Vec<Column>> {
    if u32::try_from(partition.num_rows()).is_err() {
        return Err(error(
            Code::Limit,
            "a partition holds at most 4,294,967,295 rows.",
        ));
    }
    let schema = partition.schema();
    let fields = schema.fields().iter();
    fields
        .zip(partition.columns())
        .map(|(f, a)| Column::from_array(f, a))
        .collect()
}

/// Cuts `partition` into one slice per pair of neighbouring `divisions` (as
/// [`crate::sample::divisions`] returns them): row order within a slice is kept, nulls go last.
///
/// # Errors
/// `ColumnUnknown`, `TypeUnsupported`, or `Internal` when divisions are of another type.
pub fn split(partition: &RecordBatch, name: &str, divisions: &RecordBatch) -> Result<Slices> {
    let schema = partition.schema();
    let key_at = column_index(&schema, name)?;
    let field = schema.field(key_at);
    let same_type = divisions.num_columns() == 1
        && divisions.schema().field(0).data_type() == field.data_type();
    if !same_type || divisions.num_rows() < 2 {
        return Err(damaged("divisions of another column"));
    }
    let columns = columns_of(partition)?;
    let keys = Keys::new(field, &columns[key_at])?;
    let bounds = Column::from_array(field, divisions.column(0))?;
    let bounds = Keys::new(field, &bounds)?;
    let parts = divisions.num_rows() - 1;
    let mut codes = if divisions.column(0).null_count() > 0 {
        vec![0; keys.len()] // No row anywhere has a key: all are null, and null goes last below.
    } else {
        codes(&keys, &bounds)?
    };
    if let Some(nulls) = &columns[key_at].nulls {
        for (row, code) in codes.iter_mut().enumerate() {
            if nulls.is_null(row) {
                *code = (parts - 1) as u32;
            }
        }
    }
    let (order, ends) = sort::group(codes.iter().copied(), keys.len(), parts);
    let ordered = codes.is_sorted();
    let grouped = columns
        .into_iter()
        .map(|c| if ordered { Ok(c) } else { c.gather(&order) })
        .collect::<Result<Vec<_>>>()?;
    Ok(Slices::plan(grouped, fingerprint(&schema), ends))
}

/// Partition of each key: how many inner bounds are not above it.
fn codes(keys: &Keys, bounds: &Keys) -> Result<Vec<u32>> {
    match (keys, bounds) {
        (Keys::Words(keys), Keys::Words(bounds)) => {
            let inner = &bounds[1..bounds.len() - 1];
            Ok(keys
                .iter()
                .map(|k| inner.partition_point(|b| b <= k) as u32)
                .collect())
        }
        (
            Keys::Bytes { offsets, data },
            Keys::Bytes {
                offsets: starts,
                data: bound_data,
            },
        ) => {
            let inner: Vec<Text<'_>> = (1..bounds.len() - 1)
                .map(|b| Text::at(starts, bound_data, b))
                .collect();
            Ok((0..keys.len())
                .map(|row| Text::at(offsets, data, row))
                .map(|k| inner.partition_point(|b| *b <= k) as u32)
                .collect())
        }
        _ => Err(damaged("divisions of another type")),
    }
}

/// Puts slices of one output together, sorted by column `name`; rows of equal key keep the order of
/// the slices and of the rows within them.
///
/// # Errors
/// `ColumnUnknown`, `TypeUnsupported`, `Internal` for damaged slices, `Limit` past 2 GiB of text.
pub fn merge(slices: &[&[u8]], schema: &SchemaRef, name: &str) -> Result<RecordBatch> {
    let key_at = column_index(schema, name)?;
    let like = schema
        .fields()
        .iter()
        .map(|f| Column::from_array(f, &new_empty_array(f.data_type())))
        .collect::<Result<Vec<_>>>()?;
    let columns = slice::read(slices, &like, fingerprint(schema))?;
    let rows = columns[key_at].len();
    let keys = Keys::new(schema.field(key_at), &columns[key_at])?;
    let order = sort::order(&keys, &columns[key_at]);
    drop(keys);
    let arrays = columns
        .into_iter()
        .zip(schema.fields())
        .map(|(column, field)| match &order {
            Some(order) => column.gather(order)?.into_array(field),
            None => column.into_array(field),
        })
        .collect::<Result<Vec<_>>>()?;
    table(schema.clone(), arrays, rows)
}
