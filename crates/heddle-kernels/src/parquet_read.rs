//! Parquet files in: what they hold, and pieces of them as tables.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;

use crate::error::{Code, KernelError, Result, error, from_io};
use crate::schema::{column_index, physical_of, plain, readable};
use crate::table::table;

/// Sizes of one row group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowGroup {
    /// Rows in it.
    pub rows: u64,
    /// Bytes once decompressed.
    pub bytes: u64,
}

/// What a file holds.
#[derive(Debug, Clone)]
pub struct FileInfo {
    /// Bytes on disk.
    pub bytes: u64,
    /// In file order.
    pub row_groups: Vec<RowGroup>,
    /// Partition schema of the wanted columns.
    pub schema: SchemaRef,
}

/// Rows of one file: some of its row groups, and of these a run of rows.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Path on this machine.
    pub file: String,
    /// Ascending.
    pub row_groups: Vec<usize>,
    /// Rows of these groups to leave out at the beginning.
    pub offset: usize,
    /// Rows to read.
    pub rows: usize,
}

fn corrupt(path: &str, why: &dyn std::fmt::Display) -> KernelError {
    error(
        Code::ParquetCorrupt,
        format!(
            "'{path}' is not a Parquet file or is damaged ({why}). Write it again or leave it out."
        ),
    )
}

/// Runs a read of `path`. The Parquet reader asserts on some damaged files: that is the file's
/// fault and becomes an error like any other damage.
fn guarded<T>(path: &str, read: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
        let why = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("the reader failed");
        Err(corrupt(path, &why))
    })
}

fn from_parquet(path: &str, err: ParquetError) -> KernelError {
    match err {
        ParquetError::External(cause) if cause.is::<std::io::Error>() => {
            match cause.downcast_ref::<std::io::Error>() {
                Some(io) if io.kind() != std::io::ErrorKind::UnexpectedEof => {
                    from_io(io, "read", path)
                }
                _ => corrupt(path, &cause),
            }
        }
        other => corrupt(path, &other),
    }
}

struct Opened {
    file: File,
    metadata: ArrowReaderMetadata,
}

fn open(path: &str) -> Result<Opened> {
    let file = File::open(path).map_err(|e| from_io(&e, "open", path))?;
    let is_file = file
        .metadata()
        .map_err(|e| from_io(&e, "open", path))?
        .is_file();
    if !is_file {
        return Err(error(
            Code::Argument,
            format!("'{path}' is not a regular file."),
        ));
    }
    let found = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
        .map_err(|e| from_parquet(path, e))?;
    let wanted = ArrowReaderOptions::new().with_schema(readable(found.schema()));
    let metadata = ArrowReaderMetadata::try_new(found.metadata().clone(), wanted)
        .map_err(|e| from_parquet(path, e))?;
    Ok(Opened { file, metadata })
}

fn project(schema: &Schema, columns: Option<&[String]>) -> Result<Vec<usize>> {
    match columns {
        Some(names) => names.iter().map(|n| column_index(schema, n)).collect(),
        None => Ok((0..schema.fields().len()).collect()),
    }
}

/// Reads the footer of `path`.
///
/// # Errors
/// `FileMissing`, `ParquetCorrupt`, `ColumnUnknown`, `TypeUnsupported` for a wanted column.
pub fn inspect(path: &str, columns: Option<&[String]>) -> Result<FileInfo> {
    guarded(path, || {
        let Opened { file, metadata } = open(path)?;
        let bytes = file
            .metadata()
            .map_err(|e| from_io(&e, "open", path))?
            .len();
        let schema = plain(metadata.schema());
        let schema = schema.project(&project(&schema, columns)?)?;
        for field in schema.fields() {
            physical_of(field)?;
        }
        let groups = metadata.metadata().row_groups().iter();
        let row_groups = groups
            .map(|g| RowGroup {
                rows: u64::try_from(g.num_rows()).unwrap_or(0),
                bytes: u64::try_from(g.total_byte_size()).unwrap_or(0),
            })
            .collect();
        Ok(FileInfo {
            bytes,
            row_groups,
            schema: SchemaRef::new(schema),
        })
    })
}

/// Footers of all `paths`, which must agree on the wanted columns.
///
/// # Errors
/// As [`inspect`], and `SchemaMismatch` naming both files and the column.
pub fn inspect_all(paths: &[String], columns: Option<&[String]>) -> Result<Vec<FileInfo>> {
    let infos = paths
        .iter()
        .map(|p| inspect(p, columns))
        .collect::<Result<Vec<_>>>()?;
    for (path, info) in paths.iter().zip(&infos).skip(1) {
        if info.schema != infos[0].schema {
            return Err(mismatch(&paths[0], &infos[0].schema, path, &info.schema));
        }
    }
    Ok(infos)
}

fn mismatch(path_a: &str, a: &Schema, path_b: &str, b: &Schema) -> KernelError {
    let describe = |s: &Schema, at: usize| {
        s.fields().get(at).map_or("nothing".to_owned(), |f| {
            format!("'{}' {}", f.name(), f.data_type())
        })
    };
    let longest = a.fields().len().max(b.fields().len());
    let at = (0..longest)
        .find(|&i| a.fields().get(i) != b.fields().get(i))
        .unwrap_or(0);
    error(
        Code::SchemaMismatch,
        format!(
            "files of one data frame need the same columns: column {at} is {} in '{path_a}' but {} in '{path_b}'. Choose common columns with the `columns` option.",
            describe(a, at),
            describe(b, at)
        ),
    )
}

/// Reads `piece`, its columns in the order of `columns` (all of them in file order when `None`).
///
/// # Errors
/// `FileMissing`, `ParquetCorrupt` (also when the file has fewer rows than the piece),
/// `ColumnUnknown`, `TypeUnsupported`.
pub fn read(piece: &Piece, columns: Option<&[String]>) -> Result<RecordBatch> {
    guarded(&piece.file, || read_unguarded(piece, columns))
}

fn read_unguarded(piece: &Piece, columns: Option<&[String]>) -> Result<RecordBatch> {
    let path = piece.file.as_str();
    let Opened { file, metadata } = open(path)?;
    if let Some(group) = piece
        .row_groups
        .iter()
        .find(|g| **g >= metadata.metadata().num_row_groups())
    {
        return Err(corrupt(
            path,
            &format!("row group {group} is gone since it was inspected"),
        ));
    }
    let file_schema = plain(metadata.schema());
    let wanted = project(&file_schema, columns)?;
    let mask = ProjectionMask::roots(metadata.parquet_schema(), wanted.iter().copied());
    let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
        .with_projection(mask)
        .with_row_groups(piece.row_groups.clone())
        .with_offset(piece.offset)
        .with_limit(piece.rows)
        .with_batch_size(piece.rows.max(1))
        .build()
        .map_err(|e| from_parquet(path, e))?
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|e| corrupt(path, &e))?;
    let mut in_file_order = wanted.clone();
    in_file_order.sort_unstable();
    in_file_order.dedup();
    let read_schema = SchemaRef::new(file_schema.project(&in_file_order)?);
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if rows != piece.rows {
        return Err(corrupt(
            path,
            &format!("{} rows expected, {rows} found", piece.rows),
        ));
    }
    let batches = batches
        .into_iter()
        .map(|b| table(read_schema.clone(), b.columns().to_vec(), b.num_rows()))
        .collect::<Result<Vec<_>>>()?;
    let whole = match <[RecordBatch; 1]>::try_from(batches) {
        Ok([one]) => one,
        Err(several) => concat_batches(&read_schema, &several)?,
    };
    let positions: Vec<usize> = wanted
        .iter()
        .map(|w| {
            in_file_order
                .binary_search(w)
                .map_err(|_| corrupt(path, &"lost a column"))
        })
        .collect::<Result<_>>()?;
    Ok(whole.project(&positions)?)
}
