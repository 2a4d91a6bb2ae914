//! Opening a received frame: header, sizes, CRC, alignment.

use crate::error::WireError;
use crate::header::{HEADER_BYTES, Header, frame_crc};
use core::ops::Deref;
use heddle_core::limits::CONTROL_FRAME_BYTES_MAX;

/// FlatBuffers want their scalars aligned, received parts are not: a buffer to move a body into. Reuse it.
#[derive(Debug, Default)]
pub struct Aligned(Vec<u8>);

const ALIGNMENT: usize = 8;

impl Aligned {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// A copy of `bytes` that starts at a multiple of 8.
    pub(crate) fn copy(&mut self, bytes: &[u8]) -> &[u8] {
        let needed = bytes.len() + ALIGNMENT;
        if self.0.len() < needed {
            self.0.resize(needed, 0);
        }
        let start = self.0.as_ptr().align_offset(ALIGNMENT);
        let place = &mut self.0[start..start + bytes.len()];
        place.copy_from_slice(bytes);
        place
    }
}

/// A frame whose header and CRC were checked; the body has not been looked at.
#[derive(Debug)]
pub struct Frame<'a> {
    /// What the header says.
    pub(crate) header: Header,
    /// The FlatBuffer, at a multiple of 8.
    pub(crate) body: &'a [u8],
    /// The payload parts.
    pub(crate) payload: Vec<&'a [u8]>,
}

impl<'a> Frame<'a> {
    /// The scheduler's epoch as the sender knows it; 0 in Hello.
    pub fn epoch(&self) -> u32 {
        self.header.epoch
    }

    /// Name of the frame's kind, for logs and counters.
    pub fn kind(&self) -> &'static str {
        self.header.kind.variant_name().unwrap_or("unknown")
    }

    /// Checks a received multipart (without its routing id).
    ///
    /// # Errors
    /// When the header is not one, the parts are not as many as it says, one is too large, or the CRC differs.
    pub fn open<P: Deref<Target = [u8]>>(
        parts: &'a [P],
        aligned: &'a mut Aligned,
    ) -> Result<Self, WireError> {
        let Some((first, rest)) = parts.split_first() else {
            return Err(WireError::protocol("frame", 0, "has no parts"));
        };
        let header = Header::parse(first)?;
        if usize::from(header.payload_parts) != rest.len() {
            return Err(WireError::protocol(
                "header",
                6,
                "names another number of payload parts",
            ));
        }
        if let Some(large) = parts
            .iter()
            .position(|part| part.len() > CONTROL_FRAME_BYTES_MAX)
        {
            return Err(WireError::limit(
                "frame",
                large as u64,
                "has a part that is too large",
            ));
        }
        let body = &first[HEADER_BYTES..];
        let payload: Vec<&[u8]> = rest.iter().map(|part| &**part).collect();
        if let Some(crc) = header.crc
            && crc != frame_crc(body, payload.iter().copied())
        {
            return Err(WireError::protocol(
                "header",
                12,
                "has another CRC than the frame",
            ));
        }
        let in_place = body.as_ptr().align_offset(ALIGNMENT) == 0;
        let body = if in_place { body } else { aligned.copy(body) };
        Ok(Self {
            header,
            body,
            payload,
        })
    }
}
