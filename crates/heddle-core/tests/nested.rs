//! Records whose bodies wait for tasks they submitted: they stand aside, and their lane goes on.

mod common;

use common::World;
use common::graph::Options;

/// A flag of layers that running tasks submit, and of wanted ones.
const NESTED: u8 = 2 | 1;

#[test]
fn a_seceded_record_costs_no_credit_and_ends_from_the_aside() {
    let mut w = World::new();
    w.worker(1);
    w.items(1, 500, true);
    let sent: Vec<_> = std::mem::take(&mut w.records);
    assert!(sent.len() < 500, "credit ends somewhere");
    let asides: Vec<_> = sent.iter().map(|record| w.secede(record)).collect();
    assert_eq!(w.state(1, 0), "processing");
    assert!(!w.records.is_empty(), "others took their places");
    let told = w.engine.digest();
    assert_eq!(w.secede(&asides[0]).lane, asides[0].lane, "it stays");
    w.report(&sent[0], false);
    assert_eq!(told, w.engine.digest(), "the lane speaks for it no more");
    for aside in &asides {
        w.report(aside, false);
    }
    assert_eq!(w.heard().len(), asides.len());
    w.finish_all();
    assert_eq!(w.heard().len(), 500 - asides.len());
    w.expect_silence();
}

#[test]
fn a_seceded_record_runs_again_when_its_lane_or_its_proc_is_lost() {
    let mut w = World::new();
    let proc = w.worker(1);
    w.items(1, 1, true);
    let first = w.pull(1, 0);
    let aside = w.secede(&first);
    w.lane(proc, 0, false);
    assert_eq!(w.state(1, 0), "no-worker");
    w.lane(proc, 0, true);
    assert_eq!(w.on_lanes(), ["1.0 attempt 2 on 1/0"]);
    w.report(&aside, false);
    assert_eq!(w.state(1, 0), "processing", "of an attempt that is over");
    let second = w.pull(1, 0);
    w.secede(&second);
    w.worker(1);
    w.kill(proc);
    assert_eq!(w.on_lanes(), ["1.0 attempt 3 on 2/0"]);
    w.finish_all();
    assert_eq!(w.heard(), ["1.0 = 0"]);
    w.expect_silence();
}

#[test]
fn cancelling_a_seceded_record_tells_its_aside() {
    let mut w = World::new();
    w.worker(1);
    w.items(1, 1, true);
    let first = w.pull(1, 0);
    w.secede(&first);
    w.cancel(1, 0, 1);
    assert_eq!(w.retracts, [(1, 1, 0, 1, true)]);
    assert_eq!(w.heard(), ["1.0 cancelled"]);
    w.expect_silence();
}

#[test]
fn what_running_tasks_submit_goes_first_the_latest_before_the_others() {
    let mut w = World::new();
    for layer in 1..=3 {
        let flags = if layer == 1 { 1 } else { NESTED };
        let options = Options {
            flags: Some(flags),
            ..Options::default()
        };
        w.explicit(layer, &[(u64::from(layer), vec![])], &options);
    }
    w.worker(1);
    let sent: Vec<String> = w.on_lanes();
    assert_eq!(
        sent,
        [
            "3.0 attempt 1 on 1/0",
            "2.0 attempt 1 on 1/0",
            "1.0 attempt 1 on 1/0"
        ]
    );
    w.finish_all();
    assert_eq!(w.heard().len(), 3);
    w.expect_silence();
}
