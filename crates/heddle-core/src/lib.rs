//! The scheduling engine: a pure, deterministic state machine. Events in, effects out; no I/O, no clock, no
//! threads, no randomness, no environment, no unsafe code.

#![forbid(unsafe_code)]

pub mod column;
pub mod event;
pub mod fault;
pub mod id;
pub mod limits;
pub mod out;
pub mod update;
pub mod view;

mod engine;
mod state;

pub use engine::{CheckLevel, Config, Engine};
pub use event::Event;
pub use out::Out;
pub use state::State;
pub use update::UpdateOut;
