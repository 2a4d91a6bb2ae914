//! Clock, sockets and engine joined: what the daemon and the embedded scheduler run.
