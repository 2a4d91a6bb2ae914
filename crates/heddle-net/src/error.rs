//! What can go wrong when a router is opened or run, each with a stable code.

use std::fmt;

/// An error of this crate. [`NetError::code`] is the name users see in Heddle's table of errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetError {
    /// The endpoint's text or path cannot be bound as it is.
    AddressInvalid {
        /// The endpoint as it was given.
        endpoint: String,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// The endpoint could be reached from other machines.
    AddressNotLoopback {
        /// The endpoint as it was given.
        endpoint: String,
    },
    /// Another socket listens on the endpoint.
    AddressInUse {
        /// The endpoint as it was given.
        endpoint: String,
    },
    /// A CURVE key is not 40 characters of Z85, or is listed twice.
    KeyInvalid {
        /// What is wrong; never the key itself.
        reason: &'static str,
    },
    /// A libzmq or system call failed where only a lack of resources or a defect explains it.
    System {
        /// The call that failed.
        call: &'static str,
        /// Its errno.
        errno: i32,
        /// libzmq's text for the errno.
        text: String,
    },
}

impl NetError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AddressInvalid { .. } => "ERR_ADDRESS_INVALID",
            Self::AddressNotLoopback { .. } => "ERR_ADDRESS_NOT_LOOPBACK",
            Self::AddressInUse { .. } => "ERR_ADDRESS_IN_USE",
            Self::KeyInvalid { .. } => "ERR_ARGUMENT",
            Self::System { .. } => "ERR_INTERNAL",
        }
    }
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddressInvalid { endpoint, reason } => {
                write!(f, "cannot listen on '{endpoint}': {reason}")
            }
            Self::AddressNotLoopback { endpoint } => write!(
                f,
                "refusing to listen on '{endpoint}': this version binds only ipc:// paths and \
                 loopback tcp; use tcp://127.0.0.1:PORT, tcp://127.0.0.1:* for any free port, or \
                 ipc:///path/to/socket"
            ),
            Self::AddressInUse { endpoint } => write!(
                f,
                "'{endpoint}' is in use by another socket; stop that process or choose another \
                 address (tcp://127.0.0.1:* picks a free port)"
            ),
            Self::KeyInvalid { reason } => write!(f, "CURVE key refused: {reason}"),
            Self::System { call, errno, text } => {
                write!(f, "{call} failed: {text} (errno {errno})")
            }
        }
    }
}

impl std::error::Error for NetError {}
