//! Frames with altered bytes, cut short, or of noise: an error or some meaning whose columns agree, never a panic.

use super::outbound::{frames, parts, verify};
use super::{INBOUND, golden, read};
use crate::frame::{Aligned, Frame};
use crate::{Inbound, Sender};
use heddle_core::event::{DoneSection, Event, LayerSpec};
use heddle_core::id::{ClientId, ProcId};

const ROUNDS: usize = 3000;
const SENDERS: [Sender; 3] = [
    Sender::New,
    Sender::Client(ClientId(1)),
    Sender::Worker(ProcId(3)),
];

/// xorshift64*: the same bytes on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end
    }
}

/// Gives a frame to everything that reads frames; true if anybody accepted it.
fn attempt(parts: &[Vec<u8>]) -> bool {
    let mut accepted = false;
    for sender in SENDERS {
        accepted |= read(parts, sender, check).is_ok();
    }
    let mut aligned = Aligned::new();
    accepted | Frame::open(parts, &mut aligned).is_ok_and(|frame| verify(&frame))
}

/// What the decoder promises of an accepted frame.
fn check(inbound: Inbound<'_>) {
    match inbound {
        Inbound::Event(Event::Done { sections, .. }) => sections.iter().for_each(check_done),
        Inbound::Event(Event::GraphSubmitted(submit)) => submit.layers.iter().for_each(check_layer),
        Inbound::Event(Event::Wanted(demand)) => {
            assert_eq!(demand.layers.len(), demand.counts.len())
        }
        Inbound::Hello(hello) => assert!(hello.lanes <= 256),
        _ => {}
    }
}

fn check_done(section: &DoneSection<'_>) {
    let rows = section.count as usize;
    let size = |row| match section.homes.get(row) {
        0 if section.stride > 0 => section.stride as usize,
        0 => section.sizes.get(row) as usize,
        _ => 0,
    };
    assert_eq!((0..rows).map(size).sum::<usize>(), section.values.len());
    assert!(section.indices.is_empty() || section.indices.len() == rows);
}

fn check_layer(layer: &LayerSpec<'_>) {
    let last = layer.dep_offsets.len().saturating_sub(1);
    assert_eq!(
        layer.dep_offsets.get(last) as usize,
        layer.dep_indices.len()
    );
    assert_eq!(layer.key_rows.len(), layer.keys.len());
}

fn all() -> Vec<(String, Vec<Vec<u8>>)> {
    let inbound = INBOUND
        .iter()
        .map(|name| ((*name).to_owned(), golden(name)));
    inbound
        .chain(
            frames()
                .iter()
                .map(|(name, frame)| ((*name).to_owned(), parts(frame))),
        )
        .collect()
}

#[test]
fn altered_bytes() {
    for (at, (name, good)) in all().into_iter().enumerate() {
        assert!(attempt(&good), "{name}");
        let mut random = Random(0x9e37_79b9_7f4a_7c15 + at as u64);
        let mut refused = 0;
        for _ in 0..ROUNDS {
            let mut bad = good.clone();
            for _ in 0..1 + random.below(4) {
                let part = random.below(bad.len());
                let length = bad[part].len();
                bad[part][random.below(length)] = random.below(256) as u8;
            }
            refused += usize::from(!attempt(&bad));
        }
        assert!(refused > 0, "{name}: no mutation was noticed");
    }
}

#[test]
fn flipped_bits_of_a_frame_with_a_crc() {
    for name in INBOUND {
        let mut parts = golden(name);
        let crc =
            crate::header::frame_crc(&parts[0][16..], parts[1..].iter().map(|part| &part[..]));
        parts[0][5] = 1;
        parts[0][12..16].copy_from_slice(&crc.to_le_bytes());
        assert!(attempt(&parts), "{name}");
        for part in 0..parts.len() {
            for byte in if part == 0 { 16 } else { 0 }..parts[part].len() {
                parts[part][byte] ^= 1 << (byte % 8);
                assert!(!attempt(&parts), "{name}: byte {byte} of part {part}");
                parts[part][byte] ^= 1 << (byte % 8);
            }
        }
    }
}

#[test]
fn truncations() {
    for (name, good) in all() {
        for length in 0..good[0].len() {
            let mut bad = good.clone();
            bad[0].truncate(length);
            attempt(&bad);
        }
        if good.len() > 1 {
            assert!(!attempt(&good[..1]), "{name}: a payload part is missing");
        }
    }
    assert!(!attempt(&[]));
}

#[test]
fn noise_behind_a_valid_header() {
    let mut random = Random(7);
    for (_, good) in all() {
        for _ in 0..1000 {
            let length = random.below(300);
            let mut bad = good.clone();
            bad[0].truncate(16);
            bad[0].extend((0..length).map(|_| random.below(256) as u8));
            attempt(&bad);
        }
    }
}

#[test]
fn misaligned_parts_are_read() {
    for name in INBOUND {
        let good = golden(name);
        for shift in 1..8 {
            let pools: Vec<Vec<u8>> = good
                .iter()
                .map(|part| [&vec![0; shift][..], part].concat())
                .collect();
            let views: Vec<&[u8]> = pools.iter().map(|pool| &pool[shift..]).collect();
            let mut aligned = Aligned::new();
            let frame = Frame::open(&views, &mut aligned).unwrap();
            let read = SENDERS
                .iter()
                .any(|&sender| crate::decode(&frame, sender, check).is_ok());
            assert!(read, "{name} shifted by {shift}");
        }
    }
}
