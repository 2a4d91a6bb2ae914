//! Where the thread's CPU time goes, by phase of a turn, and libzmq's I/O thread beside it.

use std::time::Instant;

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
pub(crate) enum Phase {
    /// Receiving, verifying and decoding frames.
    Receive,
    /// The engine.
    Apply,
    /// Encoding frames.
    Encode,
    /// Handing frames to libzmq.
    Send,
}

/// CPU time by phase, for one thread. The thread's CPU clock is a system call of 0.2 to 0.7 us, so
/// it is read a few times per turn; where phases alternate from frame to frame, a clock that costs
/// 25 ns tells them apart, and they share the CPU time between two readings in proportion.
#[derive(Debug)]
pub(crate) struct PhaseClock {
    lap: Instant,
    wall_ns: [u64; PHASES],
    cpu_ns: u64,
    spent_ns: [u64; PHASES],
}

const PHASES: usize = 4;

impl PhaseClock {
    pub fn new() -> Self {
        Self {
            lap: Instant::now(),
            wall_ns: [0; PHASES],
            cpu_ns: 0,
            spent_ns: [0; PHASES],
        }
    }

    /// Begins a turn. What was used since the last one, in poll, is the price of receiving.
    pub fn begin(&mut self) {
        let cpu_ns = thread_cpu_ns();
        self.spent_ns[Phase::Receive as usize] += cpu_ns.saturating_sub(self.cpu_ns);
        self.cpu_ns = cpu_ns;
        self.lap = Instant::now();
    }

    /// What happened since the last lap belongs to `phase`; gives how long that was, in ns.
    pub fn lap(&mut self, phase: Phase) -> u64 {
        let now = Instant::now();
        let passed = now.duration_since(self.lap).as_nanos() as u64;
        self.wall_ns[phase as usize] += passed;
        self.lap = now;
        passed
    }

    /// Gives the CPU time since the last reading to the phases of the laps since then.
    pub fn settle(&mut self) {
        let cpu_ns = thread_cpu_ns();
        let used = u128::from(cpu_ns.saturating_sub(self.cpu_ns));
        self.cpu_ns = cpu_ns;
        let total = u128::from(self.wall_ns.iter().sum::<u64>().max(1));
        for (spent, wall) in self
            .spent_ns
            .iter_mut()
            .zip(std::mem::take(&mut self.wall_ns))
        {
            *spent += (used * u128::from(wall) / total) as u64;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_share_the_cpu_time_of_turns() {
        let mut clock = PhaseClock::new();
        clock.begin();
        let before = thread_cpu_ns();
        let mut sum = 0u64;
        while thread_cpu_ns() < before + 3_000_000 {
            sum = sum.wrapping_mul(31).wrapping_add(1);
        }
        assert_ne!(sum, 0);
        clock.lap(Phase::Apply);
        clock.lap(Phase::Send);
        clock.settle();
        assert!(clock.spent_ns(Phase::Apply) > 2_000_000);
        assert!(clock.spent_ns(Phase::Send) < clock.spent_ns(Phase::Apply));
        assert_eq!(clock.spent_ns(Phase::Encode), 0);
        assert!(clock.spent_ns.iter().sum::<u64>() <= thread_cpu_ns());
    }
}
