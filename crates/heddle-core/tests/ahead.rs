//! Records sent ahead of their inputs.

mod common;

use common::World;
use common::graph::Options;
use heddle_core::column::U32s;
use heddle_core::event::DoneSection;

/// Row i of layer 1 reads row i - 1.
fn chain(w: &mut World, rows: u32) {
    let rows: Vec<_> = (0..rows)
        .map(|i| {
            (
                1,
                i.checked_sub(1).map(|last| (1, last)).into_iter().collect(),
            )
        })
        .collect();
    w.explicit(1, &rows, &Options::default());
}

#[test]
fn a_chain_goes_out_at_once_and_runs_through() {
    let mut w = World::new();
    w.worker(1);
    chain(&mut w, 5);
    assert_eq!(w.on_lanes(), ["1.0 attempt 1 on 1/0"]);
    assert_eq!(w.ahead().len(), 4);
    assert_eq!(w.state(1, 4), "ahead");
    w.finish(1, 0);
    assert_eq!(w.state(1, 1), "processing");
    assert_eq!(w.state(1, 2), "ahead");
    w.finish_all();
    w.listen();
    assert_eq!(w.told[&(1, 4)], common::Told::Done(5));
    w.expect_silence();
}

#[test]
fn one_frame_may_bring_a_whole_chain() {
    let mut w = World::new();
    let proc = w.worker(1);
    chain(&mut w, 4);
    let record = w.pull(1, 0);
    w.parked.clear();
    let values: Vec<u8> = (1..=4u64).flat_map(u64::to_le_bytes).collect();
    let section = DoneSection {
        count: 4,
        values: &values,
        attempts: U32s::new(&[]),
        ..w.section(&record)
    };
    w.done(proc, &[section]);
    w.listen();
    assert_eq!(w.told[&(1, 3)], common::Told::Done(4));
    w.expect_silence();
}

#[test]
fn a_result_without_its_inputs_is_void() {
    let mut w = World::new();
    let proc = w.worker(1);
    chain(&mut w, 3);
    let record = w.pull(1, 0);
    let rogue = DoneSection {
        first: 1,
        values: &[9; 8],
        ..w.section(&record)
    };
    w.done(proc, &[rogue]);
    assert!(w.engine.stats().stale > 0);
    w.report(&record, false);
    w.finish_all();
    w.listen();
    assert_eq!(w.told[&(1, 2)], common::Told::Done(3));
    w.expect_silence();
}

#[test]
fn a_failure_voids_or_fails_all_that_was_sent_ahead_of_it() {
    let mut w = World::new();
    w.worker(1);
    let options = Options {
        retries: 1,
        ..Options::default()
    };
    let rows: Vec<_> = (0..4u32)
        .map(|i| {
            (
                1,
                i.checked_sub(1).map(|last| (1, last)).into_iter().collect(),
            )
        })
        .collect();
    w.explicit(1, &rows, &options);
    let first = w.pull(1, 0);
    w.throw(&first, true);
    // It is sent again, and so are they, each under the next attempt.
    assert_eq!(w.on_lanes(), ["1.0 attempt 2 on 1/0"]);
    assert!(w.ahead().is_empty() || w.ahead().iter().all(|r| r.contains("attempt 2")));
    let again = w.pull(1, 0);
    w.throw(&again, true);
    for row in 0..4 {
        assert_eq!(w.state(1, row), "erred");
    }
    w.expect_silence();
}

#[test]
fn the_death_of_a_lane_or_worker_brings_all_back() {
    for worker_dies in [false, true] {
        let mut w = World::new();
        let a = w.worker(2);
        chain(&mut w, 6);
        w.finish(1, 0);
        assert!(!w.ahead().is_empty());
        if worker_dies {
            w.worker(1);
            w.kill(a);
        } else {
            w.lane(a, 0, false);
            w.lane(a, 1, false);
            w.lane(a, 0, true);
        }
        w.finish_all();
        w.listen();
        assert_eq!(w.told[&(1, 5)], common::Told::Done(6));
        w.expect_silence();
    }
}

#[test]
fn cancelling_or_releasing_takes_what_waits_there_back() {
    let mut w = World::new();
    w.worker(1);
    chain(&mut w, 4);
    w.release(1, 3, 1);
    assert_eq!(w.ahead().len(), 2);
    w.cancel(1, 1, 1);
    assert!(w.ahead().is_empty());
    w.finish_all();
    w.expect_silence();
}

#[test]
fn inputs_of_several_lanes_of_one_worker_will_do_but_not_of_two_workers() {
    let pair = [(1, vec![]), (2, vec![]), (0, vec![(1, 0), (1, 1)])];
    let mut w = World::new();
    w.worker(2);
    w.explicit(1, &pair, &Options::default());
    assert_eq!(w.ahead().len(), 1);
    w.finish_all();
    w.listen();
    assert_eq!(w.told[&(1, 2)], common::Told::Done(3));
    let mut w = World::new();
    w.worker(1);
    w.worker(1);
    w.explicit(1, &pair, &Options::default());
    assert_eq!(w.on_lanes().len(), 2);
    assert!(w.ahead().is_empty());
    w.finish_all();
    w.expect_silence();
}

#[test]
fn nothing_is_sent_ahead_while_other_work_is_ready() {
    let mut w = World::new();
    w.worker(1);
    let mut rows = vec![(1, vec![]); 3000];
    rows.push((0, vec![(1, 0)]));
    w.explicit(1, &rows, &Options::default());
    assert!(w.ahead().is_empty());
    w.finish_all();
    w.expect_silence();
}

#[test]
fn only_so_many_wait_at_a_lane() {
    let mut w = World::new();
    w.worker(1);
    chain(&mut w, 2000);
    assert!(w.ahead().len() <= 256);
    w.finish_all();
    w.listen();
    assert_eq!(w.told[&(1, 1999)], common::Told::Done(2000));
    assert_eq!(w.engine.stats().stale, 0);
    w.expect_silence();
}
