//! The FlatBuffers edge: verify, decode and encode frames.
//!
//! Bytes from a socket enter through [`Frame::open`] and [`decode`] alone: header, CRC, FlatBuffers verifier, then
//! every number against the limits. What comes out borrows the frame: columns are read where they lie.
//! [`Encoder`] writes what the scheduler sends. Generated types do not appear in this crate's interface.
//!
//! Invariant: no input makes this crate panic, loop beyond the frame's length, or allocate more than a few times it.

#![forbid(unsafe_op_in_unsafe_fn)]

mod assign;
pub mod bench;
mod check;
mod decode;
mod encode;
mod error;
mod frame;
#[rustfmt::skip]
mod generated;
mod graph;
mod header;
mod native_worker;
mod session;
mod template;
#[cfg(test)]
mod tests;
mod trace;
mod update;
mod worker;

pub use assign::{AssignView, read_assign};
pub use decode::{Inbound, Sender, decode};
pub use encode::{Encoder, OutFrame};
pub use error::{WireCode, WireError};
pub use frame::{Aligned, Frame};
pub use heddle_core::limits;
pub use native_worker::{Told, hear};
pub use session::{Bye, Heartbeat, Hello, Query, Role, Welcome};
pub use template::{Instance, KeptGraph, TemplateFrame};
pub use trace::{TracedSection, Transfer, read_trace};
