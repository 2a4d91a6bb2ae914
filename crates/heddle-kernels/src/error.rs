//! Errors of the kernels: a stable code and a sentence that names what and how to fix it.
//!
//! The addon joins both as `CODE: sentence`; the TypeScript loader takes them apart again.

use std::fmt;

/// The closed set of reasons a kernel refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// An argument breaks the caller's side of the contract.
    Argument,
    /// A named column does not exist.
    ColumnUnknown,
    /// A file does not exist or cannot be opened.
    FileMissing,
    /// Bytes are not the Parquet they claim to be.
    ParquetCorrupt,
    /// A column's type has no kernel here.
    TypeUnsupported,
    /// Files of one data frame disagree about their columns.
    SchemaMismatch,
    /// The disk is full, or would be.
    DiskFull,
    /// A value outgrew what the format can address.
    Limit,
    /// Anything the operating system refused for another reason.
    Io,
    /// Partition or slice bytes are damaged, or a kernel failed.
    Internal,
}

impl Code {
    /// The name users see and match on.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Argument => "ERR_ARGUMENT",
            Self::ColumnUnknown => "ERR_COLUMN_UNKNOWN",
            Self::FileMissing => "ERR_FILE_MISSING",
            Self::ParquetCorrupt => "ERR_PARQUET_CORRUPT",
            Self::TypeUnsupported => "ERR_TYPE_UNSUPPORTED",
            Self::SchemaMismatch => "ERR_SCHEMA_MISMATCH",
            Self::DiskFull => "ERR_DISK_FULL",
            Self::Limit => "ERR_LIMIT_EXCEEDED",
            Self::Io => "ERR_IO",
            Self::Internal => "ERR_INTERNAL",
        }
    }
}

/// A kernel's refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelError {
    /// What kind of refusal.
    pub code: Code,
    /// What happened and what to do about it.
    pub message: String,
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for KernelError {}

/// What every kernel returns.
pub type Result<T> = std::result::Result<T, KernelError>;

/// Builds an error; `message` is a whole sentence.
#[must_use]
pub fn error(code: Code, message: impl Into<String>) -> KernelError {
    KernelError {
        code,
        message: message.into(),
    }
}

/// An error for bytes (partition, slice) that do not decode.
#[must_use]
pub fn damaged(what: &str) -> KernelError {
    error(
        Code::Internal,
        format!("partition bytes are damaged: {what}"),
    )
}

/// Maps an operating-system error on `path` while doing `what` ("open", "write", ...).
#[must_use]
pub fn from_io(err: &std::io::Error, what: &str, path: &str) -> KernelError {
    use std::io::ErrorKind;
    match err.kind() {
        ErrorKind::NotFound => error(
            Code::FileMissing,
            format!(
                "cannot {what} '{path}': no such file or directory. Paths are resolved on the worker's machine."
            ),
        ),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => error(
            Code::DiskFull,
            format!(
                "cannot {what} '{path}': the disk is full. Free some space or choose another directory."
            ),
        ),
        ErrorKind::FileTooLarge => error(
            Code::DiskFull,
            format!(
                "cannot {what} '{path}': the file would be larger than this worker may write. Raise its limit (ulimit -f), choose another file system, or write more and smaller partitions."
            ),
        ),
        _ => error(Code::Io, format!("cannot {what} '{path}': {err}")),
    }
}

impl From<arrow_schema::ArrowError> for KernelError {
    fn from(err: arrow_schema::ArrowError) -> Self {
        damaged(&err.to_string())
    }
}
