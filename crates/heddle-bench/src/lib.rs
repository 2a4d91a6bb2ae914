//! Floors of the whole loop: the same sockets and processes as Heddle's, with everything else taken away. The engine's
//! and the wire's workloads are in those crates' own `bench` modules.

mod loop_floor;
mod relay_floor;

pub use loop_floor::LoopFloor;
pub use relay_floor::RelayFloor;
