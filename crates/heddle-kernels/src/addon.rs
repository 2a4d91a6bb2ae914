//! The N-API layer: converts and delegates; no policy, no state.
//!
//! Every function is synchronous: a worker lane calls it from a task. Inputs are borrowed for the
//! call; what comes back is owned by JavaScript. Errors read `CODE: sentence`. A panic in a kernel
//! becomes an exception.

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use napi::bindgen_prelude::{Either, Null, Uint8Array, Uint8ArraySlice};
use napi_derive::napi;

use crate::error::{Code, KernelError, error};
use crate::parquet_read::{self, Piece};
use crate::parquet_write::{self, Codec};
use crate::sample::{self, Sample};
use crate::{schema, shuffle, table};

/// What addon functions return.
type Result<T> = napi::Result<T>;

impl From<KernelError> for napi::Error {
    fn from(err: KernelError) -> Self {
        Self::from_reason(err.to_string())
    }
}

/// One Parquet file's footer.
#[napi(object)]
pub struct NativeFile {
    /// Bytes on disk.
    pub bytes: f64,
    /// Rows of each row group.
    pub row_group_rows: Vec<f64>,
    /// Bytes of each row group once decompressed.
    pub row_group_bytes: Vec<f64>,
}

/// A column's name and Arrow type, such as `Int64` or `Timestamp(Microsecond, None)`.
#[napi(object)]
pub struct NativeColumn {
    /// The name.
    pub name: String,
    /// The type.
    pub r#type: String,
}

/// What a set of files holds.
#[napi(object)]
pub struct NativeInspection {
    /// In the order of the paths.
    pub files: Vec<NativeFile>,
    /// Wanted columns, in order.
    pub columns: Vec<NativeColumn>,
    /// The same as bytes, for `mergeSlices`.
    pub schema: Uint8Array,
}

/// Rows of one file.
#[napi(object)]
pub struct NativePiece {
    /// Path on this machine.
    pub file: String,
    /// Ascending.
    pub row_groups: Vec<u32>,
    /// Rows of these groups to leave out at the beginning.
    pub offset: f64,
    /// Rows to read.
    pub rows: f64,
    /// Columns to read; null: all.
    pub columns: Either<Vec<String>, Null>,
}

/// Keys drawn from one partition.
#[napi(object)]
pub struct NativeSample {
    /// Rows that have a key.
    pub rows: f64,
    /// Rows whose key is null.
    pub nulls: f64,
    /// A partition of one column.
    pub keys: Uint8Array,
}

/// Slices in one buffer.
#[napi(object)]
pub struct NativeSlices {
    /// All slices, back to back.
    pub bytes: Uint8Array,
    /// Where each ends.
    pub ends: Vec<f64>,
}

/// A partition: bytes, or a piece of a file to read first.
type Source<'a> = Either<Uint8ArraySlice<'a>, NativePiece>;

/// Whole, non-negative and exact: what JavaScript counts with.
fn count(value: f64, what: &str) -> crate::error::Result<usize> {
    if value >= 0.0 && value.fract() == 0.0 && value <= 9_007_199_254_740_991.0 {
        return Ok(value as usize);
    }
    Err(error(
        Code::Argument,
        format!("{what} must be a whole number, not {value}."),
    ))
}

fn load(source: Source<'_>, columns: Option<&[String]>) -> crate::error::Result<RecordBatch> {
    match source {
        Either::A(bytes) => table::decode(&bytes),
        Either::B(piece) => {
            let wanted = Piece {
                file: piece.file,
                row_groups: piece.row_groups.into_iter().map(|g| g as usize).collect(),
                offset: count(piece.offset, "a piece's offset")?,
                rows: count(piece.rows, "a piece's rows")?,
            };
            let named = match &piece.columns {
                Either::A(names) => Some(names.as_slice()),
                Either::B(_) => None,
            };
            parquet_read::read(&wanted, columns.or(named))
        }
    }
}

fn bytes_of(table: &RecordBatch) -> crate::error::Result<Uint8Array> {
    let pieces = table::encode(table)?;
    let mut bytes = Vec::with_capacity(pieces.iter().map(Buffer::len).sum());
    for piece in pieces {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.into())
}

/// Reads the footers of Parquet files that make one data frame.
#[napi(catch_unwind)]
pub fn inspect(paths: Vec<String>, columns: Option<Vec<String>>) -> Result<NativeInspection> {
    let infos = parquet_read::inspect_all(&paths, columns.as_deref())?;
    let Some(first) = infos.first() else {
        return Err(error(Code::Argument, "a data frame needs at least one file.").into());
    };
    Ok(NativeInspection {
        columns: first
            .schema
            .fields()
            .iter()
            .map(|f| NativeColumn {
                name: f.name().clone(),
                r#type: f.data_type().to_string(),
            })
            .collect(),
        schema: schema::encode(&first.schema).into(),
        files: infos
            .iter()
            .map(|info| NativeFile {
                bytes: info.bytes as f64,
                row_group_rows: info.row_groups.iter().map(|g| g.rows as f64).collect(),
                row_group_bytes: info.row_groups.iter().map(|g| g.bytes as f64).collect(),
            })
            .collect(),
    })
}

/// Loads a partition as bytes.
#[napi(catch_unwind)]
pub fn read(source: Source<'_>) -> Result<Uint8Array> {
    Ok(bytes_of(&load(source, None)?)?)
}

/// Draws up to `count` keys of `column`; `seed` decides which.
#[napi(catch_unwind)]
pub fn draw_sample(
    source: Source<'_>,
    column: String,
    count: u32,
    seed: u32,
) -> Result<NativeSample> {
    let only = [column];
    let loaded = load(source, Some(&only))?;
    let sample = sample::draw(&loaded, &only[0], count as usize, u64::from(seed))?;
    Ok(NativeSample {
        rows: sample.rows as f64,
        nulls: sample.nulls as f64,
        keys: bytes_of(&sample.keys)?,
    })
}

/// `partitions + 1` divisions, as a partition of one column.
#[napi(catch_unwind)]
pub fn divide(samples: Vec<NativeSample>, partitions: u32) -> Result<Uint8Array> {
    let samples = samples
        .iter()
        .map(|s| {
            Ok(Sample {
                rows: count(s.rows, "a sample's rows")? as u64,
                nulls: count(s.nulls, "a sample's nulls")? as u64,
                keys: table::decode(&s.keys)?,
            })
        })
        .collect::<crate::error::Result<Vec<_>>>()?;
    Ok(bytes_of(&sample::divisions(
        &samples,
        partitions as usize,
    )?)?)
}

/// Cuts a partition into one slice per division interval.
#[napi(catch_unwind)]
pub fn split(
    source: Source<'_>,
    column: String,
    divisions: Uint8ArraySlice<'_>,
) -> Result<NativeSlices> {
    let slices = shuffle::split(&load(source, None)?, &column, &table::decode(&divisions)?)?;
    let mut bytes = vec![0; slices.bytes()];
    slices.write(&mut bytes);
    Ok(NativeSlices {
        bytes: bytes.into(),
        ends: slices.byte_ends().iter().map(|e| *e as f64).collect(),
    })
}

/// Puts slices together, sorted by `column`, as a partition.
#[napi(catch_unwind)]
pub fn merge_slices(
    slices: Vec<Uint8ArraySlice<'_>>,
    schema: Uint8ArraySlice<'_>,
    column: String,
) -> Result<Uint8Array> {
    let views: Vec<&[u8]> = slices.iter().map(|s| s.as_ref()).collect();
    Ok(bytes_of(&shuffle::merge(
        &views,
        &schema::decode(&schema)?,
        &column,
    )?)?)
}

/// Rows of a partition.
#[napi(catch_unwind)]
pub fn row_count(partition: Uint8ArraySlice<'_>) -> Result<f64> {
    Ok(table::rows(&partition)? as f64)
}

/// The first `count` rows of a partition or piece, as a partition.
#[napi(catch_unwind)]
pub fn head(source: Source<'_>, count: u32) -> Result<Uint8Array> {
    Ok(bytes_of(&table::head(
        &load(source, None)?,
        count as usize,
    ))?)
}

/// Writes a partition or piece as a Parquet file and returns its bytes; `codec` is `zstd`, `snappy`
/// or `none`.
#[napi(catch_unwind)]
pub fn write_parquet(source: Source<'_>, path: String, codec: String) -> Result<f64> {
    let codec = match codec.as_str() {
        "zstd" => Codec::Zstd,
        "snappy" => Codec::Snappy,
        "none" => Codec::None,
        other => {
            let sentence = format!("compression is 'zstd', 'snappy' or 'none', not '{other}'.");
            return Err(error(Code::Argument, sentence).into());
        }
    };
    Ok(parquet_write::write(&load(source, None)?, &path, codec)? as f64)
}
