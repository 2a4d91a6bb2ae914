//! One workload, to be run under valgrind by `npm run bench -- --instructions`: what `run` executes beyond `prepare`
//! is the workload itself. Usage: instructions SHAPE TASKS prepare|run

use heddle_core::bench::{Graph, Run, Shape};

fn main() -> Result<(), String> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [shape, tasks, step] = words.as_slice() else {
        return Err("usage: instructions SHAPE TASKS prepare|run".to_owned());
    };
    let shape = Shape::from_name(shape).ok_or("no graph is called so")?;
    let tasks = tasks.parse().map_err(|_| "TASKS is a number")?;
    let graph = Graph::new(shape, tasks);
    let mut run = Run::new(&graph, 2);
    if step == "run" && run.run() != u64::from(graph.tasks) {
        return Err("not every task was completed".to_owned());
    }
    Ok(())
}
