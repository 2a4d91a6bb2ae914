//! What is wrong with a frame.

use core::fmt;

/// Stable code of a [`WireError`]; also the code sent in `Reject`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WireCode {
    /// Bytes that are not a valid frame of this protocol.
    Protocol,
    /// A frame of another major version.
    Version,
    /// A valid frame that asks for more than the limits allow.
    Limit,
}

impl WireCode {
    /// The code as users see it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Protocol => "ERR_PROTOCOL",
            Self::Version => "ERR_PROTOCOL_VERSION",
            Self::Limit => "ERR_LIMIT_EXCEEDED",
        }
    }
}

/// A frame was refused. Names the field at fault; carries no bytes of the frame, so it is safe to log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireError {
    /// What kind of fault.
    pub code: WireCode,
    /// Where: `header`, `body`, or `Table.field`.
    pub place: &'static str,
    /// Byte of the part, or element of the column, at which it shows; 0 where neither applies.
    pub at: u64,
    /// What is wrong there.
    pub problem: &'static str,
}

impl WireError {
    /// Bytes that are not a valid frame.
    pub(crate) const fn protocol(place: &'static str, at: u64, problem: &'static str) -> Self {
        Self {
            code: WireCode::Protocol,
            place,
            at,
            problem,
        }
    }

    /// More than a limit allows.
    pub(crate) const fn limit(place: &'static str, at: u64, problem: &'static str) -> Self {
        Self {
            code: WireCode::Limit,
            place,
            at,
            problem,
        }
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} {} (at {})",
            self.code.as_str(),
            self.place,
            self.problem,
            self.at
        )
    }
}

impl core::error::Error for WireError {}
