//! Long tasks never wait behind others while a lane idles: shown in virtual time. The engine drives simulated lanes
//! that run records of given lengths, tell results as workers do, and give back what they have not started.

#![allow(clippy::unwrap_used)]

mod simulation;

use simulation::{Plan, greedy, simulate};

/// The longest that a record may stay unstarted at one lane while another lane idles: two silences of 50 ms, a tick's
/// rounding, and what messages take.
const STUCK_US: u64 = 105_000;

const SECOND: u64 = 1_000_000;

/// Runs the plan; its end may be that of a greedy schedule which knows all durations, times `factor`, plus 150 ms.
fn expect(plan: &Plan, factor: f64) {
    let ran = simulate(plan);
    assert!(
        ran.stuck_us <= STUCK_US,
        "{}: a record stayed {} us at a lane while another idled",
        plan.name,
        ran.stuck_us
    );
    let least = greedy(plan);
    let most = least as f64 * factor + 150_000.0;
    assert!(
        (ran.end_us as f64) < most,
        "{}: {} us instead of {least}",
        plan.name,
        ran.end_us
    );
}

fn plan(name: &'static str, procs: u32, lanes: u32, tasks_us: Vec<u64>) -> Plan {
    Plan {
        name,
        tasks_us,
        procs: vec![(0, lanes); procs as usize],
        blocked: None,
    }
}

#[test]
fn short_tasks_with_a_few_long_ones() {
    // The estimate is right for nearly all, and wrong by five orders for those that matter.
    let tasks = (0..20_000u64).map(|i| if i % 997 == 500 { SECOND } else { 10 });
    expect(&plan("mixed", 2, 1, tasks.collect()), 1.1);
    let tasks = (0..20_000u64).map(|i| if i % 997 == 500 { SECOND } else { 10 });
    expect(&plan("mixed, eight lanes", 2, 4, tasks.collect()), 1.1);
}

#[test]
fn long_tasks_at_either_end() {
    let long_first = (0..5_000u64).map(|i| if i < 20 { SECOND } else { 10 });
    expect(&plan("long first", 2, 2, long_first.collect()), 1.1);
    // Everything measured so far says 10 us, and a full window of it is a second of work each.
    let long_last = (0..5_000u64).map(|i| if i >= 4_980 { SECOND } else { 10 });
    expect(&plan("long last", 2, 2, long_last.collect()), 1.1);
}

#[test]
fn nothing_is_known_of_long_tasks() {
    expect(&plan("unknown", 4, 1, vec![SECOND; 64]), 1.1);
    expect(
        &plan("unknown, fewer than lanes", 4, 4, vec![SECOND; 12]),
        1.1,
    );
}

#[test]
fn lanes_that_join_late_get_what_others_hold() {
    let mut late = plan("late", 1, 1, vec![SECOND; 40]);
    late.procs.extend([(100_000, 4), (3 * SECOND, 4)]);
    expect(&late, 1.1);
    // All of it is already at the first lane when the others come.
    let mut few = plan("late, all sent", 1, 1, vec![SECOND; 9]);
    few.procs.push((10_000, 8));
    expect(&few, 1.1);
}

#[test]
fn a_blocked_lane_keeps_only_what_it_runs() {
    let mut blocked = plan("blocked", 3, 1, vec![10_000; 500]);
    blocked.blocked = Some(7);
    expect(&blocked, 1.1);
    let mut unknown = plan("blocked at once", 2, 1, vec![10; 100]);
    unknown.blocked = Some(0);
    expect(&unknown, 1.1);
}

#[test]
fn many_lanes_share_the_last_tasks() {
    // At the end half of the lanes have a second record while others have none: wherever those lanes stand.
    let tasks = (0..1_000u64).map(|i| if i % 3 == 0 { 2 * SECOND } else { SECOND });
    expect(&plan("many", 300, 1, tasks.collect()), 1.35);
    let mut joined = plan("many, late", 200, 1, vec![SECOND; 500]);
    joined.procs.extend(vec![(1_200_000, 1); 200]);
    expect(&joined, 1.35);
}
