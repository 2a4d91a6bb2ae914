//! CURVE keys and the list of clients that may connect.

use std::ffi::{CStr, CString, c_char};
use std::fmt;

use heddle_zmq_sys as sys;

use crate::error::NetError;

const KEY_BYTES: usize = 32;
/// Characters of a key in Z85: 5 for 4 bytes.
const KEY_CHARS: usize = 40;

/// Z85's 85 characters (ZeroMQ RFC 32).
const Z85: &[u8] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// A public CURVE key, as 40 characters of Z85.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PublicKey(CString);

/// A secret CURVE key, as 40 characters of Z85. Neither printed nor compared.
#[derive(Clone)]
pub struct SecretKey(CString);

fn parse(text: &str) -> Result<CString, NetError> {
    let reason = if text.len() != KEY_CHARS {
        "a key has 40 characters"
    } else if !text.bytes().all(|byte| Z85.contains(&byte)) {
        "a key is written in Z85"
    } else {
        return CString::new(text).map_err(|_| NetError::KeyInvalid {
            reason: "NUL in a key",
        });
    };
    Err(NetError::KeyInvalid { reason })
}

impl PublicKey {
    /// Reads a key from its Z85 text.
    pub fn parse(text: &str) -> Result<Self, NetError> {
        parse(text).map(Self)
    }

    /// Reads a key from the 32 bytes that ZAP carries; `None` for another length.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != KEY_BYTES {
            return None;
        }
        let mut text = Vec::with_capacity(KEY_CHARS);
        for word in bytes.chunks_exact(4) {
            let word = word
                .iter()
                .fold(0, |word, &byte| word << 8 | u32::from(byte));
            text.extend(
                (0..5)
                    .rev()
                    .map(|power| Z85[(word / 85u32.pow(power) % 85) as usize]),
            );
        }
        CString::new(text).ok().map(Self)
    }

    /// The key's Z85 text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default() // Z85 is ASCII.
    }
}

impl SecretKey {
    /// Reads a key from its Z85 text.
    pub fn parse(text: &str) -> Result<Self, NetError> {
        parse(text).map(Self)
    }

    /// A new random key.
    pub fn generate() -> Self {
        let (mut public, mut secret) = ([0 as c_char; KEY_CHARS + 1], [0 as c_char; KEY_CHARS + 1]);
        // SAFETY: both buffers hold 40 characters and a NUL, which the call writes.
        let text = unsafe {
            let rc = sys::zmq_curve_keypair(public.as_mut_ptr(), secret.as_mut_ptr());
            assert!(rc == 0, "libzmq is built with CURVE");
            CStr::from_ptr(secret.as_ptr())
        };
        Self(text.to_owned())
    }

    /// The public half of this key.
    pub fn public(&self) -> Result<PublicKey, NetError> {
        let mut public = [0 as c_char; KEY_CHARS + 1];
        // SAFETY: a 40-character C string in, a buffer for 40 characters and a NUL out.
        let text = unsafe {
            if sys::zmq_curve_public(public.as_mut_ptr(), self.0.as_ptr()) != 0 {
                return Err(NetError::KeyInvalid {
                    reason: "no public key belongs to it",
                });
            }
            CStr::from_ptr(public.as_ptr())
        };
        Ok(PublicKey(text.to_owned()))
    }

    /// The key's Z85 text, for whoever writes it to a file of mode 0600.
    pub fn expose(&self) -> &str {
        self.0.to_str().unwrap_or_default() // Z85 is ASCII.
    }

    pub(crate) fn as_c_str(&self) -> &CStr {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(hidden)")
    }
}

/// A client key that may connect, and what its owner may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKey {
    /// The client's public key.
    pub key: PublicKey,
    /// The caller's own role number; opaque here, returned by `Router::client`.
    pub role: u8,
}

/// CURVE for a router: its secret key, and exactly the clients that complete a handshake.
#[derive(Debug, Clone)]
pub struct Curve {
    /// The server's secret key; clients pin its public half.
    pub secret: SecretKey,
    /// The allow-list. Empty: nobody.
    pub clients: Vec<ClientKey>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_parse_and_derive() {
        let secret = SecretKey::generate();
        let public = secret.public().unwrap();
        assert_eq!(PublicKey::parse(public.as_str()).unwrap(), public);
        let again = SecretKey::parse(secret.expose()).unwrap();
        assert_eq!(again.public().unwrap(), public);
        assert!(!format!("{secret:?}").contains(secret.expose()));
    }

    #[test]
    fn encodes_z85_as_the_rfc_does() {
        // ZeroMQ RFC 32's test vector, four times over.
        let bytes = [0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B].repeat(4);
        assert_eq!(
            PublicKey::from_bytes(&bytes).unwrap().as_str(),
            "HelloWorld".repeat(4)
        );
        assert_eq!(PublicKey::from_bytes(&bytes[..31]), None);
    }

    #[test]
    fn refuses_what_is_no_key() {
        for text in [
            "",
            "short",
            &"~".repeat(40),
            &"a".repeat(41),
            &"\0".repeat(40),
        ] {
            assert_eq!(PublicKey::parse(text).unwrap_err().code(), "ERR_ARGUMENT");
        }
    }
}
