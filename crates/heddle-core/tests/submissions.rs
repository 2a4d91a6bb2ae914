//! What may be submitted: everything else is refused as a whole, by a stable code, and leaves no trace.

mod common;

use common::graph::{Options, spec};
use common::{CLIENT, World};
use heddle_core::column::{U32s, u32_bytes};
use heddle_core::event::{Event, LayerKind, LayerSpec, Submit};
use heddle_core::fault;
use heddle_core::out::Message;

/// Submits layers; returns the code of the refusal, if it is one.
fn submit(w: &mut World, layers: &[LayerSpec<'_>]) -> Option<(&'static str, u32, u32)> {
    let digest = w.engine.digest();
    w.messages.clear();
    w.apply(Event::GraphSubmitted(Submit {
        client: CLIENT,
        graph: 99,
        layers,
    }));
    match w.messages.first() {
        Some(Message::Refused { fault, .. }) => {
            assert_eq!(
                digest,
                w.engine.digest(),
                "a refused submission left a trace"
            );
            assert!(!fault.message.is_empty());
            Some((fault.code, fault.layer, fault.index))
        }
        Some(Message::Accepted { .. }) => None,
        other => panic!("{other:?}"),
    }
}

fn explicit<'a>(layer: u32, offsets: &'a [u8], inputs: &'a [u8]) -> LayerSpec<'a> {
    LayerSpec {
        layer,
        tasks: offsets.len() as u32 / 4 - 1,
        function: 1,
        flags: 1,
        dep_offsets: U32s::new(offsets),
        dep_layer: layer,
        dep_indices: U32s::new(inputs),
        ..LayerSpec::default()
    }
}

#[test]
fn cycles_are_found_and_forward_edges_are_not_cycles() {
    let mut w = World::new();
    // 0 -> 1 -> 2 -> 0.
    let (offsets, inputs) = (u32_bytes(&[0, 1, 2, 3]), u32_bytes(&[2, 0, 1]));
    let refusal = submit(&mut w, &[explicit(1, &offsets, &inputs)]);
    assert_eq!(refusal.map(|r| (r.0, r.1)), Some((fault::GRAPH_CYCLE, 1)));
    // A row that reads itself.
    let (offsets, inputs) = (u32_bytes(&[0, 1]), u32_bytes(&[0]));
    let refusal = submit(&mut w, &[explicit(1, &offsets, &inputs)]);
    assert_eq!(refusal.map(|r| r.0), Some(fault::GRAPH_CYCLE));
    // Two layers that wait for each other.
    let (offsets, zero) = (u32_bytes(&[0, 1]), u32_bytes(&[0]));
    let mut pair = [explicit(1, &offsets, &zero), explicit(2, &offsets, &zero)];
    (pair[0].dep_layer, pair[1].dep_layer) = (2, 1);
    let refusal = submit(&mut w, &pair);
    assert_eq!(refusal.map(|r| r.0), Some(fault::GRAPH_CYCLE));
    // The first row reads the last: a forward edge and no cycle.
    let (offsets, inputs) = (u32_bytes(&[0, 1, 1]), u32_bytes(&[1]));
    assert_eq!(submit(&mut w, &[explicit(1, &offsets, &inputs)]), None);
    w.worker(1);
    w.serials.insert(1, 1);
    assert_eq!(w.on_lanes(), ["1.1 attempt 1 on 1/0"]);
    w.finish(1, 1).finish(1, 0);
    w.expect_silence();
}

#[test]
fn columns_that_do_not_fit_are_refused() {
    let mut w = World::new();
    let good = explicit(1, &[0; 8], &[]);
    let offsets = u32_bytes(&[0, 5]);
    let three = u32_bytes(&[7; 3]);
    let invalid = [
        LayerSpec {
            function: 77,
            ..good
        },
        LayerSpec {
            dep_offsets: U32s::new(&offsets),
            ..good
        },
        LayerSpec {
            functions: U32s::new(&three),
            ..good
        },
        LayerSpec {
            data_stride: 8,
            ..good
        },
        LayerSpec {
            data_stride: 8,
            data: Some(&[0; 9]),
            ..good
        },
        LayerSpec { first: 4, ..good },
        LayerSpec {
            kind: LayerKind::TreeReduce,
            dep_offsets: U32s::default(),
            ..good
        },
        LayerSpec {
            keys: &["k"],
            ..good
        },
    ];
    for layer in invalid {
        let refusal = submit(&mut w, &[layer]);
        assert_eq!(
            refusal.map(|r| r.0),
            Some(fault::GRAPH_INVALID),
            "{layer:?}"
        );
    }
    let large = vec![0; 2 << 20];
    let limits = [
        LayerSpec {
            template: Some(&large),
            ..good
        },
        LayerSpec {
            tasks: u32::MAX,
            ..good
        },
        LayerSpec {
            data_stride: 2 << 20,
            data: Some(&large),
            ..good
        },
    ];
    for layer in limits {
        let refusal = submit(&mut w, &[layer]);
        assert_eq!(refusal.map(|r| r.0), Some(fault::LIMIT_EXCEEDED));
    }
    let inputs = [spec(9, 0, false)];
    let lost = LayerSpec {
        kind: LayerKind::Map,
        dep_offsets: U32s::default(),
        inputs: &inputs,
        ..good
    };
    assert_eq!(
        submit(&mut w, &[lost]).map(|r| r.0),
        Some(fault::DEPENDENCY_LOST)
    );
    let inputs = [spec(1, 0, false)];
    let own = LayerSpec {
        inputs: &inputs,
        ..lost
    };
    assert_eq!(
        submit(&mut w, &[own]).map(|r| r.0),
        Some(fault::GRAPH_CYCLE)
    );
    assert_eq!(submit(&mut w, &[good]), None);
    w.worker(1);
    w.finish_all();
    w.expect_silence();
}

#[test]
fn a_released_row_is_no_dependency() {
    let mut w = World::new();
    w.worker(1);
    w.explicit(1, &[(1, vec![]), (2, vec![])], &Options::default());
    w.finish_all();
    w.release(1, 0, 1);
    let (offsets, inputs) = (u32_bytes(&[0, 1, 2]), u32_bytes(&[1, 0]));
    let mut layer = explicit(2, &offsets, &inputs);
    layer.dep_layer = 1;
    assert_eq!(
        submit(&mut w, &[layer]),
        Some((fault::DEPENDENCY_LOST, 2, 1))
    );
    w.expect_silence();
}

#[test]
fn one_key_has_one_definition() {
    let mut w = World::new();
    let zero = u32_bytes(&[0]);
    let keyed = |layer: u32, data: &'static [u8]| LayerSpec {
        layer,
        tasks: 1,
        function: 1,
        flags: 1,
        data_stride: 1,
        data: Some(data),
        key_rows: U32s::new(Vec::leak(zero.clone())),
        keys: &["a"],
        ..LayerSpec::default()
    };
    assert_eq!(submit(&mut w, &[keyed(1, b"x")]), None);
    assert_eq!(submit(&mut w, &[keyed(2, b"x")]), None);
    let refusal = submit(&mut w, &[keyed(3, b"y")]);
    assert_eq!(refusal, Some((fault::KEY_CONFLICT, 3, 0)));
    // The key is free again when its row is forgotten.
    w.worker(1);
    w.finish_all();
    w.release(1, 0, 1);
    assert_eq!(submit(&mut w, &[keyed(3, b"y")]), None);
    w.finish_all();
    w.expect_silence();
}

#[test]
fn layers_of_many_pages_open_them_as_the_frontier_comes() {
    let mut w = World::with_check(heddle_core::CheckLevel::Light);
    let n = 200_000;
    w.items(1, n, false);
    w.blockwise(2, n - 70_000, &[(1, 70_000, false), (1, 5, true)], false);
    let tree = w.tree(3, 2, 10, 50, true);
    assert_eq!(w.engine.stats().pages, 0);
    w.worker(3);
    let mut pages = 0;
    while let Some(record) = w.records.pop() {
        w.report(&record, false);
        pages = pages.max(w.engine.stats().pages);
    }
    let root = (3, tree - 1);
    let value = w.graph.value(root);
    assert!(w.heard().contains(&format!("3.{} = {value}", tree - 1)));
    w.engine.check();
    w.release(3, 0, tree);
    // Rows 2.0 … 2.9 were never needed, but could be: they keep row 1.5, which they read.
    assert_eq!(
        w.engine.stats().states[heddle_core::State::Memory as usize],
        1
    );
    w.release(2, 0, n);
    w.release(1, 0, n);
    assert_eq!(w.engine.stats().pages, 0);
    w.engine.check();
    w.expect_silence();
}
