//! The CPU time of libzmq's I/O thread, found by its name: libzmq does not tell its thread id.

use std::ffi::c_int;

/// A number that starts the names of a context's threads: the id of the thread that opens it, so
/// that the routers of different threads in one process are told apart.
pub(crate) fn name_prefix() -> c_int {
    #[cfg(target_os = "linux")]
    // SAFETY: no arguments.
    return unsafe { libc::gettid() };
    #[cfg(not(target_os = "linux"))]
    return 0;
}

/// CPU nanoseconds spent so far by the I/O threads whose names start with `prefix`; `None` where
/// the system does not tell. Reads /proc: for statistics on request, not for a loop.
pub(crate) fn cpu_nanos(prefix: c_int) -> Option<u64> {
    // Names are cut at 15 bytes; "I" tells "IO/0" from "Reaper" even after a long prefix.
    let start = format!("{prefix}/ZMQbg/I");
    let mut total = None;
    for task in std::fs::read_dir("/proc/self/task").ok()?.flatten() {
        let read = |file| std::fs::read_to_string(task.path().join(file)).unwrap_or_default();
        if read("comm").starts_with(&start) {
            let schedstat = read("schedstat"); // "run-ns wait-ns slices"
            let run = schedstat
                .split(' ')
                .next()
                .and_then(|ns| ns.parse::<u64>().ok());
            total = Some(total.unwrap_or(0) + run.unwrap_or(0));
        }
    }
    total
}
