//! Builds libzmq 4.3.5 from the sources inside the `zeromq-src` crate, static, with CURVE over the
//! libsodium of `libsodium-sys-stable` and with the draft API (for `ZMQ_ROUTER_NOTIFY`). Needs a C
//! and a C++ compiler, make and sh; downloads nothing.

use std::env;

/// What libzmq's own configure step would have found on Linux and `zeromq-src` leaves out.
/// CLOEXEC matters most: worker processes are spawned by the process that owns these sockets and
/// must not inherit them. Eventfd halves the system calls of a wake-up.
const LINUX_DEFINES: [&str; 8] = [
    "ZMQ_HAVE_EVENTFD",
    "ZMQ_HAVE_EVENTFD_CLOEXEC",
    "ZMQ_HAVE_O_CLOEXEC",
    "ZMQ_HAVE_SOCK_CLOEXEC",
    "ZMQ_IOTHREAD_POLLER_USE_EPOLL_CLOEXEC",
    "ZMQ_HAVE_SO_KEEPALIVE",
    "ZMQ_HAVE_PTHREAD_SETNAME_2",
    "HAVE_ACCEPT4",
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if is_clippy() {
        return;
    }
    let sodium_lib =
        env::var("DEP_SODIUM_LIB").expect("libsodium-sys-stable exports its lib folder");
    let sodium_include =
        env::var("DEP_SODIUM_INCLUDE").expect("libsodium-sys-stable exports its include folder");

    // zeromq-src takes no defines or flags of its own; the compiler driver reads CXXFLAGS.
    let mut flags = env::var("CXXFLAGS").unwrap_or_default();
    flags.push_str(" -w -g0");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        for define in LINUX_DEFINES {
            flags.push_str(" -D");
            flags.push_str(define);
        }
    }
    // SAFETY: a build script's main thread, before anything here has started another.
    unsafe { env::set_var("CXXFLAGS", flags) };

    zeromq_src::Build::new()
        .enable_draft(true)
        .with_libsodium(Some(zeromq_src::LibLocation::new(
            sodium_lib,
            sodium_include,
        )))
        .build();
}

/// Clippy links nothing, and cargo runs a workspace member's build script anew for it: without
/// this, `cargo clippy` would compile libzmq a second time.
fn is_clippy() -> bool {
    env::var_os("RUSTC_WORKSPACE_WRAPPER")
        .is_some_and(|wrapper| wrapper.to_string_lossy().contains("clippy-driver"))
}
