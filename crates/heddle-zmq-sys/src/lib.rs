//! The few libzmq functions Heddle calls, with libzmq and libsodium built from source.
//!
//! Names, types and semantics are libzmq's own (<https://libzmq.readthedocs.io>): nothing here is
//! wrapped. `heddle-net` is the only crate that uses this one. Three constants belong to libzmq's
//! draft API, which `build.rs` turns on: [`ZMQ_ROUTER_NOTIFY`], [`ZMQ_ZAP_ENFORCE_DOMAIN`] and the
//! function [`zmq_socket_get_peer_state`]; the pinned source keeps them stable.

#![allow(
    missing_docs,
    reason = "libzmq's manual is the documentation of its names"
)]
#![allow(non_camel_case_types, reason = "the names are libzmq's")]

// Links libsodium, whose symbols libzmq's CURVE mechanism needs.
extern crate libsodium_sys as _;

use core::ffi::{c_char, c_int, c_long, c_short, c_void};

/// An opaque message. Plain bytes that libzmq itself moves with `memcpy`, so a Rust move is fine.
#[repr(C)]
pub struct zmq_msg_t {
    opaque: [*mut c_void; 64 / size_of::<*mut c_void>()],
}

/// One thing to wait for: a socket, or (socket null) a file descriptor.
#[repr(C)]
pub struct zmq_pollitem_t {
    pub socket: *mut c_void,
    pub fd: c_int,
    pub events: c_short,
    pub revents: c_short,
}

pub type zmq_free_fn = unsafe extern "C" fn(data: *mut c_void, hint: *mut c_void);

// Context options.
pub const ZMQ_THREAD_NAME_PREFIX: c_int = 9;
pub const ZMQ_BLOCKY: c_int = 70;

// Socket types.
pub const ZMQ_PAIR: c_int = 0;
pub const ZMQ_REP: c_int = 4;
pub const ZMQ_DEALER: c_int = 5;
pub const ZMQ_ROUTER: c_int = 6;

// Socket options.
pub const ZMQ_ROUTING_ID: c_int = 5;
pub const ZMQ_FD: c_int = 14;
pub const ZMQ_LINGER: c_int = 17;
pub const ZMQ_BACKLOG: c_int = 19;
pub const ZMQ_MAXMSGSIZE: c_int = 22;
pub const ZMQ_SNDHWM: c_int = 23;
pub const ZMQ_RCVHWM: c_int = 24;
pub const ZMQ_RCVTIMEO: c_int = 27;
pub const ZMQ_SNDTIMEO: c_int = 28;
pub const ZMQ_LAST_ENDPOINT: c_int = 32;
pub const ZMQ_ROUTER_MANDATORY: c_int = 33;
pub const ZMQ_IPV6: c_int = 42;
pub const ZMQ_CURVE_SERVER: c_int = 47;
pub const ZMQ_CURVE_PUBLICKEY: c_int = 48;
pub const ZMQ_CURVE_SECRETKEY: c_int = 49;
pub const ZMQ_CURVE_SERVERKEY: c_int = 50;
pub const ZMQ_ZAP_DOMAIN: c_int = 55;
pub const ZMQ_ROUTER_HANDOVER: c_int = 56;
pub const ZMQ_HANDSHAKE_IVL: c_int = 66;
pub const ZMQ_HEARTBEAT_IVL: c_int = 75;
pub const ZMQ_HEARTBEAT_TTL: c_int = 76;
pub const ZMQ_HEARTBEAT_TIMEOUT: c_int = 77;
pub const ZMQ_ZAP_ENFORCE_DOMAIN: c_int = 93;
pub const ZMQ_ROUTER_NOTIFY: c_int = 97;
pub const ZMQ_NOTIFY_DISCONNECT: c_int = 2;

// Flags of send and receive.
pub const ZMQ_DONTWAIT: c_int = 1;
pub const ZMQ_SNDMORE: c_int = 2;

// Poll events.
pub const ZMQ_POLLIN: c_short = 1;

// Monitor events.
pub const ZMQ_EVENT_DISCONNECTED: c_int = 0x0200;
pub const ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: c_int = 0x0800;
pub const ZMQ_EVENT_HANDSHAKE_SUCCEEDED: c_int = 0x1000;
pub const ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: c_int = 0x2000;
pub const ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: c_int = 0x4000;

unsafe extern "C" {
    pub fn zmq_errno() -> c_int;
    pub fn zmq_strerror(errnum: c_int) -> *const c_char;
    pub fn zmq_version(major: *mut c_int, minor: *mut c_int, patch: *mut c_int);
    pub fn zmq_has(capability: *const c_char) -> c_int;

    pub fn zmq_ctx_new() -> *mut c_void;
    pub fn zmq_ctx_set(context: *mut c_void, option: c_int, value: c_int) -> c_int;
    pub fn zmq_ctx_term(context: *mut c_void) -> c_int;

    pub fn zmq_socket(context: *mut c_void, kind: c_int) -> *mut c_void;
    pub fn zmq_close(socket: *mut c_void) -> c_int;
    pub fn zmq_setsockopt(
        socket: *mut c_void,
        option: c_int,
        value: *const c_void,
        length: usize,
    ) -> c_int;
    pub fn zmq_getsockopt(
        socket: *mut c_void,
        option: c_int,
        value: *mut c_void,
        length: *mut usize,
    ) -> c_int;
    pub fn zmq_bind(socket: *mut c_void, endpoint: *const c_char) -> c_int;
    pub fn zmq_connect(socket: *mut c_void, endpoint: *const c_char) -> c_int;
    pub fn zmq_socket_monitor(socket: *mut c_void, endpoint: *const c_char, events: c_int)
    -> c_int;
    pub fn zmq_socket_get_peer_state(
        socket: *mut c_void,
        routing_id: *const c_void,
        length: usize,
    ) -> c_int;
    pub fn zmq_send(socket: *mut c_void, data: *const c_void, length: usize, flags: c_int)
    -> c_int;
    pub fn zmq_poll(items: *mut zmq_pollitem_t, count: c_int, timeout_ms: c_long) -> c_int;

    pub fn zmq_msg_init(message: *mut zmq_msg_t) -> c_int;
    pub fn zmq_msg_init_size(message: *mut zmq_msg_t, size: usize) -> c_int;
    pub fn zmq_msg_init_data(
        message: *mut zmq_msg_t,
        data: *mut c_void,
        size: usize,
        free: Option<zmq_free_fn>,
        hint: *mut c_void,
    ) -> c_int;
    pub fn zmq_msg_send(message: *mut zmq_msg_t, socket: *mut c_void, flags: c_int) -> c_int;
    pub fn zmq_msg_recv(message: *mut zmq_msg_t, socket: *mut c_void, flags: c_int) -> c_int;
    pub fn zmq_msg_close(message: *mut zmq_msg_t) -> c_int;
    pub fn zmq_msg_copy(destination: *mut zmq_msg_t, source: *mut zmq_msg_t) -> c_int;
    pub fn zmq_msg_data(message: *mut zmq_msg_t) -> *mut c_void;
    pub fn zmq_msg_size(message: *const zmq_msg_t) -> usize;
    pub fn zmq_msg_more(message: *const zmq_msg_t) -> c_int;
    pub fn zmq_msg_gets(message: *const zmq_msg_t, property: *const c_char) -> *const c_char;

    pub fn zmq_curve_keypair(public_z85: *mut c_char, secret_z85: *mut c_char) -> c_int;
    pub fn zmq_curve_public(public_z85: *mut c_char, secret_z85: *const c_char) -> c_int;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_libzmq_4_3_5_with_curve_drafts_and_ipc() {
        let (mut major, mut minor, mut patch) = (0, 0, 0);
        // SAFETY: three valid pointers, and C strings that live for the calls.
        let has = unsafe {
            zmq_version(&mut major, &mut minor, &mut patch);
            [c"curve", c"draft", c"ipc"].map(|name| zmq_has(name.as_ptr()))
        };
        assert_eq!((major, minor, patch), (4, 3, 5));
        assert_eq!(has, [1, 1, 1]);
    }
}
