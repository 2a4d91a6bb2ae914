//! Symbolic layers: windows and gates, what is refused, and what is never allocated.

#![allow(clippy::unwrap_used)]

mod common;

use common::graph::{Options, spec};
use common::{Told, World};
use heddle_core::CheckLevel;
use heddle_core::event::{InputSpec, LayerKind, LayerSpec};
use heddle_core::out::Message;

fn done(w: &mut World, layer: u32, rows: u32) {
    for row in 0..rows {
        let value = w.graph.value((layer, row));
        assert_eq!(
            w.told.get(&(layer, row)),
            Some(&Told::Done(value)),
            "row {row}"
        );
    }
}

#[test]
fn windows_read_their_neighbours_cut_or_around() {
    for (radius, periodic) in [(1, false), (3, false), (1, true), (2, true)] {
        let mut w = World::new();
        w.worker(3);
        w.items(1, 9, false);
        w.window(2, (1, 0, 9), (radius, periodic), None, false);
        w.window(3, (2, 0, 9), (radius, periodic), None, true);
        w.finish_all();
        w.listen();
        done(&mut w, 3, 9);
    }
}

#[test]
fn a_gate_passes_when_the_last_row_behind_it_is_there() {
    let mut w = World::new();
    w.worker(2);
    w.items(1, 20, false);
    w.gather(2, 3, (1, 5, 10), true);
    while w.engine.stats().tasks_completed < 15 && w.records.iter().any(|r| r.index != 7) {
        let at = w.records.iter().position(|r| r.index != 7).unwrap();
        let record = w.records.remove(at);
        w.report(&record, record.index.is_multiple_of(2));
    }
    assert_eq!(
        w.records.len(),
        1,
        "only row 7 is left, and nobody else can run"
    );
    w.finish_all();
    w.listen();
    done(&mut w, 2, 3);
}

#[test]
fn a_value_lost_behind_a_gate_closes_it_again() {
    let mut w = World::new();
    let (first, second) = (w.worker(1), w.worker(1));
    w.explicit(
        1,
        &[(5, vec![])],
        &Options {
            unwanted: true,
            ..Options::default()
        },
    );
    w.items(2, 6, false);
    w.window(3, (2, 0, 6), (0, false), Some((1, 0, 1)), true);
    let at = w
        .records
        .iter()
        .position(|r| r.serial == w.serials[&1])
        .unwrap();
    let record = w.records.remove(at);
    w.report(&record, true);
    w.kill(record.proc);
    assert!([first, second].contains(&record.proc));
    w.finish_all();
    w.listen();
    done(&mut w, 3, 6);
}

#[test]
fn a_failure_behind_a_gate_fails_all_that_wait_there() {
    let mut w = World::new();
    w.worker(1);
    w.items(1, 4, false);
    w.gather(2, 5, (1, 0, 4), true);
    let record = w.records.remove(2);
    w.throw(&record, false);
    w.listen();
    for row in 0..5 {
        let told = &w.told[&(2, row)];
        assert!(
            matches!(told, Told::Failed { blame, .. } if *blame == (w.serials[&1], 2)),
            "{told:?}"
        );
    }
    w.finish_all();
    w.expect_silence();
}

/// The value all rows read costs an edit of their set: no page is opened before lanes take its rows.
#[test]
fn a_broadcast_opens_pages_only_as_lanes_take_rows() {
    const ROWS: u32 = 10_000_000;
    let mut w = World::with_check(CheckLevel::Off);
    w.worker(2);
    w.explicit(
        1,
        &[(1, vec![])],
        &Options {
            unwanted: true,
            ..Options::default()
        },
    );
    w.submit(&[LayerSpec {
        layer: 2,
        kind: LayerKind::Map,
        tasks: ROWS,
        function: 1,
        flags: 1,
        inputs: &[spec(1, 0, true)],
        ..LayerSpec::default()
    }]);
    assert_eq!(
        w.engine.stats().pages,
        1,
        "only the page of the value itself"
    );
    let value = w.records.remove(0);
    w.report(&value, false);
    assert!(!w.records.is_empty());
    assert!(w.engine.stats().pages <= 2, "{:?}", w.engine.stats());
    w.engine.check();
}

/// Layers that do not fit together are refused with layer, row and limit, and leave nothing behind.
#[test]
fn what_does_not_fit_is_refused_by_name() {
    let mut w = World::new();
    w.items(1, 10, false);
    let input = spec(1, 0, false);
    let all = |count| InputSpec {
        count,
        ..spec(1, 0, true)
    };
    let window = LayerKind::Window;
    let blockwise = LayerKind::Blockwise;
    let tree = LayerKind::TreeReduce;
    // Kind, rows, input, radius, periodic, fan-in: what the refusal says, and of which row.
    type Case = (LayerKind, u32, InputSpec, u32, bool, u32, &'static str, u32);
    let cases: [Case; 12] = [
        (window, 10, input, 0, false, 0, "at least 1", 0),
        (window, 10, input, 1025, false, 0, "more than 1024", 0),
        (window, 10, input, 5, true, 0, "read a row twice", 0),
        (window, 11, input, 1, false, 0, "which has 10 rows", 10),
        (
            blockwise,
            12,
            input,
            0,
            false,
            0,
            "rows 0 to 12 of layer 1, which has 10 rows",
            10,
        ),
        (blockwise, 10, input, 1, false, 0, "only windows", 0),
        (
            blockwise,
            3,
            all(11),
            0,
            false,
            0,
            "rows 0 to 11 of layer 1",
            0,
        ),
        (
            blockwise,
            3,
            all(2_000_000),
            0,
            false,
            0,
            "more than 1048576",
            0,
        ),
        (
            tree,
            10,
            input,
            0,
            false,
            0,
            "fan-in of at least 2, not 0",
            0,
        ),
        (
            tree,
            10,
            input,
            0,
            false,
            1,
            "fan-in of at least 2, not 1",
            0,
        ),
        (tree, 1, input, 0, false, u32::MAX, "more than 1048576", 0),
        (
            tree,
            10,
            input,
            0,
            false,
            2,
            "has 10 rows, and a tree of fan-in 2",
            0,
        ),
    ];
    for (kind, tasks, input, radius, periodic, fan_in, text, index) in cases {
        let digest = w.engine.digest();
        w.submit(&[LayerSpec {
            layer: 2,
            kind,
            tasks,
            function: 1,
            flags: 1,
            inputs: &[input],
            radius,
            periodic,
            fan_in,
            ..LayerSpec::default()
        }]);
        let Some(Message::Refused { fault, .. }) = w.messages.pop() else {
            panic!("{kind:?} of {tasks} rows was accepted: {text}");
        };
        assert!(fault.message.contains(text), "{}", fault.message);
        assert_eq!((fault.layer, fault.index), (2, index), "{}", fault.message);
        assert_eq!(digest, w.engine.digest());
    }
}

/// Items of a range are numbers the engine counts; of a tree only the root is asked for.
#[test]
fn a_range_has_no_bytes_until_it_is_sent() {
    let mut w = World::new();
    w.worker(1);
    w.submit(&[LayerSpec {
        layer: 1,
        kind: LayerKind::Map,
        tasks: 5,
        function: 1,
        data_codec: 1,
        range_start: 10.0,
        range_step: 2.5,
        ..LayerSpec::default()
    }]);
    for row in 0..5 {
        let item = (10.0 + 2.5 * f64::from(row)).to_bits();
        w.graph.rows.insert((1, row), (item, vec![]));
    }
    let mut level: Vec<(u32, u32)> = (0..5).map(|row| (1, row)).collect();
    let mut tasks = 0;
    while level.len() > 1 {
        let reads: Vec<Vec<(u32, u32)>> = level.chunks(2).map(Into::into).collect();
        level.clear();
        for reads in reads {
            w.graph.rows.insert((2, tasks), (0, reads));
            level.push((2, tasks));
            tasks += 1;
        }
    }
    w.submit(&[LayerSpec {
        layer: 2,
        kind: LayerKind::TreeReduce,
        tasks,
        function: 1,
        fan_in: 2,
        flags: 4,
        inputs: &[spec(1, 0, false)],
        ..LayerSpec::default()
    }]);
    w.finish_all();
    w.listen();
    let root = w.graph.value((2, tasks - 1));
    assert_eq!(w.told.len(), 1, "nobody is told of rows nobody asked for");
    assert_eq!(w.told[&(2, tasks - 1)], Told::Done(root));
}

#[test]
fn releasing_what_a_reader_demands_opens_no_page() {
    let mut w = World::with_check(CheckLevel::Light);
    let rows = 3 << 16;
    w.items(1, rows, true);
    w.blockwise(2, rows, &[(1, 0, false)], true);
    let tree = w.tree(3, 2, 0, 4, true);
    w.release(2, 0, rows);
    w.release(1, 0, rows);
    w.release(3, 0, tree - 1);
    assert_eq!(w.engine.stats().pages, 0);
    w.worker(2);
    w.finish_all();
    w.listen();
    assert!(matches!(w.told[&(3, tree - 1)], Told::Done(_)));
    w.release(3, tree - 1, 1);
    w.expect_silence();
}
