//! Allocations of the hot path, counted and compared with the committed snapshot: more than 2 % more, or fewer, of any
//! is a change that somebody should have meant. `HEDDLE_SNAPSHOT=write` writes the new one.

#![allow(clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::Write as _;

use heddle_bench::Inproc;
use heddle_core::bench::{Graph, Ingest, Run, Shape};
use heddle_core::id::{Incarnation, ProcId};
use heddle_core::out::AssignSection;
use heddle_wire::{Aligned, Encoder, Frame, read_assign};

/// The system's allocator, counting on the thread that asks.
struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that ends has no counter any more.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const TASKS: u32 = 200_000;
const FRAMES: u32 = 1_000;
const RECORDS: u32 = 256;
const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/allocations.txt");

/// Allocations per 1,000 tasks while `work` runs.
fn per_thousand(tasks: u32, work: impl FnOnce()) -> f64 {
    let before = COUNT.get();
    work();
    (COUNT.get() - before) as f64 * 1_000.0 / f64::from(tasks)
}

fn apply(shape: Shape) -> f64 {
    let graph = Graph::new(shape, TASKS);
    let mut run = Run::new(&graph, 2);
    let mut completed = 0;
    let figure = per_thousand(graph.tasks, || completed = run.run());
    assert_eq!(completed, u64::from(graph.tasks));
    figure
}

fn ingest() -> f64 {
    let mut ingest = Ingest::new(TASKS);
    per_thousand(TASKS, || {
        ingest.run();
    })
}

fn section() -> AssignSection {
    AssignSection {
        serial: 7,
        count: RECORDS,
        indices: (0..RECORDS).map(|i| 3 * i).collect(),
        attempts: vec![1; RECORDS as usize],
        data_stride: 8,
        data: vec![1; 8 * RECORDS as usize],
        ..AssignSection::default()
    }
}

fn codec() -> (f64, f64) {
    let sections = [section()];
    let mut encoder = Encoder::new(1);
    let mut frames = Vec::with_capacity(FRAMES as usize);
    // The first frame makes the builder as large as it gets.
    encoder.assign(ProcId(1), Incarnation(1), &sections, drop);
    let encode = per_thousand(FRAMES * RECORDS, || {
        for _ in 0..FRAMES {
            encoder.assign(ProcId(1), Incarnation(1), &sections, |frame| {
                frames.push(frame);
            });
        }
    });
    let mut aligned = Aligned::new();
    let mut records = 0;
    let decode = per_thousand(FRAMES * RECORDS, || {
        for frame in &frames {
            let parts = [&frame.head[..], &frame.payload[0][..]];
            let frame = Frame::open(&parts, &mut aligned).unwrap();
            read_assign(&frame, |_, section| records += section.count).unwrap();
        }
    });
    assert_eq!(records, FRAMES * RECORDS);
    (encode, decode)
}

fn whole() -> f64 {
    let mut run = Inproc::new(24, TASKS).unwrap();
    let tasks = run.tasks();
    let figure = per_thousand(tasks, || {
        run.run().unwrap();
    });
    assert_eq!(run.completed(), u64::from(tasks));
    figure
}

#[test]
fn are_those_of_the_snapshot() {
    let (encode, decode) = codec();
    let figures = [
        ("apply.map", apply(Shape::Map)),
        ("apply.tree", apply(Shape::Tree)),
        ("apply.random", apply(Shape::Random)),
        ("ingest.csr", ingest()),
        ("encode.assign", encode),
        ("decode.assign", decode),
        ("inproc.tree.24", whole()),
    ];
    if std::env::var("HEDDLE_SNAPSHOT").as_deref() == Ok("write") {
        let mut text = String::new();
        for (name, figure) in figures {
            writeln!(text, "{name} {figure:.3}").unwrap();
        }
        std::fs::write(SNAPSHOT, text).unwrap();
        return;
    }
    let snapshot = std::fs::read_to_string(SNAPSHOT).unwrap();
    let mut changed = String::new();
    for (name, figure) in figures {
        let line = snapshot
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let expected: f64 = line.expect(name).parse().unwrap();
        // Where there are next to none, one more in 20,000 tasks is no change.
        if (figure - expected).abs() > (0.02 * expected).max(0.05) {
            writeln!(
                changed,
                "{name}: {figure:.3} per 1,000 tasks, was {expected}"
            )
            .unwrap();
        }
    }
    assert!(
        changed.is_empty(),
        "{changed}Meant? HEDDLE_SNAPSHOT=write cargo test -p heddle-bench --test allocations"
    );
}
