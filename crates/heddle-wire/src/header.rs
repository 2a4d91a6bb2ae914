//! The 16 bytes before every FlatBuffer, little-endian:
//! u16 magic @0 | u8 major @2 | u8 minor @3 | u8 kind @4 | u8 flags @5 | u16 payload parts @6 |
//! u32 epoch @8 | u32 crc32 @12 (over the FlatBuffer, then the payload parts; meant if flag bit 0 is set).

use crate::error::{WireCode, WireError};
use crate::generated::protocol::Kind;
use heddle_core::limits;

/// Bytes of a header.
pub const HEADER_BYTES: usize = limits::HEADER_BYTES;
const FLAG_CRC: u8 = 1;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Which root table follows.
    pub kind: Kind,
    /// The scheduler's epoch; 0 in Hello.
    pub epoch: u32,
    /// Payload parts that follow part 0.
    pub payload_parts: u16,
    /// CRC-32 of body and payload, if the sender gave one.
    pub crc: Option<u32>,
}

impl Header {
    /// Reads and checks a header; the kind is a known one afterwards.
    pub fn parse(part: &[u8]) -> Result<Self, WireError> {
        let Some(header) = part.first_chunk::<HEADER_BYTES>() else {
            return Err(WireError::protocol(
                "header",
                part.len() as u64,
                "ends too early",
            ));
        };
        if usize::from(u16_at(header, 0)) != limits::HEADER_MAGIC {
            return Err(WireError::protocol("header", 0, "is not Heddle's"));
        }
        if usize::from(header[2]) != limits::PROTOCOL_MAJOR {
            let problem = "is of another protocol version";
            return Err(WireError {
                code: WireCode::Version,
                place: "header",
                at: 2,
                problem,
            });
        }
        let kind = Kind(header[4]);
        if kind.variant_name().is_none() {
            return Err(WireError::protocol("header", 4, "has an unknown kind"));
        }
        let payload_parts = u16_at(header, 6);
        if usize::from(payload_parts) > limits::PAYLOAD_PARTS_MAX {
            return Err(WireError::limit("header", 6, "has too many payload parts"));
        }
        let crc = (header[5] & FLAG_CRC != 0).then(|| u32_at(header, 12));
        Ok(Self {
            kind,
            epoch: u32_at(header, 8),
            payload_parts,
            crc,
        })
    }

    /// The header's bytes.
    pub fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..2].copy_from_slice(&(limits::HEADER_MAGIC as u16).to_le_bytes());
        bytes[2] = limits::PROTOCOL_MAJOR as u8;
        bytes[3] = limits::PROTOCOL_MINOR as u8;
        bytes[4] = self.kind.0;
        bytes[5] = if self.crc.is_some() { FLAG_CRC } else { 0 };
        bytes[6..8].copy_from_slice(&self.payload_parts.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.crc.unwrap_or(0).to_le_bytes());
        bytes
    }
}

/// CRC-32 of a frame: the FlatBuffer, then the payload parts.
pub fn frame_crc<'a>(body: &[u8], payload: impl IntoIterator<Item = &'a [u8]>) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(body);
    for part in payload {
        hasher.update(part);
    }
    hasher.finalize()
}

fn u16_at(bytes: &[u8; HEADER_BYTES], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8; HEADER_BYTES], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
