//! Which libzmq is inside.

use std::ffi::c_int;

use heddle_zmq_sys as sys;

/// Version of the libzmq compiled in, such as `4.3.5`.
pub fn libzmq_version() -> String {
    let (mut major, mut minor, mut patch): (c_int, c_int, c_int) = (0, 0, 0);
    // SAFETY: three valid places to write to.
    unsafe { sys::zmq_version(&mut major, &mut minor, &mut patch) };
    format!("{major}.{minor}.{patch}")
}
