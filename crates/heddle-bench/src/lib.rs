//! Floors of the whole loop: the same sockets and processes as Heddle's, with everything else taken away; and workers
//! that answer at once. The engine's
//! and the wire's workloads are in those crates' own `bench` modules.

mod inproc;
mod loop_floor;
mod relay_floor;
mod sums;
mod zero_workers;

pub use inproc::Inproc;
pub use loop_floor::LoopFloor;
pub use relay_floor::RelayFloor;
pub use zero_workers::ZeroWorkers;
