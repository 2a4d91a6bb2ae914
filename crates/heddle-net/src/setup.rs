//! The options of a ROUTER before it listens, and listening.

use std::ffi::c_int;

use heddle_zmq_sys as sys;

use crate::config::Limits;
use crate::curve::Curve;
use crate::endpoint::Endpoint;
use crate::error::NetError;
use crate::socket::{Context, Socket};
use crate::zap::ZapHandler;

/// ZMTP heartbeats: a ping each second, a connection silent for three is cut, both ways.
const HEARTBEAT_MS: c_int = 1000;
const HEARTBEAT_TIMEOUT_MS: c_int = 3000;
/// Half-open connections are cut after this long.
const HANDSHAKE_MS: c_int = 3000;
const BACKLOG: c_int = 1024;

/// The options that hold for every connection; see the crate's README for why.
pub(crate) fn set_options(socket: &Socket, limits: &Limits) -> Result<(), NetError> {
    let queued = c_int::try_from(limits.frames_queued_max)
        .unwrap_or(c_int::MAX)
        .max(1);
    for (option, value) in [
        (sys::ZMQ_ROUTER_MANDATORY, 1),
        (sys::ZMQ_ROUTER_HANDOVER, 0),
        (sys::ZMQ_ROUTER_NOTIFY, sys::ZMQ_NOTIFY_DISCONNECT),
        (sys::ZMQ_SNDTIMEO, 0),
        (sys::ZMQ_LINGER, 0),
        (sys::ZMQ_SNDHWM, queued),
        (sys::ZMQ_RCVHWM, queued),
        (sys::ZMQ_BACKLOG, BACKLOG),
        (sys::ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS),
        (sys::ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS),
        (sys::ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS),
        (sys::ZMQ_HEARTBEAT_TTL, HEARTBEAT_TIMEOUT_MS),
    ] {
        socket.set_int(option, value)?;
    }
    socket.set_i64(
        sys::ZMQ_MAXMSGSIZE,
        i64::try_from(limits.part_bytes_max).unwrap_or(i64::MAX),
    )
}

/// The ZAP handler comes first, then CURVE: a handshake that finds no handler is refused.
pub(crate) fn set_curve(
    context: &Context,
    socket: &Socket,
    curve: Curve,
) -> Result<ZapHandler, NetError> {
    curve.secret.public()?; // Checks the key.
    let zap = ZapHandler::new(context, curve.clients)?;
    socket.set_int(sys::ZMQ_CURVE_SERVER, 1)?;
    socket.set_str(sys::ZMQ_CURVE_SECRETKEY, curve.secret.as_c_str())?;
    socket.set_str(sys::ZMQ_ZAP_DOMAIN, c"heddle")?;
    socket.set_int(sys::ZMQ_ZAP_ENFORCE_DOMAIN, 1)?;
    Ok(zap)
}

/// Binds one endpoint and gives its resolved address.
pub(crate) fn bind(socket: &Socket, endpoint: &Endpoint) -> Result<String, NetError> {
    endpoint.check_free()?;
    // Only for literal IPv6 addresses: with it libzmq would bind IPv4 ones as mapped addresses.
    socket.set_int(sys::ZMQ_IPV6, c_int::from(endpoint.is_ipv6()))?;
    match socket.bind(&endpoint.to_string()) {
        Ok(()) => socket.last_endpoint(),
        Err(NetError::System {
            errno: libc::EADDRINUSE,
            ..
        }) => Err(NetError::AddressInUse {
            endpoint: endpoint.to_string(),
        }),
        Err(NetError::System {
            errno: libc::EACCES | libc::EPERM | libc::ENOENT | libc::ENOTDIR | libc::EADDRNOTAVAIL,
            text,
            ..
        }) => Err(NetError::AddressInvalid {
            endpoint: endpoint.to_string(),
            reason: text,
        }),
        Err(error) => Err(error),
    }
}
