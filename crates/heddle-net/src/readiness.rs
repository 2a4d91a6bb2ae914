//! Which of many descriptors are readable: epoll on Linux, poll(2) elsewhere.

use std::ffi::c_int;
use std::time::Duration;

use crate::error::NetError;

/// Descriptors told of by one wait.
#[cfg(target_os = "linux")]
const EVENTS: usize = 256;

/// A set of descriptors, each with the number its owner knows it by.
#[derive(Debug)]
pub(crate) struct Readiness {
    #[cfg(target_os = "linux")]
    epoll: std::os::fd::OwnedFd,
    #[cfg(not(target_os = "linux"))]
    items: Vec<(c_int, usize)>,
}

fn failed(call: &'static str) -> NetError {
    let error = std::io::Error::last_os_error();
    NetError::System {
        call,
        errno: error.raw_os_error().unwrap_or(0),
        text: error.to_string(),
    }
}

fn millis(timeout: Duration) -> c_int {
    c_int::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(c_int::MAX)
}

#[cfg(target_os = "linux")]
impl Readiness {
    pub fn new() -> Result<Self, NetError> {
        use std::os::fd::FromRawFd;
        // SAFETY: no pointers; a descriptor that is not negative is new and owned by nobody else.
        let epoll = unsafe {
            match libc::epoll_create1(libc::EPOLL_CLOEXEC) {
                fd if fd >= 0 => std::os::fd::OwnedFd::from_raw_fd(fd),
                _ => return Err(failed("epoll_create1")),
            }
        };
        Ok(Self { epoll })
    }

    pub fn add(&mut self, fd: c_int, number: usize) -> Result<(), NetError> {
        use std::os::fd::AsRawFd;
        let mut event = libc::epoll_event {
            events: libc::EPOLLIN as u32,
            u64: number as u64,
        };
        let (epoll, add) = (self.epoll.as_raw_fd(), libc::EPOLL_CTL_ADD);
        // SAFETY: two open descriptors and an event that lives for the call.
        match unsafe { libc::epoll_ctl(epoll, add, fd, &raw mut event) } {
            0 => Ok(()),
            _ => Err(failed("epoll_ctl")),
        }
    }

    pub fn wait(&mut self, timeout: Duration, ready: &mut Vec<usize>) -> Result<(), NetError> {
        use std::os::fd::AsRawFd;
        ready.clear();
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; EVENTS];
        let (epoll, first) = (self.epoll.as_raw_fd(), events.as_mut_ptr());
        // SAFETY: an open descriptor and room for `EVENTS` events.
        let count = unsafe { libc::epoll_wait(epoll, first, EVENTS as c_int, millis(timeout)) };
        if count < 0 && std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted {
            return Err(failed("epoll_wait"));
        }
        let count = usize::try_from(count).unwrap_or(0);
        ready.extend(events[..count].iter().map(|event| event.u64 as usize));
        Ok(())
    }
}

#[cfg(not(target_os = "linux"))]
impl Readiness {
    pub fn new() -> Result<Self, NetError> {
        Ok(Self { items: Vec::new() })
    }

    pub fn add(&mut self, fd: c_int, number: usize) -> Result<(), NetError> {
        self.items.push((fd, number));
        Ok(())
    }

    pub fn wait(&mut self, timeout: Duration, ready: &mut Vec<usize>) -> Result<(), NetError> {
        ready.clear();
        let mut polled: Vec<libc::pollfd> = Vec::with_capacity(self.items.len());
        polled.extend(self.items.iter().map(|&(fd, _)| libc::pollfd {
            fd,
            events: libc::POLLIN,
            revents: 0,
        }));
        let (first, count) = (polled.as_mut_ptr(), polled.len() as libc::nfds_t);
        // SAFETY: `count` initialised items.
        let told = unsafe { libc::poll(first, count, millis(timeout)) };
        if told < 0 && std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted {
            return Err(failed("poll"));
        }
        let readable = polled.iter().zip(&self.items);
        ready.extend(
            readable
                .filter(|(item, _)| item.revents != 0)
                .map(|(_, &(_, number))| number),
        );
        Ok(())
    }
}
