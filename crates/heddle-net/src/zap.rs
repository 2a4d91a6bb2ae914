//! The ZAP handler (ZeroMQ RFC 27): libzmq asks it about each CURVE client's key.

use std::collections::HashMap;

use heddle_zmq_sys as sys;

use crate::curve::{ClientKey, PublicKey};
use crate::error::NetError;
use crate::part::Part;
use crate::socket::{Context, Outcome, Socket};

/// Parts of a CURVE request: version, request id, domain, address, routing id, mechanism, key.
const REQUEST_PARTS: usize = 7;
const REQUEST_ID: usize = 1;

/// Answers on `inproc://zeromq.zap.01` of one context.
#[derive(Debug)]
pub(crate) struct ZapHandler {
    socket: Socket,
    clients: Vec<ClientKey>,
    /// From a client's Z85 key to its place in `clients`.
    by_key: HashMap<String, usize>,
    pub refused: u64,
}

impl ZapHandler {
    /// Must exist before a CURVE socket binds: libzmq looks for the handler at each handshake.
    pub fn new(context: &Context, clients: Vec<ClientKey>) -> Result<Self, NetError> {
        let mut by_key = HashMap::with_capacity(clients.len());
        for (index, client) in clients.iter().enumerate() {
            if by_key
                .insert(client.key.as_str().to_owned(), index)
                .is_some()
            {
                return Err(NetError::KeyInvalid {
                    reason: "a client key is listed twice",
                });
            }
        }
        let socket = context.socket(sys::ZMQ_REP)?;
        socket.bind("inproc://zeromq.zap.01")?;
        Ok(Self {
            socket,
            clients,
            by_key,
            refused: 0,
        })
    }

    pub fn raw_socket(&self) -> *mut std::ffi::c_void {
        self.socket.raw()
    }

    /// The place in the allow-list of a message's `User-Id`.
    pub fn find(&self, user_id: &str) -> Option<usize> {
        self.by_key.get(user_id).copied()
    }

    pub fn client(&self, index: usize) -> Option<&ClientKey> {
        self.clients.get(index)
    }

    /// Answers every request that waits.
    pub fn answer_all(&mut self) -> Result<(), NetError> {
        let mut request: Vec<Part> = Vec::with_capacity(REQUEST_PARTS);
        loop {
            request.clear();
            loop {
                let mut part = Part::default();
                if self.socket.receive(&mut part)? != Outcome::Done {
                    return Ok(()); // Requests arrive whole, so this is between two of them.
                }
                let more = part.more();
                request.push(part);
                if !more {
                    break;
                }
            }
            self.answer(&mut request)?;
        }
    }

    fn answer(&mut self, request: &mut [Part]) -> Result<(), NetError> {
        let accepted = match request {
            [_, _, _, _, _, mechanism, key] if &**mechanism == b"CURVE" => {
                PublicKey::from_bytes(key).filter(|key| self.by_key.contains_key(key.as_str()))
            }
            _ => None,
        };
        if accepted.is_none() {
            self.refused += 1;
        }
        let (status, text): (&[u8], &[u8]) = match accepted {
            Some(_) => (b"200", b"OK"),
            None => (b"400", b"this key is not on the scheduler's list"),
        };
        let user_id = accepted.as_ref().map_or("", PublicKey::as_str);
        let id = request
            .get_mut(REQUEST_ID)
            .map(std::mem::take)
            .unwrap_or_default();
        let reply = [
            Part::copy_from(b"1.0"),
            id,
            Part::copy_from(status),
            Part::copy_from(text),
            Part::copy_from(user_id.as_bytes()),
            Part::default(),
        ];
        let last = reply.len() - 1;
        for (index, mut part) in reply.into_iter().enumerate() {
            // The asking session may be gone: a REP then discards the reply by itself.
            self.socket.send(&mut part, index < last)?;
        }
        Ok(())
    }
}
