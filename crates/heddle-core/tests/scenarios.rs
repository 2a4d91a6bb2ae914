//! Scenarios that read as protocol. Each ends by proving silence.

mod common;

use common::World;
use common::graph::Options;
use heddle_core::Event;
use heddle_core::column::U32s;
use heddle_core::event::DoneSection;
use heddle_core::id::Millis;
use heddle_core::out::Message;

const NONE: [String; 0] = [];

#[test]
fn a_map_spreads_over_all_lanes() {
    let mut w = World::new();
    w.worker(2);
    w.items(1, 2, true);
    assert_eq!(
        w.on_lanes(),
        ["1.0 attempt 1 on 1/0", "1.1 attempt 1 on 1/1"]
    );
    w.finish_all();
    assert_eq!(w.heard(), ["1.0 = 0", "1.1 = 1"]);
    w.expect_silence();
}

#[test]
fn work_without_workers_waits_and_says_so_once() {
    let mut w = World::new();
    w.items(1, 3, true);
    w.items(2, 3, true);
    assert_eq!(w.state(1, 0), "waiting");
    let notices = |w: &World, over: bool| {
        let all = w.messages.iter();
        all.filter(|m| matches!(m, Message::Notice { cleared, .. } if *cleared == over))
            .count()
    };
    assert_eq!((notices(&w, false), notices(&w, true)), (1, 0));
    w.explicit(3, &[(5, vec![])], &Options::default());
    assert_eq!(w.state(3, 0), "no-worker");
    w.worker(1);
    assert_eq!((notices(&w, false), notices(&w, true)), (1, 1));
    w.finish_all();
    assert_eq!(w.heard().len(), 7);
    w.expect_silence();
}

#[test]
fn an_error_takes_dependents_with_it_and_names_the_first() {
    let mut w = World::new();
    w.worker(1);
    w.explicit(
        1,
        &[
            (1, vec![]),
            (2, vec![(1, 0)]),
            (3, vec![(1, 1)]),
            (4, vec![]),
        ],
        &Options::default(),
    );
    let record = w.pull(1, 0);
    w.throw(&record, false);
    w.finish_all();
    let heard = w.heard();
    assert_eq!(
        heard,
        [
            "1.0 failed for 1.0",
            "1.1 failed for 1.0",
            "1.2 failed for 1.0",
            "1.3 = 4"
        ]
    );
    w.expect_silence();
}

#[test]
fn retries_are_spent_on_retryable_errors_only() {
    let mut w = World::new();
    w.worker(1);
    let options = Options {
        retries: 2,
        ..Options::default()
    };
    w.explicit(1, &[(1, vec![]), (2, vec![])], &options);
    for attempt in 1..=3 {
        let record = w.pull(1, 0);
        assert_eq!(record.attempt, attempt);
        w.throw(&record, true);
    }
    let record = w.pull(1, 1);
    w.throw(&record, false);
    assert_eq!(w.heard(), ["1.0 failed for 1.0", "1.1 failed for 1.1"]);
    w.expect_silence();
}

#[test]
fn losing_the_only_holder_recomputes_only_what_is_needed() {
    let mut w = World::new();
    let a = w.worker(1);
    // 0 and 1 are stored on a; 2 needs 0 and is done inline; 3 needs 1 and waits for 4.
    w.explicit(
        1,
        &[(1, vec![]), (2, vec![])],
        &Options {
            unwanted: true,
            ..Options::default()
        },
    );
    w.explicit(
        2,
        &[(0, vec![(1, 0)]), (7, vec![]), (0, vec![(1, 1), (2, 1)])],
        &Options::default(),
    );
    w.finish_stored(1, 0).finish_stored(1, 1).finish(2, 0);
    assert_eq!(
        w.stores.len(),
        1,
        "the value nobody needs any more was dropped"
    );
    let b = w.worker(1);
    w.kill(a);
    assert_eq!(w.state(1, 0), "forgotten");
    // Row 2.1 was on the lost worker: a suspect, it runs alone; then what was lost and is needed.
    assert_eq!(w.on_lanes(), [format!("2.1 attempt 2 on {b}/0")]);
    w.finish(2, 1);
    assert_eq!(w.on_lanes(), [format!("1.1 attempt 2 on {b}/0")]);
    w.finish_all();
    assert_eq!(w.heard(), ["2.0 = 1", "2.1 = 7", "2.2 = 9"]);
    w.release(2, 0, 3);
    w.expect_silence();
    assert!(w.stores.is_empty());
}

#[test]
fn recompute_that_nobody_needs_is_cancelled() {
    let mut w = World::new();
    let a = w.worker(1);
    let b = w.worker(1);
    w.explicit(
        1,
        &[(1, vec![])],
        &Options {
            unwanted: true,
            ..Options::default()
        },
    );
    w.explicit(2, &[(0, vec![(1, 0)])], &Options::default());
    let home = w.pull(1, 0);
    w.report(&home, true);
    let reader = w.pull(2, 0);
    assert_eq!(reader.proc, home.proc, "sent to the holder of its input");
    // Its holder dies while it runs there: both run again, the reader alone on its lane.
    w.kill(home.proc);
    let other = if home.proc == a { b } else { a };
    assert_eq!(w.on_lanes(), [format!("1.0 attempt 2 on {other}/0")]);
    w.release(2, 0, 1);
    assert_eq!(w.on_lanes(), NONE);
    assert_eq!(w.retracts.len(), 1);
    w.expect_silence();
}

#[test]
fn a_lost_lane_keeps_stored_values() {
    let mut w = World::new();
    let a = w.worker(2);
    w.explicit(1, &[(1, vec![]), (2, vec![])], &Options::default());
    w.finish_stored(1, 0);
    let lane = w.records[0].lane;
    w.lane(a, lane, false);
    assert_eq!(w.on_lanes().len(), 1, "requeued on the other lane");
    assert_eq!(w.records[0].attempt, 2);
    w.lane(a, lane, true);
    w.finish_all();
    assert_eq!(w.heard(), ["1.0 = 1", "1.1 = 2"]);
    w.expect_silence();
}

#[test]
fn stale_frames_change_nothing() {
    let mut w = World::new();
    let a = w.worker(1);
    w.explicit(
        1,
        &[(1, vec![])],
        &Options {
            retries: 1,
            ..Options::default()
        },
    );
    let first = w.pull(1, 0);
    w.throw(&first, true);
    let digest = w.engine.digest();
    w.report(&first, false);
    w.throw(&first, false);
    w.give_back(&first);
    let mut section = w.section(&first);
    section.lane_epoch = 9;
    w.done(
        a,
        &[DoneSection {
            values: &[0; 8],
            ..section
        }],
    );
    let mut other = w.fence(a);
    other.epoch += 1;
    w.apply(Event::Done {
        from: other,
        sections: &[],
    });
    assert_eq!(digest, w.engine.digest());
    assert_eq!(w.engine.stats().stale, 4);
    w.finish(1, 0);
    let digest = w.engine.digest();
    w.report(&first, true);
    assert_eq!(digest, w.engine.digest());
    assert!(
        w.stores.is_empty(),
        "a value stored for a stale attempt is dropped"
    );
    assert_eq!(w.heard(), ["1.0 = 1"]);
    w.expect_silence();
}

#[test]
fn three_deaths_alone_end_a_task_and_spare_the_others() {
    let mut w = World::new();
    let mut proc = w.worker(1);
    w.explicit(1, &[(1, vec![]), (2, vec![])], &Options::default());
    assert_eq!(w.on_lanes().len(), 2);
    // Row 0 kills its worker; with row 1 in flight too, nobody knows whose fault it was.
    for death in 0..4 {
        w.kill(proc);
        proc = w.worker(1);
        if death < 3 {
            assert_eq!(
                w.on_lanes(),
                [format!("1.0 attempt {} on {proc}/0", death + 2)]
            );
        }
    }
    assert_eq!(w.on_lanes(), [format!("1.1 attempt 2 on {proc}/0")]);
    w.finish_all();
    let heard = w.heard();
    assert_eq!(heard, ["1.0 failed for 1.0", "1.1 = 2"]);
    w.expect_silence();
}

#[test]
fn cancel_reaches_dependents_and_lanes() {
    let mut w = World::new();
    w.worker(1);
    w.explicit(
        1,
        &[(1, vec![]), (2, vec![(1, 0)]), (3, vec![])],
        &Options::default(),
    );
    w.items(2, 4, true);
    w.cancel(1, 0, 1);
    w.cancel(2, 1, 2);
    assert!(w.retracts.iter().all(|r| r.4));
    w.finish_all();
    let heard = w.heard();
    assert_eq!(
        heard,
        [
            "1.0 cancelled",
            "1.1 cancelled",
            "1.2 = 3",
            "2.0 = 0",
            "2.1 cancelled",
            "2.2 cancelled",
            "2.3 = 3"
        ]
    );
    w.expect_silence();
}

#[test]
fn released_work_is_forgotten_and_costs_nothing() {
    let mut w = World::new();
    w.worker(1);
    w.items(1, 1000, false);
    let rows = w.tree(2, 1, 0, 4, false);
    w.want(2, rows - 1, 1);
    w.finish_all();
    assert_eq!(w.heard(), [format!("2.{} = 499500", rows - 1)]);
    w.release(2, 0, rows);
    w.release(1, 0, 1000);
    w.expect_silence();
    let stats = w.engine.stats();
    assert_eq!((stats.pages, stats.layers, stats.inline_bytes), (0, 0, 0));
    assert_eq!(stats.states.iter().sum::<u64>(), 0);
}

#[test]
fn submitting_for_ever_does_not_grow() {
    let mut w = World::with_check(heddle_core::CheckLevel::Light);
    w.worker(1);
    let mut pages = 0;
    for turn in 0..300u32 {
        let first = turn * 1000;
        let rows: Vec<_> = (0..1000u32)
            .map(|i| {
                (
                    1,
                    if i % 2 == 1 {
                        vec![(1, first + i - 1)]
                    } else {
                        vec![]
                    },
                )
            })
            .collect();
        w.explicit(
            1,
            &rows,
            &Options {
                first,
                ..Options::default()
            },
        );
        w.finish_all();
        w.release(1, first, 1000);
        w.graph.rows.clear();
        w.heard();
        pages = pages.max(w.engine.stats().pages);
    }
    assert!(pages <= 2, "{pages} pages");
    w.engine.check();
    w.expect_silence();
}

#[test]
fn priorities_order_what_is_ready() {
    let mut w = World::new();
    let options = Options {
        priorities: vec![0, 5, -5, 0],
        ..Options::default()
    };
    w.explicit(
        1,
        &[(0, vec![]), (1, vec![]), (2, vec![]), (3, vec![])],
        &options,
    );
    w.explicit(
        2,
        &[(9, vec![])],
        &Options {
            priority: 1,
            ..Options::default()
        },
    );
    w.worker(1);
    let order: Vec<(u32, u32)> = w.records.iter().map(|r| (r.serial, r.index)).collect();
    assert_eq!(order, [(1, 1), (2, 0), (1, 0), (1, 3), (1, 2)]);
    w.finish_all();
    w.expect_silence();
}

#[test]
fn a_late_worker_gets_work() {
    let mut w = World::new();
    w.worker(1);
    w.items(1, 10, true);
    assert_eq!(w.records.len(), 10);
    let late = w.worker(1);
    let back: Vec<u32> = w.retracts.iter().map(|r| r.2).collect();
    assert_eq!(back, [5, 6, 7, 8, 9]);
    for index in back {
        let record = w.pull(1, index);
        w.give_back(&record);
    }
    assert_eq!(w.records.iter().filter(|r| r.proc == late).count(), 5);
    w.finish_all();
    assert_eq!(w.heard().len(), 10);
    w.expect_silence();
}

#[test]
fn an_idle_lane_takes_over_what_a_silent_one_has_not_started() {
    let mut w = World::new();
    w.worker(2);
    w.items(1, 4, true);
    assert_eq!(w.on_lanes().len(), 4);
    let busy: Vec<u32> = w
        .records
        .iter()
        .filter(|r| r.lane == 0)
        .map(|r| r.index)
        .collect();
    let quick: Vec<u32> = w
        .records
        .iter()
        .filter(|r| r.lane == 1)
        .map(|r| r.index)
        .collect();
    for &index in &quick {
        w.finish(1, index);
    }
    // 100 ms per task are known now, but what lane 0 has was sent before.
    let due = w.engine.deadline().map(|due| due.0);
    assert_eq!(due, Some(50));
    w.now = 50;
    w.apply(Event::Tick);
    assert_eq!(
        w.retracts.iter().map(|r| r.2).collect::<Vec<_>>(),
        [busy[1]]
    );
    assert_eq!(
        w.engine.deadline().map(|due| due.0),
        Some(100),
        "asked again only after as long"
    );
    let record = w.pull(1, busy[1]);
    w.give_back(&record);
    assert!(
        w.on_lanes()
            .contains(&format!("1.{} attempt 2 on 1/1", busy[1]))
    );
    w.finish_all();
    assert_eq!(w.heard().len(), 4);
    w.expect_silence();
}

#[test]
fn scattered_values_arrive_and_are_lost_for_good() {
    let mut w = World::new();
    let a = w.worker(1);
    w.data(1, 2);
    assert_eq!(w.state(1, 0), "waiting");
    w.explicit(
        2,
        &[(1, vec![(1, 0)]), (2, vec![(1, 1)])],
        &Options::default(),
    );
    w.put(a, 1, 0, 100);
    w.finish_all();
    w.put(a, 1, 1, 100);
    assert_eq!(w.heard(), ["1.0 = 100", "1.1 = 100", "2.0 = 101"]);
    w.kill(a);
    assert_eq!(
        w.heard(),
        [
            "1.0 failed for 1.0",
            "1.1 failed for 1.1",
            "2.1 failed for 1.1"
        ]
    );
    w.release(1, 0, 2);
    w.release(2, 0, 2);
    w.expect_silence();
}

#[test]
fn a_silent_client_is_told_the_present_when_it_listens() {
    let mut w = World::new();
    let a = w.worker(1);
    w.explicit(1, &[(1, vec![])], &Options::default());
    w.finish_stored(1, 0);
    w.kill(a);
    w.worker(1);
    assert_eq!(w.heard(), ["1.0 pending"]);
    w.finish_all();
    let lost = Event::ClientLost {
        client: common::CLIENT,
        deadline: Millis(1000),
    };
    w.apply(lost);
    assert_eq!(w.heard(), NONE);
    let back = Event::ClientResumed {
        client: common::CLIENT,
        update_credit: 2,
    };
    w.apply(back);
    assert_eq!(w.heard(), ["1.0 = 1"]);
    w.expect_silence();
}

#[test]
fn a_client_that_stays_away_leaves_nothing_behind() {
    let mut w = World::new();
    w.worker(1);
    w.items(1, 5, true);
    w.explicit(2, &[(1, vec![(1, 0)]), (2, vec![])], &Options::default());
    w.finish(1, 0);
    w.finish_stored(1, 1);
    let lost = Event::ClientLost {
        client: common::CLIENT,
        deadline: Millis(1000),
    };
    w.apply(lost);
    assert_eq!(w.engine.deadline(), Some(Millis(1000)));
    w.now = 1000;
    w.apply(Event::Tick);
    let stats = w.engine.stats();
    assert_eq!(
        (stats.clients, stats.layers, stats.pages, stats.inline_bytes),
        (0, 0, 0, 0)
    );
    assert_eq!(w.on_lanes(), NONE);
    assert!(w.stores.is_empty());
    w.engine.check();
}

#[test]
fn credit_beyond_what_was_sent_is_malformed() {
    let mut w = World::new();
    let digest = w.engine.digest();
    let credit = Event::Credited {
        client: common::CLIENT,
        seq: 99,
    };
    assert!(w.try_apply(credit).is_err());
    w.worker(1);
    w.items(1, 1, true);
    let record = w.pull(1, 0);
    let before = w.engine.digest();
    let lies = [
        DoneSection {
            count: 1,
            values: &[0; 7],
            ..w.section(&record)
        },
        DoneSection {
            count: 2,
            values: &[0; 8],
            ..w.section(&record)
        },
        DoneSection {
            indices: U32s::new(&[0; 8]),
            values: &[0; 8],
            ..w.section(&record)
        },
        DoneSection {
            stride: 5000,
            values: &[0; 5000],
            ..w.section(&record)
        },
    ];
    for lie in lies {
        let done = Event::Done {
            from: w.fence(1),
            sections: &[lie],
        };
        assert!(w.try_apply(done).is_err());
        assert_eq!(before, w.engine.digest());
    }
    assert_ne!(digest, before);
    w.report(&record, false);
    w.expect_silence();
}
