//! Where the thread's CPU time goes, by phase of a turn, and libzmq's I/O thread beside it.

/// CPU time the calling thread has used, in ns. A system call: per phase, never per frame.
pub fn thread_cpu_ns() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is valid for writes for the whole call.
    let rc = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    if rc != 0 {
        return 0;
    }
    // Both are non-negative by POSIX.
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// A part of a turn whose CPU time is told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Receiving, verifying and decoding frames.
    Receive,
    /// The engine.
    Apply,
    /// Encoding frames.
    Encode,
    /// Handing frames to libzmq.
    Send,
}

/// CPU time by phase: a lap clock that one thread owns.
#[derive(Debug, Default)]
pub struct PhaseClock {
    lap_ns: u64,
    spent_ns: [u64; 4],
}

impl PhaseClock {
    /// Begins a turn. CPU used since the last lap (waiting in poll) counts as receiving.
    pub fn lap(&mut self, phase: Phase) {
        let now = thread_cpu_ns();
        if self.lap_ns != 0 {
            self.spent_ns[phase as usize] += now.saturating_sub(self.lap_ns);
        }
        self.lap_ns = now;
    }

    /// CPU time spent in a phase since the thread began.
    pub fn spent_ns(&self, phase: Phase) -> u64 {
        self.spent_ns[phase as usize]
    }
}

/// Resident memory of this process in bytes; 0 where the system does not tell.
pub(crate) fn rss_bytes() -> u64 {
    // "size resident shared …" in pages.
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok())
        .unwrap_or(0);
    // SAFETY: no pointers; sysconf may be called at any time.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    pages * u64::try_from(page).unwrap_or(0)
}
