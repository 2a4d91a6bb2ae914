//! What the scheduler sends. With HEDDLE_WRITE_GOLDEN=1 the golden frames are written, which TypeScript reads.

use super::{EPOCH, golden, golden_path};
use crate::check::root;
use crate::encode::{Encoder, OutFrame};
use crate::frame::{Aligned, Frame};
use crate::generated::protocol as fb;
use crate::{Welcome, bench, read_assign};
use heddle_core::id::{FunctionSerial, Incarnation, LayerSerial, ProcId};
use heddle_core::out::{AssignSection, FreeRuns, RetractSection};
use heddle_core::update::{RowState, UpdateSection};
use heddle_core::view::{LayerView, ProcView};

fn doubles(values: &[f64]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

fn peer() -> ProcView<'static> {
    ProcView {
        proc: ProcId(3),
        incarnation: Incarnation(4),
        host: "here",
        name: "w0",
        data_address: "ipc:///tmp/x",
        lanes: 2,
        in_flight: 0,
        stored_bytes: 0,
        memory_bytes: 0,
    }
}

fn assign_sections() -> [AssignSection; 2] {
    [
        AssignSection {
            lane: 1,
            lane_epoch: 1,
            serial: 40,
            first: 100,
            count: 3,
            data: doubles(&[1.0, 2.0, 3.0]),
            data_stride: 8,
            ..AssignSection::default()
        },
        AssignSection {
            lane: 0,
            lane_epoch: 2,
            serial: 41,
            count: 2,
            indices: vec![5, 9],
            attempts: vec![1, 2],
            priorities: vec![-1, 1],
            timeouts_ms: vec![0, 500],
            dep_counts: vec![1, 2],
            dep_serial: 40,
            dep_indices: vec![100, 101, 102],
            dep_procs: vec![0, 2, 0],
            dep_codec: 1,
            dep_sizes: vec![8, 4096, 8],
            dep_bytes: doubles(&[4.0, 5.0]),
            ..AssignSection::default()
        },
    ]
}

/// Rows whose data is of zero bytes.
fn empty_data() -> AssignSection {
    AssignSection {
        lane_epoch: 1,
        serial: 42,
        count: 2,
        has_data: true,
        ..AssignSection::default()
    }
}

fn update_sections() -> [UpdateSection; 2] {
    [
        UpdateSection {
            layer: 1,
            serial: 40,
            state: RowState::Done,
            starts: vec![0, 5],
            counts: vec![2, 1],
            rows: 3,
            codec: 1,
            stride: 8,
            bytes: doubles(&[1.0, 2.0, 3.0]),
            ..UpdateSection::default()
        },
        UpdateSection {
            layer: 2,
            serial: 41,
            state: RowState::Failed,
            starts: vec![7],
            counts: vec![2],
            rows: 2,
            codec: 6,
            sizes: vec![2, 9000],
            homes: vec![0, 1],
            procs: vec![0, 3],
            attempts: vec![1, 4],
            blame_serials: vec![40, 41],
            blame_indices: vec![3, 8],
            bytes: vec![0x81, 0xc0],
            ..UpdateSection::default()
        },
    ]
}

/// One frame of every kind the scheduler sends, as in `test/unit/wire/fixtures.ts`.
pub(super) fn frames() -> Vec<(&'static str, OutFrame)> {
    let mut encoder = Encoder::new(EPOCH);
    let (proc, incarnation) = (ProcId(3), Incarnation(4));
    let welcome = Welcome {
        peer: 3,
        incarnation: 4,
        heartbeat_ms: 1000,
        inline_bytes_max: 1024,
        package_version: "0.1.0",
        capabilities: &["map"],
        received: 0,
    };
    let layer = LayerView {
        serial: LayerSerial(40),
        function: FunctionSerial(5).0,
        name: "square",
        template: Some(&[0x91, 0xc0]),
        data_codec: 1,
    };
    let retract = RetractSection {
        lane: 1,
        lane_epoch: 1,
        serial: 40,
        indices: vec![101],
        attempts: vec![1],
        cancel: true,
    };
    let free = FreeRuns {
        serials: vec![40, 41],
        starts: vec![0, 9],
        counts: vec![100, 1],
        attempts: vec![1, 2],
    };
    let mut assign = Vec::new();
    encoder.assign(proc, incarnation, &assign_sections(), |frame| {
        assign.push(frame)
    });
    let [assign] = assign.try_into().expect("one small frame");
    let mut empty = Vec::new();
    encoder.assign(proc, incarnation, &[empty_data()], |frame| {
        empty.push(frame)
    });
    let [empty] = empty.try_into().expect("one small frame");
    let cycle = "rows wait for each other";
    vec![
        ("welcome", encoder.welcome(&welcome)),
        (
            "reject",
            encoder.reject("ERR_PROTOCOL_VERSION", "other version"),
        ),
        ("reply", encoder.reply(9, "{\"a\":1}")),
        ("notice", encoder.notice("ERR_NO_WORKERS", "waiting", true)),
        ("accepted", encoder.accepted(11, &[1, 2], &[40, 41])),
        (
            "refused",
            encoder.refused(11, "ERR_GRAPH_CYCLE", cycle, 2, 1),
        ),
        ("peers", encoder.peers(&[peer()], &[ProcId(1), ProcId(2)])),
        ("define-layer", encoder.define_layer(&layer)),
        ("assign", assign),
        ("assign-empty-data", empty),
        ("retract", encoder.retract(proc, incarnation, &[retract])),
        ("free", encoder.free(proc, incarnation, &free)),
        (
            "forget",
            encoder.forget(
                proc,
                incarnation,
                &[LayerSerial(40), LayerSerial(41)],
                &[FunctionSerial(5)],
            ),
        ),
        (
            "update",
            encoder
                .update_sections(5, &update_sections(), &[peer()])
                .unwrap(),
        ),
    ]
}

/// The parts as they go to the socket.
pub(super) fn parts(frame: &OutFrame) -> Vec<Vec<u8>> {
    let mut parts = vec![frame.head.clone()];
    parts.extend(frame.payload.iter().cloned());
    parts
}

/// Runs the verifier on the body of an outbound frame.
pub(super) fn verify(frame: &Frame<'_>) -> bool {
    let body = frame.body;
    match frame.kind() {
        "Welcome" => root::<fb::Welcome<'_>>(body).is_ok(),
        "Reject" => root::<fb::Reject<'_>>(body).is_ok(),
        "Reply" => root::<fb::Reply<'_>>(body).is_ok(),
        "Notice" => root::<fb::Notice<'_>>(body).is_ok(),
        "Accepted" => root::<fb::Accepted<'_>>(body).is_ok(),
        "Refused" => root::<fb::Refused<'_>>(body).is_ok(),
        "Peers" => root::<fb::Peers<'_>>(body).is_ok(),
        "DefineLayer" => root::<fb::DefineLayer<'_>>(body).is_ok(),
        "Assign" => read_assign(frame, |_, _| ()).is_ok(),
        "Retract" => root::<fb::Retract<'_>>(body).is_ok(),
        "Forget" => root::<fb::Forget<'_>>(body).is_ok(),
        "Free" => root::<fb::Free<'_>>(body).is_ok(),
        "Update" => root::<fb::Update<'_>>(body).is_ok(),
        _ => false,
    }
}

#[test]
fn every_kind_verifies_and_matches_the_committed_meaning() {
    for (name, frame) in frames() {
        let ours = parts(&frame);
        if std::env::var_os("HEDDLE_WRITE_GOLDEN").is_some() {
            let mut file = (ours.len() as u32).to_le_bytes().to_vec();
            for part in &ours {
                file.extend_from_slice(&(part.len() as u32).to_le_bytes());
                file.extend_from_slice(part);
            }
            std::fs::write(golden_path(name), file).unwrap();
        }
        for parts in [ours, golden(name)] {
            let mut aligned = Aligned::new();
            let frame = Frame::open(&parts, &mut aligned).unwrap();
            assert_eq!(frame.epoch(), EPOCH);
            assert!(verify(&frame), "{name}");
        }
    }
}

#[test]
fn assign_comes_back_as_it_was_written() {
    let parts = golden("assign");
    let mut aligned = Aligned::new();
    let frame = Frame::open(&parts, &mut aligned).unwrap();
    let mut seen = 0;
    read_assign(&frame, |proc, view| {
        assert_eq!(proc, 3);
        let section = &assign_sections()[seen];
        assert_eq!(
            (view.lane, view.lane_epoch, view.serial),
            (section.lane, section.lane_epoch, section.serial)
        );
        for i in 0..section.count as usize {
            assert_eq!(view.index(i), section.index(i));
            assert_eq!(view.attempts.get_or(i, 1), section.attempt(i));
        }
        assert_eq!(view.data, section.data);
        assert_eq!(view.dep_bytes, section.dep_bytes);
        assert_eq!(view.dep_procs.iter().collect::<Vec<_>>(), section.dep_procs);
        assert_eq!(view.dep_sizes.iter().collect::<Vec<_>>(), section.dep_sizes);
        assert_eq!(
            view.priorities.iter().collect::<Vec<_>>(),
            section.priorities
        );
        seen += 1;
    })
    .unwrap();
    assert_eq!(seen, 2);
}

/// To a worker these are not the same: a datum is an argument, however short.
#[test]
fn row_data_of_zero_bytes_is_not_absent() {
    let parts = golden("assign-empty-data");
    let mut aligned = Aligned::new();
    let frame = Frame::open(&parts, &mut aligned).unwrap();
    read_assign(&frame, |_, view| {
        assert_eq!((view.count, view.data_stride), (2, 0));
        assert_eq!(view.data_sizes.iter().collect::<Vec<_>>(), [0, 0]);
        assert_eq!(view.data, []);
    })
    .unwrap();
}

#[test]
fn a_large_assign_is_several_frames() {
    let section = || AssignSection {
        count: 4096,
        data: vec![0; 1 << 20],
        data_stride: 256,
        ..AssignSection::default()
    };
    let sections: Vec<_> = (0..20).map(|_| section()).collect();
    let (mut frames, mut seen) = (0, 0);
    let mut encoder = Encoder::new(1);
    encoder.assign(ProcId(1), Incarnation(1), &sections, |frame| {
        let parts = parts(&frame);
        let mut aligned = Aligned::new();
        read_assign(&Frame::open(&parts, &mut aligned).unwrap(), |_, view| {
            seen += view.count
        })
        .unwrap();
        frames += 1;
    });
    assert_eq!((frames, seen), (5, 20 * 4096));
}

#[test]
fn the_benchmark_looks_at_every_record() {
    assert_eq!(bench::assign(4096).unwrap(), bench::expected(4096));
}

#[test]
fn an_update_too_large_for_a_frame_is_refused() {
    let section = UpdateSection {
        bytes: vec![0; 65 << 20],
        ..UpdateSection::default()
    };
    let error = Encoder::new(1)
        .update_sections(1, &[section], &[])
        .unwrap_err();
    assert_eq!(error.code.as_str(), "ERR_LIMIT_EXCEEDED");
}
