//! What the benchmarks measure: workloads over the engine, the wire and the socket, and their floors.
//! A workload is prepared, then run once while its caller watches the clock.

mod engine_run;
mod graph;
mod ingest;
mod loop_floor;
mod relay_floor;
mod walk;

pub use engine_run::{EngineRun, Shape};
pub use ingest::IngestRun;
pub use loop_floor::LoopFloor;
pub use relay_floor::RelayFloor;
pub use walk::WalkRun;
