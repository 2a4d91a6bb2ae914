//! One part of a message: an owned, reference-counted run of bytes.

use std::ffi::c_void;
use std::fmt;
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::sync::Arc;

use heddle_zmq_sys as sys;

/// One part of a message, received or to be sent. Reads as `&[u8]`.
///
/// Received parts are not copied: keeping one keeps libzmq's receive buffer (8 KiB, shared by the
/// small messages that arrived together) or the message's own, so copy out what is small and
/// lives long. The bytes have **no alignment** beyond 1.
///
/// `Part::default()` is empty, so `std::mem::take` moves a part out of a received slice.
pub struct Part {
    raw: sys::zmq_msg_t,
}

// SAFETY: libzmq messages may pass between threads: shared buffers carry an atomic reference
// count, and the free functions given here accept any thread.
unsafe impl Send for Part {}
// SAFETY: `&Part` only reads (`zmq_msg_data`, `zmq_msg_size`, `zmq_msg_more`, `zmq_msg_gets`).
unsafe impl Sync for Part {}

impl Part {
    /// A part holding a copy of `bytes`; up to 33 bytes cost no allocation.
    pub fn copy_from(bytes: &[u8]) -> Self {
        let mut raw = MaybeUninit::uninit();
        // SAFETY: `raw` is valid for writes; success initialises it.
        let rc = unsafe { sys::zmq_msg_init_size(raw.as_mut_ptr(), bytes.len()) };
        assert!(
            rc == 0,
            "out of memory for a message of {} bytes",
            bytes.len()
        );
        // SAFETY: initialised above.
        let raw = unsafe { raw.assume_init() };
        let mut part = Self { raw };
        // SAFETY: the message has exactly `bytes.len()` writable bytes that nobody else sees yet.
        unsafe {
            let data = sys::zmq_msg_data(&mut part.raw).cast::<u8>();
            data.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        }
        part
    }

    /// A part that owns `bytes` without copying; libzmq frees them after they were written.
    /// Below some 512 bytes [`Part::copy_from`] is cheaper.
    pub fn from_vec(bytes: Vec<u8>) -> Self {
        unsafe extern "C" fn free(data: *mut c_void, capacity: *mut c_void) {
            // SAFETY: the pointer and capacity of the vector forgotten below, freed once.
            drop(unsafe { Vec::from_raw_parts(data.cast::<u8>(), 0, capacity as usize) });
        }
        let mut bytes = std::mem::ManuallyDrop::new(bytes);
        let (data, length, capacity) = (bytes.as_mut_ptr(), bytes.len(), bytes.capacity());
        // SAFETY: `free` releases exactly this allocation.
        unsafe { Self::from_raw(data.cast(), length, free, capacity as *mut c_void) }
    }

    /// A part that shares `bytes` without copying, for payloads sent to several peers.
    pub fn from_arc<T: AsRef<[u8]> + Send + Sync + 'static>(bytes: Arc<T>) -> Self {
        unsafe extern "C" fn free<T>(_data: *mut c_void, arc: *mut c_void) {
            // SAFETY: the pointer came from `Arc::into_raw` below and is released once.
            drop(unsafe { Arc::from_raw(arc.cast::<T>()) });
        }
        let slice = (*bytes).as_ref();
        let (data, length) = (slice.as_ptr(), slice.len());
        // SAFETY: the Arc keeps the slice alive, and shared data is never written to by libzmq,
        // so the cast from const is sound; `free` gives back exactly this reference.
        unsafe {
            Self::from_raw(
                data.cast_mut().cast(),
                length,
                free::<T>,
                Arc::into_raw(bytes) as *mut _,
            )
        }
    }

    /// # Safety
    /// `data` is valid for `length` bytes until `free(data, hint)`, which may run on any thread.
    unsafe fn from_raw(
        data: *mut c_void,
        length: usize,
        free: sys::zmq_free_fn,
        hint: *mut c_void,
    ) -> Self {
        let mut raw = MaybeUninit::uninit();
        // SAFETY: the caller's promise; success initialises `raw`.
        let rc =
            unsafe { sys::zmq_msg_init_data(raw.as_mut_ptr(), data, length, Some(free), hint) };
        assert!(rc == 0, "out of memory for a message header");
        // SAFETY: initialised above.
        let raw = unsafe { raw.assume_init() };
        Self { raw }
    }

    /// Another part with the same bytes: small ones are copied, others shared by count.
    pub fn share(&mut self) -> Self {
        let mut other = Self::default();
        // SAFETY: both messages are initialised and exclusively borrowed.
        let rc = unsafe { sys::zmq_msg_copy(&mut other.raw, &mut self.raw) };
        assert!(rc == 0, "zmq_msg_copy of a valid message");
        other
    }

    pub(crate) fn raw_mut(&mut self) -> &mut sys::zmq_msg_t {
        &mut self.raw
    }

    /// Whether another part of the same received message follows.
    pub(crate) fn more(&self) -> bool {
        // SAFETY: an initialised message.
        unsafe { sys::zmq_msg_more(&self.raw) != 0 }
    }

    /// The key that the ZAP handler accepted for this message's connection, as Z85.
    pub(crate) fn user_id(&self) -> Option<&str> {
        // SAFETY: an initialised message and a C string; the result, if any, is a C string owned
        // by the message's metadata, which lives as long as `self`.
        unsafe {
            let text = sys::zmq_msg_gets(&self.raw, c"User-Id".as_ptr());
            if text.is_null() {
                None
            } else {
                std::ffi::CStr::from_ptr(text).to_str().ok()
            }
        }
    }
}

impl Default for Part {
    fn default() -> Self {
        let mut raw = MaybeUninit::uninit();
        // SAFETY: `raw` is valid for writes; zmq_msg_init cannot fail.
        unsafe {
            sys::zmq_msg_init(raw.as_mut_ptr());
            Self {
                raw: raw.assume_init(),
            }
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // SAFETY: an initialised message, closed once.
        unsafe { sys::zmq_msg_close(&mut self.raw) };
    }
}

impl Deref for Part {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let raw = (&raw const self.raw).cast_mut();
        // SAFETY: an initialised message; zmq_msg_data only reads despite its signature, and its
        // bytes live and stay as they are until the message is moved, sent or closed.
        unsafe {
            let data = sys::zmq_msg_data(raw).cast::<u8>();
            let length = sys::zmq_msg_size(raw);
            // An empty zero-copy vector has a dangling but non-null pointer; libzmq may give null.
            if length == 0 {
                &[]
            } else {
                std::slice::from_raw_parts(data, length)
            }
        }
    }
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<Vec<u8>> for Part {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from_vec(bytes)
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Part({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_bytes_however_made() {
        for size in [0, 1, 33, 34, 8192, 1 << 20] {
            let bytes: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
            assert_eq!(&*Part::copy_from(&bytes), &bytes[..]);
            assert_eq!(&*Part::from_vec(bytes.clone()), &bytes[..]);
            let mut part = Part::from_arc(Arc::new(bytes.clone()));
            let shared = part.share();
            drop(part);
            assert_eq!(&*shared, &bytes[..]);
        }
    }

    #[test]
    fn gives_back_the_arc_once() {
        let bytes = Arc::new(vec![7u8; 100]);
        let mut part = Part::from_arc(Arc::clone(&bytes));
        assert_eq!(Arc::strong_count(&bytes), 2);
        let other = part.share();
        assert_eq!(Arc::strong_count(&bytes), 2);
        drop(std::mem::take(&mut part));
        drop(other);
        assert_eq!(Arc::strong_count(&bytes), 1);
    }
}
