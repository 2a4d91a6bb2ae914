//! The workloads of `heddle-bench` for the benchmark harness in `bench/`. Schedulers never use them.

use heddle_bench::{EngineRun, IngestRun, LoopFloor, RelayFloor, Shape, WalkRun};
use napi::{Error, Result};
use napi_derive::napi;

/// The engine over one graph, once.
#[napi]
pub struct BenchEngine {
    run: EngineRun,
}

#[napi]
impl BenchEngine {
    /// Prepares `shape`: `map`, `tree` or `random`.
    #[napi(constructor, catch_unwind)]
    pub fn new(shape: String, tasks: u32) -> Result<Self> {
        let shape = match shape.as_str() {
            "map" => Shape::Map,
            "tree" => Shape::Tree,
            "random" => Shape::Random,
            _ => return Err(unknown(&shape)),
        };
        Ok(Self {
            run: EngineRun::new(shape, tasks),
        })
    }

    /// Tasks of the graph.
    #[napi(getter, catch_unwind)]
    pub fn tasks(&self) -> u32 {
        self.run.tasks()
    }

    /// Runs all of them; gives the number completed.
    #[napi(catch_unwind)]
    pub fn run(&mut self) -> f64 {
        self.run.run() as f64
    }

    /// The engine's digest in hexadecimal.
    #[napi(catch_unwind)]
    pub fn digest(&self) -> String {
        format!("{:016x}", self.run.digest())
    }
}

/// The floor under `BenchEngine`: the same graph, counted down.
#[napi]
pub struct BenchWalk {
    run: WalkRun,
}

#[napi]
impl BenchWalk {
    /// Prepares `shape`: `tree` or `random`.
    #[napi(constructor, catch_unwind)]
    pub fn new(shape: String, tasks: u32) -> Result<Self> {
        let run = match shape.as_str() {
            "tree" => WalkRun::tree(tasks),
            "random" => WalkRun::random(tasks),
            _ => return Err(unknown(&shape)),
        };
        Ok(Self { run })
    }

    /// Rows of the graph.
    #[napi(getter, catch_unwind)]
    pub fn tasks(&self) -> u32 {
        self.run.rows()
    }

    /// Walks; gives the number of rows completed.
    #[napi(catch_unwind)]
    pub fn run(&mut self) -> u32 {
        self.run.run()
    }
}

/// A graph of explicit edges, to be taken in once.
#[napi]
pub struct BenchIngest {
    run: IngestRun,
}

#[napi]
impl BenchIngest {
    /// Prepares `tasks` rows of two inputs each.
    #[napi(constructor, catch_unwind)]
    pub fn new(tasks: u32) -> Self {
        Self {
            run: IngestRun::random(tasks),
        }
    }

    /// Submits; gives whether the engine took the graph.
    #[napi(catch_unwind)]
    pub fn run(&mut self) -> bool {
        self.run.run()
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

fn unknown(shape: &str) -> Error {
    Error::from_reason(format!("ERR_ARGUMENT: there is no graph called '{shape}'"))
}

fn failed(text: &str) -> Error {
    Error::from_reason(format!("ERR_INTERNAL: {text}"))
}
