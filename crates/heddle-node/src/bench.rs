//! The workloads of the benchmark harness in `bench/`. Schedulers never use them.

use heddle_bench::{Inproc, LoopFloor, RelayFloor, ZeroWorkers};
use heddle_core::bench::{Graph, Ingest, Run, Shape, Walk};
use napi::bindgen_prelude::Uint32Array;
use napi::{Error, Result};
use napi_derive::napi;

/// Lanes that answer the engine.
const LANES: u32 = 2;

/// The engine over one graph, once.
#[napi]
pub struct BenchEngine {
    graph: Graph,
    run: Option<Run>,
}

#[napi]
impl BenchEngine {
    /// Prepares `shape`: `map`, `tree` or `random`.
    #[napi(constructor, catch_unwind)]
    pub fn new(shape: String, tasks: u32) -> Result<Self> {
        Ok(Self::of(graph(&shape, tasks)?))
    }

    /// Prepares a graph of explicit edges: where each row's inputs begin, and where the last one's end; the inputs.
    #[napi(factory, catch_unwind)]
    pub fn explicit(offsets: Uint32Array, indices: Uint32Array) -> Self {
        let ends = offsets.get(1..).unwrap_or_default().to_vec();
        Self::of(Graph::explicit(ends, indices.to_vec()))
    }

    fn of(graph: Graph) -> Self {
        let run = Some(Run::new(&graph, LANES));
        Self { graph, run }
    }

    /// Tasks of the graph.
    #[napi(getter, catch_unwind)]
    pub fn tasks(&self) -> u32 {
        self.graph.tasks
    }

    /// Runs all of them; gives the number completed.
    #[napi(catch_unwind)]
    pub fn run(&mut self) -> f64 {
        self.run.as_mut().map_or(0, Run::run) as f64
    }

    /// Compares every result with what it should be, which ends the run; gives the engine's digest
    /// in hexadecimal.
    #[napi(catch_unwind)]
    pub fn verify(&mut self) -> Result<String> {
        let run = self.run.take().ok_or_else(|| failed("verified before"))?;
        Ok(format!("{:016x}", run.verify(&self.graph).digest()))
    }
}

/// The floor under `BenchEngine`: the same graph, counted down.
#[napi]
pub struct BenchWalk {
    tasks: u32,
    walk: Option<Walk>,
}

#[napi]
impl BenchWalk {
    /// Prepares `shape`.
    #[napi(constructor, catch_unwind)]
    pub fn new(shape: String, tasks: u32) -> Result<Self> {
        let graph = graph(&shape, tasks)?;
        Ok(Self {
            tasks: graph.tasks,
            walk: Some(Walk::new(&graph)),
        })
    }

    /// Rows of the graph.
    #[napi(getter, catch_unwind)]
    pub fn tasks(&self) -> u32 {
        self.tasks
    }

    /// Walks, once; gives the number of rows reached.
    #[napi(catch_unwind)]
    pub fn run(&mut self) -> f64 {
        self.walk.take().map_or(0, Walk::run) as f64
    }
}

/// A graph of explicit edges, to be taken in once.
#[napi]
pub struct BenchIngest {
    ingest: Ingest,
}

#[napi]
impl BenchIngest {
    /// Prepares `tasks` rows of two inputs each.
    #[napi(constructor, catch_unwind)]
    pub fn new(tasks: u32) -> Self {
        Self {
            ingest: Ingest::new(tasks),
        }
    }

    /// Submits; gives the number of rows the engine then knows.
    #[napi(catch_unwind)]
    pub fn run(&mut self) -> f64 {
        self.ingest.run() as f64
    }
}

/// Encodes, verifies and decodes `records` assignments; gives whether all were read back right.
#[napi(catch_unwind)]
pub fn bench_wire_assign(records: u32) -> bool {
    let records = records as usize;
    let read = heddle_wire::bench::assign(records);
    read.is_ok_and(|sum| sum == heddle_wire::bench::expected(records))
}

/// Frames between a ROUTER on the calling thread and one worker.
#[napi]
pub struct BenchLoopFloor {
    floor: LoopFloor,
}

#[napi]
impl BenchLoopFloor {
    /// Binds `address`.
    #[napi(constructor, catch_unwind)]
    pub fn new(address: String) -> Result<Self> {
        let floor = LoopFloor::open(&address).map_err(|error| failed(&error.to_string()))?;
        Ok(Self { floor })
    }

    /// Sends at least `records` records and waits, blocking, for all answers; gives their number.
    #[napi(catch_unwind)]
    pub fn run(&mut self, records: u32) -> Result<u32> {
        self.floor.run(records).map_err(|text| failed(&text))
    }
}

/// A thread that hands messages from one peer to another.
#[napi]
pub struct BenchRelayFloor {
    floor: Option<RelayFloor>,
}

#[napi]
impl BenchRelayFloor {
    /// Binds `address` and starts the thread.
    #[napi(constructor, catch_unwind)]
    pub fn new(address: String) -> Result<Self> {
        let floor = RelayFloor::start(&address).map_err(|text| failed(&text))?;
        Ok(Self { floor: Some(floor) })
    }

    /// Ends the thread. Repeatable.
    #[napi(catch_unwind)]
    pub fn stop(&mut self) {
        self.floor = None;
    }
}

/// Workers that answer at once, on a thread.
#[napi]
pub struct BenchZeroWorkers {
    workers: Option<ZeroWorkers>,
}

#[napi]
impl BenchZeroWorkers {
    /// Connects `workers` of `lanes` lanes each to the scheduler at `address`.
    #[napi(constructor, catch_unwind)]
    pub fn new(address: String, workers: u32, lanes: u32) -> Result<Self> {
        let workers = ZeroWorkers::start(&address, workers, lanes).map_err(|text| failed(&text))?;
        Ok(Self {
            workers: Some(workers),
        })
    }

    /// Why they stopped by themselves; null while they answer.
    #[napi(getter, catch_unwind)]
    pub fn failure(&self) -> Option<String> {
        let workers = self.workers.as_ref()?;
        workers.failure().map(str::to_owned)
    }

    /// Closes their connections. Repeatable.
    #[napi(catch_unwind)]
    pub fn stop(&mut self) {
        self.workers = None;
    }
}

/// The engine and the codec between many procs, without sockets.
#[napi]
pub struct BenchInproc {
    run: Inproc,
}

#[napi]
impl BenchInproc {
    /// Prepares a tree of about `tasks` tasks for `procs` procs of one lane.
    #[napi(constructor, catch_unwind)]
    pub fn new(procs: u32, tasks: u32) -> Result<Self> {
        let run = Inproc::new(procs, tasks).map_err(|text| failed(&text))?;
        Ok(Self { run })
    }

    /// Tasks of the graph.
    #[napi(getter, catch_unwind)]
    pub fn tasks(&self) -> u32 {
        self.run.tasks()
    }

    /// Runs it, once; gives the one result: the sum of the leaves' numbers, and 1 for each reduction.
    #[napi(catch_unwind)]
    pub fn run(&mut self) -> Result<f64> {
        self.run.run().map_err(|text| failed(&text))
    }
}

fn graph(shape: &str, tasks: u32) -> Result<Graph> {
    let shape = Shape::from_name(shape)
        .ok_or_else(|| Error::from_reason(format!("ERR_ARGUMENT: no graph is called '{shape}'")))?;
    Ok(Graph::new(shape, tasks))
}

fn failed(text: &str) -> Error {
    Error::from_reason(format!("ERR_INTERNAL: {text}"))
}
