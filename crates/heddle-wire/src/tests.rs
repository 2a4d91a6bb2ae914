//! Tests that need the crate's inside. Golden frames lie in `test/compat/golden`, shared with the TypeScript tests.

mod bounds;
mod golden;
mod hostile;
mod outbound;

use crate::frame::{Aligned, Frame};
use crate::{Inbound, Sender, WireError, decode};
use std::path::PathBuf;

/// Frames of clients and workers, written by TypeScript.
pub(crate) const INBOUND: [&str; 14] = [
    "hello-client",
    "hello-worker",
    "bye",
    "heartbeat",
    "query",
    "define-function",
    "submit",
    "want",
    "release",
    "cancel",
    "gather",
    "credit",
    "done",
    "lanes",
];

pub(crate) const EPOCH: u32 = 0xdead_beef;

pub(crate) fn golden_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../test/compat/golden/{name}.bin"))
}

/// u32 number of parts, then u32 length and bytes of each.
pub(crate) fn golden(name: &str) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(golden_path(name)).expect("a committed golden frame");
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let (mut parts, mut at) = (Vec::new(), 4);
    for _ in 0..word(0) {
        let length = word(at);
        parts.push(bytes[at + 4..at + 4 + length].to_vec());
        at += 4 + length;
    }
    assert_eq!(at, bytes.len());
    parts
}

/// Opens and decodes a frame.
pub(crate) fn read<R>(
    parts: &[Vec<u8>],
    sender: Sender,
    then: impl FnOnce(Inbound<'_>) -> R,
) -> Result<R, WireError> {
    let mut aligned = Aligned::new();
    let frame = Frame::open(parts, &mut aligned)?;
    decode(&frame, sender, then)
}
