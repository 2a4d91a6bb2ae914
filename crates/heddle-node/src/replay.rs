//! Replays of recorded runs.

use std::path::Path;

use heddle_server::ReplayReport;
use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Error, Result, Status, Task};
use napi_derive::napi;

/// What a replay did; `ts/native` documents it.
#[napi(object)]
pub struct Replay {
    /// Inputs of the engine.
    pub events: f64,
    /// Those that came as frames.
    pub frames: f64,
    /// Turns of the recorded loop.
    pub turns: f64,
    /// Results accepted.
    pub tasks_completed: f64,
    /// Tasks that failed for good.
    pub tasks_failed: f64,
    /// Bytes of the file.
    pub bytes: f64,
    /// The engine's digest at the end, in hexadecimal.
    pub digest: String,
    /// ns spent reading.
    pub read_ns: f64,
    /// ns spent verifying and decoding.
    pub decode_ns: f64,
    /// ns spent in the engine.
    pub apply_ns: f64,
    /// ns spent encoding.
    pub encode_ns: f64,
}

/// A replay, off JavaScript's thread.
pub struct ReplayTask {
    file: String,
    package_version: String,
}

impl Task for ReplayTask {
    type Output = ReplayReport;
    type JsValue = Replay;

    fn compute(&mut self) -> Result<ReplayReport> {
        heddle_server::replay(Path::new(&self.file), &self.package_version).map_err(|error| {
            let text = format!("{}: {error}", error.code);
            Error::new(Status::GenericFailure, text)
        })
    }

    fn resolve(&mut self, _env: Env, report: ReplayReport) -> Result<Replay> {
        // Exact up to 2^53.
        Ok(Replay {
            events: report.events as f64,
            frames: report.frames as f64,
            turns: report.turns as f64,
            tasks_completed: report.tasks_completed as f64,
            tasks_failed: report.tasks_failed as f64,
            bytes: report.bytes as f64,
            digest: format!("{:016x}", report.digest),
            read_ns: report.read_ns as f64,
            decode_ns: report.decode_ns as f64,
            apply_ns: report.apply_ns as f64,
            encode_ns: report.encode_ns as f64,
        })
    }
}

/// Replays a file.
#[napi(catch_unwind)]
pub fn replay(file: String, package_version: String) -> AsyncTask<ReplayTask> {
    AsyncTask::new(ReplayTask {
        file,
        package_version,
    })
}
