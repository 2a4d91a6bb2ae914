//! The order of ready work decides how many results are alive at once. Graphs run on simulated lanes, one record at a
//! time each; what is counted are values in memory that somebody still needs.

#![allow(clippy::unwrap_used)]

mod common;

use common::World;
use common::graph::Options;
use heddle_core::{CheckLevel, State};

const LANES: u32 = 4;

/// Records each lane is sent before anything is known of their durations.
const OPENING: usize = 64;

/// The most results alive at any time: in the whole run, and after the opening batches are worked off.
struct Peak {
    all: u64,
    later: u64,
}

/// Runs all there is, every lane one record per 100 ms, in the order in which it was sent.
fn run(w: &mut World) -> Peak {
    let mut peak = Peak { all: 0, later: 0 };
    let mut done = 0;
    while !w.records.is_empty() {
        w.now += 100;
        for lane in 0..LANES {
            let Some(at) = w.records.iter().position(|record| record.lane == lane) else {
                continue;
            };
            let record = w.records.remove(at);
            w.report(&record, false);
            done += 1;
            let alive = w.engine.stats().states[State::Memory as usize];
            peak.all = peak.all.max(alive);
            // What the opening left alive needs several times as many tasks to go.
            if done > 6 * OPENING * LANES as usize {
                peak.later = peak.later.max(alive);
            }
        }
    }
    w.engine.check();
    peak
}

fn world() -> World {
    let mut w = World::with_check(CheckLevel::Off);
    w.worker(LANES);
    w
}

/// A small constant times what must be alive: a result per lane, and one per level of a tree.
fn few(times: u64, rows: u32) -> u64 {
    times * u64::from(LANES + rows.ilog2() + 1)
}

/// Rows of one layer: the inputs of each, in the order in which they are submitted.
type Inputs = Vec<Vec<u32>>;

/// Appends a tree of `fan_in` over some rows, level by level; returns its root.
fn tree(rows: &mut Inputs, mut level: Vec<u32>, fan_in: usize) -> u32 {
    while level.len() > 1 {
        let reads = level.chunks(fan_in).map(Into::into);
        let start = rows.len() as u32;
        rows.extend(reads);
        level = (start..rows.len() as u32).collect();
    }
    level[0]
}

/// Submits rows as a loop of single submissions would: frame after frame of one layer; only `wanted` is asked for.
fn explicit(inputs: &Inputs, wanted: u32) -> World {
    let mut w = world();
    for (at, frame) in inputs.chunks(512).enumerate() {
        let named = |row: &Vec<u32>| (0, row.iter().map(|&input| (1, input)).collect());
        let rows: Vec<_> = frame.iter().map(named).collect();
        let options = Options {
            unwanted: true,
            first: at as u32 * 512,
            ..Options::default()
        };
        w.explicit(1, &rows, &options);
    }
    w.want(1, wanted, 1);
    w
}

#[test]
fn load_map_and_reduce_keep_few_results_alive() {
    const CHUNKS: u32 = 10_000;
    // Described, each layer submitted on its own.
    let mut w = world();
    w.items(1, CHUNKS, false);
    w.blockwise(2, CHUNKS, &[(1, 0, false)], false);
    let rows = w.tree(3, 2, 0, 2, false);
    w.want(3, rows - 1, 1);
    let peak = run(&mut w);
    assert!(peak.all <= few(16, CHUNKS), "{}", peak.all);
    assert!(peak.later <= few(2, CHUNKS), "{}", peak.later);

    // Written down level by level.
    let mut inputs: Inputs = vec![vec![]; CHUNKS as usize];
    inputs.extend((0..CHUNKS).map(|row| vec![row]));
    let root = tree(&mut inputs, (CHUNKS..2 * CHUNKS).collect(), 2);
    let peak = run(&mut explicit(&inputs, root));
    assert!(peak.all <= few(16, CHUNKS), "{}", peak.all);
    assert!(peak.later <= few(2, CHUNKS), "{}", peak.later);
}

/// Chains side by side: of each, at most the last result is alive.
#[test]
fn chains_run_to_their_end_before_others_begin() {
    const CHAINS: u32 = 2_000;
    let mut inputs: Inputs = vec![vec![]; CHAINS as usize];
    for step in 0..3 {
        inputs.extend((0..CHAINS).map(|row| vec![step * CHAINS + row]));
    }
    let root = tree(&mut inputs, (3 * CHAINS..4 * CHAINS).collect(), 8);
    let peak = run(&mut explicit(&inputs, root));
    assert!(peak.later <= few(3, CHAINS), "{}", peak.later);
}

/// Two branches of one root that meet again: the root goes as soon as both have run.
#[test]
fn branches_of_a_root_run_close_together() {
    const ROOTS: u32 = 2_000;
    let mut inputs: Inputs = vec![vec![]; ROOTS as usize];
    inputs.extend((0..2 * ROOTS).map(|row| vec![row % ROOTS]));
    inputs.extend((0..ROOTS).map(|row| vec![ROOTS + row, 2 * ROOTS + row]));
    let root = tree(&mut inputs, (3 * ROOTS..4 * ROOTS).collect(), 2);
    let peak = run(&mut explicit(&inputs, root));
    assert!(peak.later <= few(3, ROOTS), "{}", peak.later);
}

/// One source makes everything ready at once: what follows from each is done before the next is begun.
#[test]
fn a_fan_out_is_reduced_as_it_goes() {
    const WIDTH: u32 = 4_000;
    let mut inputs: Inputs = vec![vec![]];
    inputs.extend((0..WIDTH).map(|_| vec![0]));
    inputs.extend((0..WIDTH).map(|row| vec![1 + row]));
    let root = tree(&mut inputs, (1 + WIDTH..1 + 2 * WIDTH).collect(), 2);
    let peak = run(&mut explicit(&inputs, root));
    assert!(peak.later <= few(3, WIDTH), "{}", peak.later);
}

/// Neighbours share inputs: a sweep keeps the seam alive, not the sheet.
#[test]
fn overlapping_windows_sweep() {
    const ROWS: u32 = 3_000;
    let mut inputs: Inputs = vec![vec![]; ROWS as usize];
    inputs.extend((0..ROWS).map(|row| (row.saturating_sub(1)..(row + 2).min(ROWS)).collect()));
    let root = tree(&mut inputs, (ROWS..2 * ROWS).collect(), 4);
    let peak = run(&mut explicit(&inputs, root));
    assert!(peak.later <= few(3, ROWS), "{}", peak.later);
}

/// What another submission brought waits its turn, whatever is ready of it.
#[test]
fn submissions_keep_their_order() {
    let mut w = world();
    w.items(1, 2_000, true);
    w.items(2, 100, true);
    while w
        .records
        .iter()
        .all(|record| record.serial == w.serials[&1])
    {
        let record = w.records.remove(0);
        w.report(&record, false);
    }
    let stats = w.engine.stats();
    let sent = stats.attempts - 1;
    assert!(
        sent >= 2_000 - 2,
        "{sent} records went before another submission's first"
    );
}
