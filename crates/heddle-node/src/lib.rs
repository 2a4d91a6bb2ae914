//! The engine's N-API addon: converts and delegates, no logic.
//!
//! Every function catches panics, so a defect here becomes a JS error and never ends the process.
//! Error messages begin with a stable code, `ERR_X: text`; `ts/native` makes typed errors of them.
//! Options arrive complete: defaults and checks are on the TypeScript side.

pub mod bench;
pub mod profile;
pub mod replay;
pub mod scheduler;

use napi_derive::napi;

/// Versions compiled into the addon.
#[napi(object)]
pub struct Versions {
    /// Version of the engine.
    pub engine: String,
    /// Protocol `major.minor`.
    pub protocol: String,
    /// Version of the libzmq inside.
    pub libzmq: String,
}

/// Versions compiled into the addon.
#[napi(catch_unwind)]
pub fn versions() -> Versions {
    let heddle_server::Versions {
        engine,
        protocol,
        libzmq,
    } = heddle_server::versions();
    Versions {
        engine,
        protocol,
        libzmq,
    }
}

/// CPU time of the calling thread, in ns.
#[napi(catch_unwind)]
pub fn thread_cpu_nanos() -> f64 {
    // Exact up to 2^53 ns, which is 104 days of CPU.
    heddle_server::thread_cpu_ns() as f64
}
