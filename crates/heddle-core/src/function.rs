//! Functions, deduplicated by content hash over all clients.

use std::collections::BTreeMap;

use crate::id::FunctionSerial;

/// A function.
#[derive(Debug)]
pub struct Function {
    /// SHA-256 of the body.
    pub hash: [u8; 32],
    /// For people.
    pub name: Box<str>,
    /// Opaque.
    pub body: Box<[u8]>,
    /// Clients that defined it and are still here.
    clients: u32,
}

/// All functions some client that is here defined. Serials are never used twice.
#[derive(Debug, Default)]
pub struct Functions {
    by_serial: BTreeMap<FunctionSerial, Function>,
    by_hash: BTreeMap<[u8; 32], FunctionSerial>,
    next: u32,
}

impl Functions {
    /// One more client defines it.
    pub fn define(&mut self, hash: &[u8; 32], name: &str, body: &[u8]) -> FunctionSerial {
        if let Some(&serial) = self.by_hash.get(hash) {
            if let Some(function) = self.by_serial.get_mut(&serial) {
                function.clients += 1;
            }
            return serial;
        }
        let serial = FunctionSerial(self.next);
        self.next += 1;
        self.by_hash.insert(*hash, serial);
        self.by_serial.insert(
            serial,
            Function {
                hash: *hash,
                name: name.into(),
                body: body.into(),
                clients: 1,
            },
        );
        serial
    }

    /// A client that defined it is gone. True when it was the last: the function is gone, too.
    pub fn release(&mut self, serial: FunctionSerial) -> bool {
        let Some(function) = self.by_serial.get_mut(&serial) else {
            return false;
        };
        function.clients -= 1;
        if function.clients > 0 {
            return false;
        }
        let hash = function.hash;
        self.by_hash.remove(&hash);
        self.by_serial.remove(&serial);
        true
    }

    /// The function behind a serial.
    pub fn get(&self, serial: FunctionSerial) -> Option<&Function> {
        self.by_serial.get(&serial)
    }
}
