//! `Update`, what clients are told of their rows.

use crate::encode::{Encoder, OutFrame, check_size};
use crate::error::WireError;
use crate::generated::protocol::{self as fb, Kind};
use flatbuffers::{FlatBufferBuilder, WIPOffset};
use heddle_core::update::{UpdateOut, UpdateSection};
use heddle_core::view::ProcView;

/// No payload in a section.
const NO_PART: u16 = u16::MAX;

impl Encoder {
    /// One update. `peers` are the addresses of `update.peers`.
    ///
    /// # Errors
    /// When its values are larger than a frame may be.
    pub fn update(
        &mut self,
        update: &UpdateOut,
        peers: &[ProcView<'_>],
    ) -> Result<OutFrame, WireError> {
        self.update_sections(update.seq, update.sections(), peers)
    }

    /// As [`Encoder::update`], from its pieces.
    pub(crate) fn update_sections(
        &mut self,
        seq: u32,
        sections: &[UpdateSection],
        peers: &[ProcView<'_>],
    ) -> Result<OutFrame, WireError> {
        let bytes = sections.iter().map(|section| section.bytes.len() + 8).sum();
        check_size(bytes, "Update")?;
        let mut part = Vec::with_capacity(bytes);
        let mut offsets = Vec::with_capacity(sections.len());
        for section in sections {
            part.resize(part.len().next_multiple_of(8), 0);
            let at = part.len();
            part.extend_from_slice(&section.bytes);
            offsets.push(write(&mut self.fbb, section, at..part.len()));
        }
        let peers = self.write_peers(peers);
        let sections = Some(self.fbb.create_vector(&offsets));
        let root = fb::Update::create(
            &mut self.fbb,
            &fb::UpdateArgs {
                seq,
                sections,
                peers,
            },
        );
        let payload = if part.is_empty() {
            Vec::new()
        } else {
            vec![part]
        };
        Ok(self.finish(Kind::Update, root, payload))
    }
}

fn write<'a>(
    fbb: &mut FlatBufferBuilder<'a>,
    section: &UpdateSection,
    placed: core::ops::Range<usize>,
) -> WIPOffset<fb::UpdateSection<'a>> {
    // An empty column is absent.
    macro_rules! column {
        ($column:expr) => {
            (!$column.is_empty()).then(|| fbb.create_vector(&$column))
        };
    }
    // Where sizes are given the stride means nothing; a frame may not carry both.
    let stride = if section.sizes.is_empty() {
        section.stride
    } else {
        0
    };
    let args = fb::UpdateSectionArgs {
        layer: section.layer,
        serial: section.serial,
        state: fb::RowState(section.state as u8),
        starts: Some(fbb.create_vector(&section.starts)),
        counts: Some(fbb.create_vector(&section.counts)),
        codec: fb::Codec(section.codec),
        codecs: column!(section.codecs),
        stride,
        sizes: column!(section.sizes),
        homes: column!(section.homes),
        procs: column!(section.procs),
        attempts: column!(section.attempts),
        part: if placed.is_empty() { NO_PART } else { 0 },
        offset: placed.start as u32,
        blame_serials: column!(section.blame_serials),
        blame_indices: column!(section.blame_indices),
    };
    fb::UpdateSection::create(fbb, &args)
}
