//! Benchmark entry points at a small size: results are checked values. With `HEDDLE_CORE_FIGURES=1` (or the name of
//! a shape) also prints times at full size.

#![allow(clippy::unwrap_used)]

use heddle_core::bench::{Graph, Ingest, Run, Shape, Walk};

const SHAPES: [Shape; 3] = [Shape::Map, Shape::Tree, Shape::Random];

#[test]
fn every_shape_gives_the_right_values() {
    for shape in SHAPES {
        for lanes in [1, 2, 7] {
            let graph = Graph::new(shape, 10_000);
            for procs in [1, 30] {
                let mut run = Run::spread(&graph, procs, lanes);
                assert_eq!(run.run(), u64::from(graph.tasks));
                run.verify(&graph);
            }
            assert_eq!(Walk::new(&graph).run(), u64::from(graph.tasks));
        }
    }
    let mut ingest = Ingest::new(10_000);
    assert_eq!(ingest.run(), 10_000);
    ingest.engine().check();
}

/// Resident bytes of this process.
fn resident() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * 4096.0
}

#[test]
fn memory() {
    if std::env::var("HEDDLE_CORE_FIGURES").as_deref() != Ok("Memory") {
        return;
    }
    let empty = resident();
    let graph = Graph::new(Shape::Map, 1_000_000);
    let mut run = Run::new(&graph, 2);
    run.run();
    let engine = run.verify(&graph);
    drop(graph);
    eprintln!("held: {:.1} B per task", (resident() - empty) / 1e6);
    drop(engine);
}

/// CPU time in ns: other programs share the machine.
fn cpu() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse().unwrap()
}

/// Cost per task by the number of procs (one lane each), the worker's own share included.
#[test]
fn growth() {
    if std::env::var("HEDDLE_CORE_FIGURES").as_deref() != Ok("Growth") {
        return;
    }
    let numbers = std::env::var("HEDDLE_CORE_PROCS").unwrap_or("24,168,1512,24,168,1512".into());
    let only = std::env::var("HEDDLE_CORE_SHAPE").unwrap_or_default();
    let chosen = |shape: &Shape| only.is_empty() || format!("{shape:?}") == only;
    for shape in SHAPES.into_iter().filter(chosen) {
        let graph = Graph::new(shape, 1_000_000);
        for procs in numbers.split(',').map(|number| number.parse().unwrap()) {
            let mut run = Run::spread(&graph, procs, 1);
            let from = cpu();
            run.run();
            let ns = (cpu() - from) as f64 / 1e6;
            run.verify(&graph);
            eprintln!("{shape:?}: {procs} procs, {ns:.1} ns");
        }
    }
}

#[test]
fn figures() {
    let Ok(only) = std::env::var("HEDDLE_CORE_FIGURES") else {
        return;
    };
    let tasks = std::env::var("HEDDLE_CORE_TASKS").map_or(1_000_000, |n| n.parse().unwrap());
    let per_task = |from: u64| (cpu() - from) as f64 / f64::from(tasks);
    for _ in 0..3 {
        for shape in SHAPES
            .into_iter()
            .filter(|shape| only == "1" || format!("{shape:?}") == only)
        {
            let graph = Graph::new(shape, tasks);
            let walk = Walk::new(&graph);
            let from = cpu();
            walk.run();
            let floor = per_task(from);
            let mut run = Run::new(&graph, 2);
            let from = cpu();
            run.run();
            let ours = per_task(from);
            run.verify(&graph);
            eprintln!(
                "{shape:?}: walk {floor:.1} ns, engine {ours:.1} ns, {:.2}x",
                ours / floor
            );
        }
        if only != "1" && only != "Ingest" {
            continue;
        }
        let mut ingest = Ingest::new(tasks);
        let from = cpu();
        ingest.run();
        eprintln!("ingest: {:.1} ns", per_task(from));
    }
}
