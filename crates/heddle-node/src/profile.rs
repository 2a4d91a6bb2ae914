//! A sampling profile of the Rust half of this process, while nobody else samples it.
//!
//! Samples come by SIGPROF, which V8's own profiler uses too: a process is profiled by one of them at a time.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use napi::{Error, Result, Status};
use napi_derive::napi;
use pprof::{Frames, ProfilerGuard, ProfilerGuardBuilder};

/// Samples per second of CPU; a prime, so that nothing periodic keeps step with it.
const HERTZ: i32 = 997;
/// Unwinding out of these may not be interrupted safely: a sample that falls into them is dropped.
const NOT_SAMPLED: [&str; 4] = ["libc", "libgcc", "pthread", "vdso"];
/// Stacks without such a frame belong to Node.
const OURS: &str = "heddle_";

static RUNNING: Mutex<Option<ProfilerGuard<'static>>> = Mutex::new(None);

fn refused(error: &pprof::Error) -> Error {
    Error::new(Status::GenericFailure, format!("ERR_INTERNAL: {error}"))
}

/// Begins to sample every thread of this process. Does nothing while it does so already.
#[napi(catch_unwind)]
pub fn profile_start() -> Result<()> {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if running.is_none() {
        let builder = ProfilerGuardBuilder::default().frequency(HERTZ);
        let guard = builder.blocklist(&NOT_SAMPLED).build();
        *running = Some(guard.map_err(|error| refused(&error))?);
    }
    Ok(())
}

/// Ends it; gives the stacks of this crate's kin as `thread;outer;…;inner samples` lines, sorted.
#[napi(catch_unwind)]
pub fn profile_stop() -> Result<String> {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(guard) = running.take() else {
        return Ok(String::new());
    };
    let report = guard.report().build().map_err(|error| refused(&error))?;
    let mut stacks = BTreeMap::<String, isize>::new();
    for (frames, count) in &report.data {
        let line = fold(frames);
        if line.contains(OURS) {
            *stacks.entry(line).or_default() += count;
        }
    }
    Ok(stacks
        .iter()
        .map(|(stack, count)| format!("{stack} {count}\n"))
        .collect())
}

fn fold(frames: &Frames) -> String {
    let mut line = frames.thread_name.replace([';', ' '], "_");
    for symbol in frames
        .frames
        .iter()
        .rev()
        .flat_map(|frame| frame.iter().rev())
    {
        line.push(';');
        line.push_str(&symbol.name().replace([';', ' '], "_"));
    }
    line
}
