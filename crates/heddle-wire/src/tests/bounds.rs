//! Well-formed frames that ask for too much, contradict themselves, or come from the wrong peer.

use super::{INBOUND, golden, read};
use crate::generated::protocol::{self as fb, Kind};
use crate::header::Header;
use crate::{Inbound, Sender, WireCode, WireError};
use flatbuffers::{FlatBufferBuilder, WIPOffset};
use heddle_core::id::{ClientId, ProcId};

const CLIENT: Sender = Sender::Client(ClientId(1));
const WORKER: Sender = Sender::Worker(ProcId(1));

type Fbb = FlatBufferBuilder<'static>;

/// A frame whose root `write` makes.
fn frame<T>(
    kind: Kind,
    payload: &[&[u8]],
    write: impl FnOnce(&mut Fbb) -> WIPOffset<T>,
) -> Vec<Vec<u8>> {
    let mut fbb = FlatBufferBuilder::new();
    let root = write(&mut fbb);
    fbb.finish_minimal(root);
    let header = Header {
        kind,
        epoch: 1,
        payload_parts: payload.len() as u16,
        crc: None,
    };
    let head = [&header.to_bytes()[..], fbb.finished_data()].concat();
    core::iter::once(head)
        .chain(payload.iter().map(|part| part.to_vec()))
        .collect()
}

fn refusal(sender: Sender, parts: &[Vec<u8>]) -> WireError {
    read(parts, sender, |inbound| format!("{inbound:?}")).expect_err("must be refused")
}

fn submit(
    payload: &[&[u8]],
    layer: impl FnOnce(&mut Fbb) -> fb::LayerArgs<'static>,
) -> Vec<Vec<u8>> {
    frame(Kind::Submit, payload, |fbb| {
        let args = layer(fbb);
        let layer = fb::Layer::create(fbb, &args);
        let layers = Some(fbb.create_vector(&[layer]));
        fb::Submit::create(
            fbb,
            &fb::SubmitArgs {
                graph: 1,
                layers,
                more: false,
            },
        )
    })
}

fn done(
    payload: &[&[u8]],
    section: impl FnOnce(&mut Fbb) -> fb::DoneSectionArgs<'static>,
) -> Vec<Vec<u8>> {
    frame(Kind::Done, payload, |fbb| {
        let args = section(fbb);
        let section = fb::DoneSection::create(fbb, &args);
        let sections = Some(fbb.create_vector(&[section]));
        fb::Done::create(
            fbb,
            &fb::DoneArgs {
                proc_: 1,
                incarnation: 1,
                sections,
                ..fb::DoneArgs::default()
            },
        )
    })
}

#[test]
fn each_kind_is_for_its_sender_only() {
    for name in INBOUND {
        let allowed: &[Sender] = match name {
            "hello-client" | "hello-worker" => &[Sender::New],
            // A peer may have been given up, or have lost its connection, and not know it yet.
            "bye" | "heartbeat" => &[Sender::New, CLIENT, Sender::Worker(ProcId(3))],
            "done" | "lanes" => &[Sender::New, Sender::Worker(ProcId(3))],
            _ => &[Sender::New, CLIENT],
        };
        for sender in [Sender::New, CLIENT, Sender::Worker(ProcId(3))] {
            let result = read(&golden(name), sender, |_| ());
            assert_eq!(
                result.is_ok(),
                allowed.contains(&sender),
                "{name} from {sender:?}"
            );
        }
    }
}

#[test]
fn what_is_said_before_hello_is_left_over_and_not_read() {
    for name in ["submit", "done", "lanes"] {
        let mut parts = golden(name);
        read(&parts, Sender::New, |inbound| {
            assert!(matches!(inbound, Inbound::Leftover));
        })
        .unwrap();
        // Without an epoch it is nobody's.
        parts[0][8..12].fill(0);
        assert!(read(&parts, Sender::New, |_| ()).is_err());
    }
}

#[test]
fn a_worker_speaks_for_itself_only() {
    let error = refusal(Sender::Worker(ProcId(4)), &golden("done"));
    assert_eq!((error.place, error.at), ("proc", 3));
}

#[test]
fn another_version_has_its_own_code() {
    let mut parts = golden("bye");
    parts[0][2] = 9;
    assert_eq!(refusal(CLIENT, &parts).code, WireCode::Version);
}

#[test]
fn offsets_ascend_from_zero_to_the_edges() {
    let cases: [(&[u32], &[u32]); 5] = [
        (&[0, 1], &[0, 0]),
        (&[1, 1, 1], &[0]),
        (&[0, 2, 1], &[0]),
        (&[0, 1, 3], &[0, 0]),
        (&[0, 1, 1], &[0, 0]),
    ];
    for (offsets, indices) in cases {
        let parts = submit(&[], |fbb| fb::LayerArgs {
            tasks: 2,
            dep_offsets: Some(fbb.create_vector(offsets)),
            dep_indices: Some(fbb.create_vector(indices)),
            ..fb::LayerArgs::default()
        });
        assert!(
            refusal(CLIENT, &parts).place.starts_with("Layer.dep"),
            "{offsets:?} {indices:?}"
        );
    }
}

#[test]
fn row_data_fills_its_part_exactly() {
    for length in [0, 15, 17] {
        let part = vec![0; length];
        let parts = submit(&[&part], |_| fb::LayerArgs {
            tasks: 2,
            data_stride: 8,
            data_part: 0,
            ..fb::LayerArgs::default()
        });
        assert_eq!(
            refusal(CLIENT, &parts).place,
            "Layer.data_part",
            "{length} bytes"
        );
    }
    let parts = submit(&[&[0; 16]], |fbb| fb::LayerArgs {
        tasks: 2,
        data_stride: 8,
        data_sizes: Some(fbb.create_vector(&[8u32, 8])),
        data_part: 0,
        ..fb::LayerArgs::default()
    });
    assert_eq!(refusal(CLIENT, &parts).problem, "is given besides sizes");
}

#[test]
fn layers_stay_within_the_limits() {
    let cases: [(&str, fb::LayerArgs<'_>); 4] = [
        (
            "Layer.tasks",
            fb::LayerArgs {
                tasks: u32::MAX,
                ..Default::default()
            },
        ),
        (
            "Layer.tasks",
            fb::LayerArgs {
                first: 1 << 28,
                tasks: 1,
                ..Default::default()
            },
        ),
        (
            "Layer.kind",
            fb::LayerArgs {
                kind: fb::LayerKind(9),
                ..Default::default()
            },
        ),
        (
            "Layer.data_codec",
            fb::LayerArgs {
                data_codec: fb::Codec(99),
                ..Default::default()
            },
        ),
    ];
    for (place, args) in cases {
        assert_eq!(refusal(CLIENT, &submit(&[], |_| args)).place, place);
    }
    let rows = submit(&[], |_| fb::LayerArgs {
        tasks: 5_000_000,
        ..Default::default()
    });
    assert_eq!(
        refusal(CLIENT, &rows).code,
        WireCode::Limit,
        "too many explicit rows"
    );
    let map = submit(&[], |_| fb::LayerArgs {
        kind: fb::LayerKind::Map,
        tasks: 5_000_000,
        ..Default::default()
    });
    assert!(
        read(&map, CLIENT, |_| ()).is_ok(),
        "a symbolic layer costs nothing per row"
    );
}

#[test]
fn results_are_inline_only_within_the_limit() {
    let large = vec![0; 2048];
    let ok = |outcome, codec| {
        done(&[&large], move |_| fb::DoneSectionArgs {
            outcome,
            codec,
            count: 1,
            stride: 2048,
            part: 0,
            ..fb::DoneSectionArgs::default()
        })
    };
    let too_large = refusal(WORKER, &ok(fb::Outcome::Ok, fb::Codec::Bytes));
    assert_eq!((too_large.code, too_large.at), (WireCode::Limit, 2048));
    assert!(read(&ok(fb::Outcome::Failed, fb::Codec::Error), WORKER, |_| ()).is_ok());
    let parts = refusal(WORKER, &ok(fb::Outcome::Failed, fb::Codec::Parts));
    assert_eq!(parts.problem, "holds parts inline");
}

#[test]
fn sections_agree_with_themselves() {
    let short = done(&[], |fbb| fb::DoneSectionArgs {
        count: 2,
        attempts: Some(fbb.create_vector(&[1u32])),
        ..fb::DoneSectionArgs::default()
    });
    assert_eq!(refusal(WORKER, &short).place, "DoneSection.attempts");
    let unnamed = done(&[], |_| fb::DoneSectionArgs {
        count: 1,
        outcome: fb::Outcome::MissingInput,
        ..fb::DoneSectionArgs::default()
    });
    assert_eq!(
        refusal(WORKER, &unnamed).place,
        "DoneSection.missing_serials"
    );
    let many = done(&[], |_| fb::DoneSectionArgs {
        count: 65_537,
        ..Default::default()
    });
    assert_eq!(refusal(WORKER, &many).place, "DoneSection.count");
    let code = done(&[], |fbb| fb::DoneSectionArgs {
        count: 1,
        codecs: Some(fbb.create_vector(&[200u8])),
        ..fb::DoneSectionArgs::default()
    });
    assert_eq!(refusal(WORKER, &code).place, "DoneSection.codecs");
}

#[test]
fn demand_names_rows_a_layer_can_have() {
    let parts = frame(Kind::Want, &[], |fbb| {
        let (layers, starts) = (fbb.create_vector(&[1u32]), fbb.create_vector(&[u32::MAX]));
        let counts = fbb.create_vector(&[u32::MAX]);
        let (layers, starts, counts) = (Some(layers), Some(starts), Some(counts));
        fb::Demand::create(
            fbb,
            &fb::DemandArgs {
                layers,
                starts,
                counts,
                reason: None,
            },
        )
    });
    assert_eq!(refusal(CLIENT, &parts).place, "Demand.counts");
}

#[test]
fn workers_say_how_many_lanes_they_have() {
    for lanes in [0, 257] {
        let parts = frame(Kind::Hello, &[], |fbb| {
            let args = fb::HelloArgs {
                role: fb::Role::Worker,
                lanes,
                ..Default::default()
            };
            fb::Hello::create(fbb, &args)
        });
        assert_eq!(refusal(Sender::New, &parts).place, "Hello.lanes");
    }
}

#[test]
fn a_client_has_a_session() {
    let parts = frame(Kind::Hello, &[], |fbb| {
        fb::Hello::create(
            fbb,
            &fb::HelloArgs {
                role: fb::Role::Client,
                ..Default::default()
            },
        )
    });
    assert_eq!(refusal(Sender::New, &parts).place, "Hello.session");
}

#[test]
fn totals_that_are_no_numbers_count_as_zero() {
    let parts = frame(Kind::Heartbeat, &[], |fbb| {
        let args = fb::HeartbeatArgs {
            rss_bytes: f64::NAN,
            tasks_run: -1.0,
            ..Default::default()
        };
        fb::Heartbeat::create(fbb, &args)
    });
    let text = read(&parts, WORKER, |inbound| format!("{inbound:?}")).unwrap();
    assert!(
        text.contains("rss_bytes: 0.0") && text.contains("tasks_run: 0.0"),
        "{text}"
    );
}

#[test]
fn shared_offsets_do_not_unfold() {
    // One long name, shared by very many layers: a small frame that would cost much to look through.
    let parts = frame(Kind::Submit, &[], |fbb| {
        let name = fbb.create_string(&"x".repeat(4000));
        let layer = fb::Layer::create(
            fbb,
            &fb::LayerArgs {
                name: Some(name),
                ..Default::default()
            },
        );
        let layers = Some(fbb.create_vector(&vec![layer; 4000]));
        fb::Submit::create(
            fbb,
            &fb::SubmitArgs {
                graph: 1,
                layers,
                more: false,
            },
        )
    });
    let error = refusal(CLIENT, &parts);
    assert_eq!(
        (error.code, error.problem),
        (WireCode::Limit, "unfolds too far")
    );
}
