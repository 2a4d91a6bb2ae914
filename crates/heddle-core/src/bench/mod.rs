//! Entry points for benchmarks: the engine run by a worker that answers at once, the barest countdown over the
//! same graphs, and ingestion. Pure like all of this crate: callers hold the clock.

mod graph;
mod ingest;
mod run;
mod walk;

pub use graph::{Graph, Numbers, Shape};
pub use ingest::Ingest;
pub use run::Run;
pub use walk::Walk;
