//! Parquet files out: whole or not at all.
//!
//! A file is written under a temporary name in its final folder and renamed when complete, so a
//! reader, a retry or a crash never meets half a file.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use crate::error::{Code, KernelError, Result, error, from_io};

/// How columns are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// Zstandard at its fastest ordinary level.
    Zstd,
    /// Snappy.
    Snappy,
    /// Not at all.
    None,
}

/// Less free space than the table's memory divided by this is refused before writing: even well
/// compressed data would not fit.
const COMPRESSION_AT_BEST: u64 = 16;

/// Writes `table` to `path`, replacing what is there, and returns the file's bytes.
///
/// # Errors
/// `DiskFull` when the space runs out or obviously will, `FileMissing` for a missing folder, `Io`.
pub fn write(table: &RecordBatch, path: &str, codec: Codec) -> Result<u64> {
    static WRITES: AtomicU64 = AtomicU64::new(0);
    let target = Path::new(path);
    let folder = target
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let name = target
        .file_name()
        .ok_or_else(|| error(Code::Argument, format!("'{path}' names no file.")))?;
    check_free_space(folder, table, path)?;
    // Unique among threads and processes; the dot hides it from folder listings and globs.
    let unique = format!(
        "{}-{}",
        std::process::id(),
        WRITES.fetch_add(1, Ordering::Relaxed)
    );
    let temporary = folder.join(format!(".{}.{unique}.tmp", name.to_string_lossy()));
    let written = File::create(&temporary)
        .map_err(|e| from_io(&e, "create", path))
        .and_then(|file| write_to(table, file, codec, path))
        .and_then(|bytes| {
            fs::rename(&temporary, target).map_err(|e| from_io(&e, "write", path))?;
            Ok(bytes)
        });
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn write_to(table: &RecordBatch, file: File, codec: Codec, path: &str) -> Result<u64> {
    let compression = match codec {
        Codec::Zstd => Compression::ZSTD(ZstdLevel::default()),
        Codec::Snappy => Compression::SNAPPY,
        Codec::None => Compression::UNCOMPRESSED,
    };
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .build();
    let failed = |e: ParquetError| from_parquet(e, path);
    let mut writer =
        ArrowWriter::try_new(file, table.schema(), Some(properties)).map_err(failed)?;
    writer.write(table).map_err(failed)?;
    // Not `into_inner`, which turns the system's error into text.
    writer.finish().map_err(failed)?;
    Ok(writer.bytes_written() as u64)
}

fn from_parquet(err: ParquetError, path: &str) -> KernelError {
    match err {
        ParquetError::External(cause) => match cause.downcast::<io::Error>() {
            Ok(io) => from_io(&io, "write", path),
            Err(other) => error(Code::Io, format!("cannot write '{path}': {other}")),
        },
        other => error(Code::Io, format!("cannot write '{path}': {other}")),
    }
}

fn check_free_space(folder: &Path, table: &RecordBatch, path: &str) -> Result<()> {
    let needed = table.get_array_memory_size() as u64 / COMPRESSION_AT_BEST;
    match free_bytes(folder) {
        Some(free) if free < needed => Err(error(
            Code::DiskFull,
            format!(
                "cannot write '{path}': about {} KiB needed, {} KiB free. Free some space or choose another directory.",
                needed / 1024,
                free / 1024
            ),
        )),
        _ => Ok(()),
    }
}

/// Bytes an ordinary user may still write where `folder` lies; `None` when that cannot be told.
#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    use std::os::unix::ffi::OsStrExt;
    let folder = std::ffi::CString::new(folder.as_os_str().as_bytes()).ok()?;
    // SAFETY: an all-zero statvfs is a valid value of this plain C struct.
    let mut stat: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: `folder` is NUL-terminated and `stat` is writable; both outlive the call.
    let status = unsafe { libc::statvfs(folder.as_ptr(), &raw mut stat) };
    // The fields' widths differ between platforms.
    #[allow(clippy::unnecessary_cast)]
    (status == 0).then(|| stat.f_bavail as u64 * stat.f_frsize as u64)
}

#[cfg(not(unix))]
fn free_bytes(_folder: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use arrow_array::Int64Array;
    use arrow_schema::{DataType, Field, Schema};

    fn numbers() -> RecordBatch {
        let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]));
        let values = Int64Array::from_iter_values(0..1000);
        RecordBatch::try_new(schema, vec![Arc::new(values)]).expect("a table")
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn full_disk_is_named() {
        let full = File::options()
            .write(true)
            .open("/dev/full")
            .expect("/dev/full");
        let err = write_to(&numbers(), full, Codec::Zstd, "out.parquet").expect_err("no space");
        assert_eq!(err.code, Code::DiskFull, "{err}");
        assert!(err.message.contains("out.parquet"), "{}", err.message);
    }

    #[test]
    fn failed_write_leaves_nothing() {
        let folder = std::env::temp_dir().join(format!("heddle-write-{}", std::process::id()));
        fs::create_dir_all(folder.join("taken.parquet/inside")).expect("folders");
        let target = folder.join("taken.parquet");
        // The target is a folder that is not empty: the rename must fail.
        let err = write(&numbers(), &target.to_string_lossy(), Codec::None).expect_err("a folder");
        assert_eq!(err.code, Code::Io);
        let left: Vec<_> = fs::read_dir(&folder).expect("listing").collect();
        assert_eq!(left.len(), 1, "only the folder that was there");
        fs::remove_dir_all(&folder).expect("clean-up");
    }

    #[test]
    fn missing_folder_is_named() {
        let err =
            write(&numbers(), "/no/such/folder/x.parquet", Codec::Zstd).expect_err("no folder");
        assert_eq!(err.code, Code::FileMissing);
    }
}
