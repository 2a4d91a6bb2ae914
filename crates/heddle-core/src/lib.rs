//! The scheduling engine: a pure, deterministic state machine. Events in, effects out; no I/O, no clock, no
//! threads, no randomness, no environment, no unsafe code.
//!
//! Invariants, which [`Engine::check`] compares with a scan of all rows:
//! - one writer of a row's state ([`ledger`] holds the only table of legal changes);
//! - a row is active if and only if it is demanded and not done; a released row is not needed by anybody;
//! - `unmet`, `refs` and `dependents` equal what a scan of the row's neighbours gives;
//! - the inputs of a row whose page exists exist, until the row is detached from them;
//! - a report changes a row only if it speaks of the attempt that is in flight on that lane.

#![forbid(unsafe_code)]

pub mod bench;
pub mod column;
pub mod event;
pub mod fault;
pub mod id;
pub mod ledger;
pub mod limits;
pub mod out;
pub mod update;
pub mod view;

mod agenda;
mod ahead;
mod assign;
mod bitset;
mod check;
mod client;
mod commit;
mod credit;
mod cycle;
mod definitions;
mod demand;
mod digest;
mod dispatch;
mod done;
mod edges;
mod engine;
mod error_blob;
mod fail;
mod fence;
mod function;
mod gate;
mod generation;
mod ingest;
mod intervals;
mod key;
mod layer;
mod loads;
mod neighbours;
mod on_client;
mod on_proc;
mod open_page;
mod page;
mod place;
mod proc;
mod reads;
mod ready;
mod ready_rows;
mod rebalance;
mod regular;
mod release;
mod row;
mod row_data;
mod rowset;
mod section;
mod setback;
mod state;
mod tell;
mod values;
mod waiters;

pub use engine::{CheckLevel, Config, Engine};
pub use event::Event;
pub use out::Out;
pub use state::State;
pub use update::UpdateOut;
