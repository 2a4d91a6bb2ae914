//! Why a server could not start or go on.

use std::fmt;

use heddle_net::NetError;

use crate::spool::SpoolFailure;

/// An error of this crate. [`ServerError::code`] is the name in Heddle's table of errors.
#[derive(Debug)]
pub enum ServerError {
    /// The sockets.
    Net(NetError),
    /// No endpoint to bind was given.
    NoAddress,
    /// A record or trace cannot be written.
    Spool(SpoolFailure),
    /// The system could not give a thread.
    Thread(String),
}

impl ServerError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Net(error) => error.code(),
            Self::NoAddress => "ERR_ADDRESS_INVALID",
            Self::Spool(failure) => failure.code,
            Self::Thread(_) => "ERR_INTERNAL",
        }
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Net(error) => error.fmt(f),
            Self::Spool(failure) => f.write_str(&failure.message),
            Self::NoAddress => {
                f.write_str("no address to listen on was given: tcp://127.0.0.1:0 takes any port")
            }
            Self::Thread(text) => write!(f, "the scheduler's thread could not start: {text}"),
        }
    }
}

impl std::error::Error for ServerError {}

impl From<NetError> for ServerError {
    fn from(error: NetError) -> Self {
        Self::Net(error)
    }
}
