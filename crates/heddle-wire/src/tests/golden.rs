//! Frames that TypeScript wrote mean here what they meant there (`test/unit/wire/fixtures.ts`).

use super::{EPOCH, golden, read};
use crate::{Inbound, Role, Sender};
use heddle_core::event::{Event, LayerKind, Outcome, WHOLE};
use heddle_core::id::{ClientId, Incarnation, LayerSerial, ProcId};

const CLIENT: Sender = Sender::Client(ClientId(8));
const WORKER: Sender = Sender::Worker(ProcId(3));

/// Reads a golden frame and gives its event to `check`.
fn event(name: &str, sender: Sender, check: impl FnOnce(Event<'_>)) {
    read(&golden(name), sender, |inbound| match inbound {
        Inbound::Event(event) => check(event),
        other => panic!("{name} is {other:?}"),
    })
    .unwrap();
}

#[test]
fn hello() {
    read(&golden("hello-client"), Sender::New, |inbound| {
        let Inbound::Hello(hello) = inbound else {
            panic!("{inbound:?}")
        };
        assert_eq!(hello.role, Role::Client);
        assert_eq!(hello.session, core::array::from_fn(|i| i as u8));
        assert_eq!(hello.capabilities, ["map", "blockwise"]);
        assert_eq!(
            (hello.name, hello.host, hello.pid),
            ("a client", "höst", 4242)
        );
        assert_eq!((hello.update_credit, hello.grace_ms), (16, 30_000));
    })
    .unwrap();
    read(&golden("hello-worker"), Sender::New, |inbound| {
        let Inbound::Hello(hello) = inbound else {
            panic!("{inbound:?}")
        };
        assert_eq!(hello.role, Role::Worker);
        assert_eq!(hello.session, [0; 16]);
        assert_eq!(hello.key_binding, [1, 2, 3]);
        assert_eq!((hello.data_address, hello.lanes), ("ipc:///tmp/x", 2));
        assert_eq!(hello.memory_bytes, 1 << 40);
    })
    .unwrap();
}

#[test]
fn session() {
    read(&golden("bye"), CLIENT, |inbound| {
        let Inbound::Bye(bye) = inbound else {
            panic!("{inbound:?}")
        };
        assert_eq!((bye.reason, bye.session), ("close()", None));
    })
    .unwrap();
    read(&golden("heartbeat"), WORKER, |inbound| {
        let Inbound::Heartbeat(beat) = inbound else {
            panic!("{inbound:?}")
        };
        assert_eq!((beat.peer, beat.incarnation, beat.loop_lag_us), (3, 3, 120));
        assert_eq!((beat.rss_bytes, beat.stored_values), (1e9, 5));
        assert_eq!(beat.cpu_compute_ns, 2f64.powi(53));
    })
    .unwrap();
    read(&golden("query"), CLIENT, |inbound| {
        let Inbound::Query(query) = inbound else {
            panic!("{inbound:?}")
        };
        assert_eq!((query.request, query.what, query.body), (9, "stats", "{}"));
    })
    .unwrap();
}

#[test]
fn submit() {
    event("define-function", CLIENT, |event| {
        let Event::FunctionDefined(defined) = event else {
            panic!("{event:?}")
        };
        assert_eq!(
            (defined.client, defined.function, defined.name),
            (ClientId(8), 5, "square")
        );
        assert_eq!((defined.hash, defined.body), ([7; 32], &[1, 2, 3][..]));
    });
    event("submit", CLIENT, |event| {
        let Event::GraphSubmitted(submit) = event else {
            panic!("{event:?}")
        };
        assert_eq!(
            (submit.client, submit.graph, submit.layers.len()),
            (ClientId(8), 11, 3)
        );
        let map = &submit.layers[0];
        assert_eq!(
            (map.layer, map.kind, map.tasks, map.name),
            (1, LayerKind::Map, 3, "square")
        );
        assert_eq!((map.function, map.priority, map.retries), (5, -2, 3));
        assert_eq!((map.timeout_ms, map.flags, map.data_codec), (1000, 1, 1));
        assert_eq!(map.template, Some(&[0x91, 0xc0][..]));
        let doubles: Vec<u8> = [1f64, 2.0, 3.0]
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        assert_eq!((map.data_stride, map.data), (8, Some(&doubles[..])));
        let explicit = &submit.layers[1];
        assert_eq!(explicit.dep_offsets.iter().collect::<Vec<_>>(), [0, 2, 3]);
        assert_eq!(explicit.dep_indices.iter().collect::<Vec<_>>(), [0, 2, 1]);
        assert_eq!(explicit.dep_parts.iter().collect::<Vec<_>>(), [WHOLE, 0, 1]);
        assert_eq!(explicit.priorities.iter().collect::<Vec<_>>(), [-1, 1]);
        assert_eq!(explicit.row_retries.iter().collect::<Vec<_>>(), [0, 65_535]);
        assert_eq!(explicit.data_sizes.iter().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(
            (explicit.data, explicit.keys),
            (Some(&[1, 2, 3][..]), &["the-sum"][..])
        );
        let reduce = &submit.layers[2];
        assert_eq!((reduce.kind, reduce.fan_in), (LayerKind::TreeReduce, 8));
        let input = reduce.inputs[0];
        assert_eq!((input.layer, input.part, input.broadcast), (2, WHOLE, true));
    });
}

#[test]
fn demand() {
    for name in ["want", "release", "cancel", "gather"] {
        event(name, CLIENT, |event| {
            let (kind, demand) = match event {
                Event::Wanted(demand) => ("want", demand),
                Event::Released(demand) => ("release", demand),
                Event::Cancelled(demand) => ("cancel", demand),
                Event::Gathered(demand) => ("gather", demand),
                other => panic!("{other:?}"),
            };
            assert_eq!(
                (kind, demand.client, demand.reason),
                (name, ClientId(8), "why")
            );
            assert_eq!(demand.layers.iter().collect::<Vec<_>>(), [1, 2]);
            assert_eq!(demand.starts.iter().collect::<Vec<_>>(), [0, 10]);
            assert_eq!(demand.counts.iter().collect::<Vec<_>>(), [5, 1]);
        });
    }
    event("credit", CLIENT, |event| {
        assert!(matches!(
            event,
            Event::Credited {
                client: ClientId(8),
                seq: 77
            }
        ));
    });
}

#[test]
fn done() {
    event("done", WORKER, |event| {
        let Event::Done { from, sections } = event else {
            panic!("{event:?}")
        };
        assert_eq!(
            (from.epoch, from.proc, from.incarnation),
            (EPOCH, ProcId(3), Incarnation(3))
        );
        let [numbers, mixed, missing] = sections else {
            panic!("{sections:?}")
        };
        assert_eq!(
            (numbers.lane, numbers.serial, numbers.outcome),
            (1, LayerSerial(40), Outcome::Ok)
        );
        assert_eq!(
            (numbers.first, numbers.count, numbers.duration_us),
            (100, 3, 12)
        );
        let doubles: Vec<u8> = [1.5f64, -0.0, 3.0]
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        assert_eq!(numbers.values, doubles);
        assert_eq!(mixed.indices.iter().collect::<Vec<_>>(), [9, 4]);
        assert_eq!(mixed.attempts.iter().collect::<Vec<_>>(), [2, 1]);
        assert_eq!(mixed.codecs.iter().collect::<Vec<_>>(), [2, 3]);
        assert_eq!(mixed.sizes.iter().collect::<Vec<_>>(), [3, 5000]);
        assert_eq!(mixed.homes.iter().collect::<Vec<_>>(), [0, 1]);
        assert_eq!(
            mixed.values,
            [0x92, 1, 2],
            "the stored row has no bytes here"
        );
        assert_eq!(
            (missing.outcome, missing.lane_epoch),
            (Outcome::MissingInput, 2)
        );
        assert_eq!(missing.missing_procs.iter().collect::<Vec<_>>(), [2]);
    });
    event("lanes", WORKER, |event| {
        let Event::LanesChanged {
            lanes,
            lane_epochs,
            states,
            ..
        } = event
        else {
            panic!("{event:?}")
        };
        assert_eq!(lanes.iter().collect::<Vec<_>>(), [0, 1]);
        assert_eq!(lane_epochs.iter().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(states.iter().collect::<Vec<_>>(), [2, 1]);
    });
}
