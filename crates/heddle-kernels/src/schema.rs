//! Which columns the kernels carry, and how a file's schema becomes a partition's.
//!
//! Invariant: a partition's schema holds plain types only: no dictionaries, no views, no 64-bit
//! string offsets, so that any Arrow reader, also a JavaScript one, views it in place.

use std::sync::Arc;

use arrow_ipc::convert::try_schema_from_flatbuffer_bytes;
use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteOptions};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use crate::error::{Code, Result, error};

/// How a column's values lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Physical {
    /// One bit per value.
    Bool,
    /// This many bytes per value: 1, 2, 4 or 8.
    Word(usize),
    /// Sixteen bytes per value (128-bit decimals).
    Wide,
    /// Strings or binary with 32-bit offsets.
    Bytes,
}

/// The memory layout of `data_type`, or `None` when the kernels do not carry it.
#[must_use]
pub fn physical(data_type: &DataType) -> Option<Physical> {
    Some(match data_type {
        DataType::Boolean => Physical::Bool,
        DataType::Utf8 | DataType::Binary => Physical::Bytes,
        DataType::Decimal128(..) => Physical::Wide,
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Float16
        | DataType::Float32
        | DataType::Float64
        | DataType::Date32
        | DataType::Date64
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Timestamp(..)
        | DataType::Duration(_)
        | DataType::Decimal32(..)
        | DataType::Decimal64(..) => Physical::Word(data_type.primitive_width()?),
        _ => return None,
    })
}

/// Memory layout of a field, as an error that names it when it has none.
///
/// # Errors
/// `TypeUnsupported` for nested and other types the kernels do not carry.
pub fn physical_of(field: &Field) -> Result<Physical> {
    physical(field.data_type()).ok_or_else(|| {
        error(
            Code::TypeUnsupported,
            format!(
                "column '{}' has type {}, which data frames do not carry yet. Leave it out with the `columns` option.",
                field.name(),
                field.data_type()
            ),
        )
    })
}

/// The type a partition uses for a column that a file declares as `data_type`.
fn plain_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, value) => plain_type(value),
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        other => other.clone(),
    }
}

/// A file's schema with plain types: what to ask its reader for.
#[must_use]
pub fn readable(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter();
    let fields: Vec<Field> = fields
        .map(|f| f.as_ref().clone().with_data_type(plain_type(f.data_type())))
        .collect();
    Arc::new(Schema::new(fields))
}

/// The partition schema of a readable one: no metadata, every column nullable, so that files of one
/// frame agree when only such details differ.
#[must_use]
pub fn plain(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter();
    let fields: Vec<Field> = fields
        .map(|f| Field::new(f.name(), plain_type(f.data_type()), true))
        .collect();
    Arc::new(Schema::new(fields))
}

/// Position of `column`.
///
/// # Errors
/// `ColumnUnknown`, suggesting the nearest names.
pub fn column_index(schema: &Schema, column: &str) -> Result<usize> {
    schema.index_of(column).map_err(|_| {
        let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        error(Code::ColumnUnknown, unknown_column(column, &names))
    })
}

fn unknown_column(column: &str, names: &[&str]) -> String {
    let mut ranked: Vec<(usize, &str)> = names
        .iter()
        .map(|n| (distance(&column.to_lowercase(), &n.to_lowercase()), *n))
        .collect();
    ranked.sort();
    let close: Vec<String> = ranked
        .iter()
        .filter(|(d, n)| *d <= 2.max(n.chars().count() / 3))
        .take(3)
        .map(|(_, n)| format!("'{n}'"))
        .collect();
    let all = names
        .iter()
        .take(20)
        .map(|n| format!("'{n}'"))
        .collect::<Vec<_>>()
        .join(", ");
    if close.is_empty() {
        format!("there is no column '{column}'. The columns are {all}.")
    } else {
        format!(
            "there is no column '{column}'. Did you mean {}? The columns are {all}.",
            close.join(" or ")
        )
    }
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

/// Schema as an Arrow IPC schema message, without framing.
#[must_use]
pub fn encode(schema: &Schema) -> Vec<u8> {
    let mut tracker = DictionaryTracker::new(false);
    IpcDataGenerator::default()
        .schema_to_bytes_with_dictionary_tracker(schema, &mut tracker, &IpcWriteOptions::default())
        .ipc_message
}

/// Reads what [`encode`] wrote.
///
/// # Errors
/// `Internal` when the bytes are no schema message.
pub fn decode(bytes: &[u8]) -> Result<SchemaRef> {
    // A copy, because the verifier wants the message aligned and a JavaScript view need not be.
    let aligned = bytes.to_vec();
    Ok(Arc::new(try_schema_from_flatbuffer_bytes(&aligned)?))
}

/// FNV-1a over names and types: tells slices of different tables apart.
#[must_use]
pub fn fingerprint(schema: &Schema) -> u32 {
    let mut hash = 0x811c_9dc5_u32;
    for field in schema.fields() {
        for byte in field
            .name()
            .bytes()
            .chain([0])
            .chain(field.data_type().to_string().bytes())
        {
            hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    }
    hash
}
