//! Values that do not fit a row's cell, and errors. Handles are slots of slabs; the rows own them.

use crate::id::TaskRef;

/// Inline values of more than 8 bytes.
#[derive(Debug, Default)]
pub struct Blobs {
    slots: Vec<Box<[u8]>>,
    free: Vec<u32>,
    bytes: u64,
}

impl Blobs {
    /// Bytes held.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Keeps a copy of `bytes`; returns its handle.
    pub fn insert(&mut self, bytes: &[u8]) -> u32 {
        self.bytes += bytes.len() as u64;
        match self.free.pop() {
            Some(at) => {
                self.slots[at as usize] = bytes.into();
                at
            }
            None => {
                self.slots.push(bytes.into());
                self.slots.len() as u32 - 1
            }
        }
    }

    /// The bytes behind a handle.
    #[inline]
    pub fn get(&self, at: u32) -> &[u8] {
        &self.slots[at as usize]
    }

    /// Drops the bytes behind a handle.
    pub fn remove(&mut self, at: u32) {
        let old = std::mem::take(&mut self.slots[at as usize]);
        self.bytes -= old.len() as u64;
        self.free.push(at);
        if self.free.len() == self.slots.len() {
            self.slots = Vec::new();
            self.free = Vec::new();
        }
    }
}

/// Why rows failed: one record for a failure and all it dragged along.
#[derive(Debug)]
pub struct Failure {
    /// The row that failed first.
    pub blame: TaskRef,
    /// Codec of `bytes`.
    pub codec: u8,
    /// The error value.
    pub bytes: Box<[u8]>,
    /// It was cancelled, not failed.
    pub cancelled: bool,
    rows: u32,
}

/// All failures some row still carries.
#[derive(Debug, Default)]
pub struct Failures {
    slots: Vec<Option<Failure>>,
    free: Vec<u32>,
}

impl Failures {
    /// A failure no row carries yet; `release` it if none comes to.
    pub fn insert(&mut self, blame: TaskRef, codec: u8, bytes: Box<[u8]>, cancelled: bool) -> u32 {
        let failure = Failure {
            blame,
            codec,
            bytes,
            cancelled,
            rows: 1,
        };
        match self.free.pop() {
            Some(at) => {
                self.slots[at as usize] = Some(failure);
                at
            }
            None => {
                self.slots.push(Some(failure));
                self.slots.len() as u32 - 1
            }
        }
    }

    /// The failure behind a handle.
    pub fn get(&self, at: u32) -> Option<&Failure> {
        self.slots.get(at as usize)?.as_ref()
    }

    /// One more row carries it.
    pub fn retain(&mut self, at: u32) {
        if let Some(Some(failure)) = self.slots.get_mut(at as usize) {
            failure.rows += 1;
        }
    }

    /// One row (or its maker) no longer does.
    pub fn release(&mut self, at: u32) {
        if let Some(slot) = self.slots.get_mut(at as usize)
            && let Some(failure) = slot
        {
            failure.rows -= 1;
            if failure.rows == 0 {
                *slot = None;
                self.free.push(at);
            }
        }
    }
}
