//! Columnar kernels over Arrow and Parquet, as an addon of their own.
//!
//! Pure functions from bytes to bytes, without threads, caches or state, called by worker lanes:
//!
//! * [`parquet_read`], [`parquet_write`]: files in and out;
//! * [`table`]: a partition is one table as Arrow IPC stream bytes;
//! * [`sample`]: quantile divisions of a key column from samples;
//! * [`shuffle`]: split a partition by divisions, merge slices into a sorted partition;
//! * [`slice`]: the framing of what travels between the two;
//! * [`column`], [`key`], [`sort`], [`schema`]: what these are made of;
//! * [`addon`]: the N-API layer, which converts and delegates.
//!
//! Invariant: equal inputs give equal outputs on every machine (sampling takes its seed), so that a
//! task that runs again after a failure yields the same partition.
//! Invariant: nothing here knows tasks, workers or the scheduler.

pub mod addon;
pub mod column;
pub mod error;
pub mod key;
pub mod parquet_read;
pub mod parquet_write;
pub mod sample;
pub mod schema;
pub mod shuffle;
pub mod slice;
pub mod sort;
pub mod table;
