//! Errors the engine itself declares, in the form workers' errors have (codec Error): a msgpack map of name,
//! message and code. The engine reads no payload and writes none but this.

use crate::limits::ERROR_TEXT_CHARS_MAX;

/// `Codec.Error`.
pub const CODEC_ERROR: u8 = 6;

/// The error value.
pub fn encode(name: &str, message: &str, code: &str) -> Box<[u8]> {
    let mut out = vec![0x83];
    for (key, value) in [("name", name), ("message", message), ("code", code)] {
        string(&mut out, key);
        string(&mut out, value);
    }
    out.into_boxed_slice()
}

fn string(out: &mut Vec<u8>, text: &str) {
    let end = text
        .char_indices()
        .nth(ERROR_TEXT_CHARS_MAX)
        .map_or(text.len(), |(at, _)| at);
    let bytes = &text.as_bytes()[..end];
    match bytes.len() {
        n @ 0..32 => out.push(0xa0 | n as u8),
        n @ 32..0x1_0000 => {
            out.push(0xda);
            out.extend((n as u16).to_be_bytes());
        }
        n => {
            out.push(0xdb);
            out.extend((n as u32).to_be_bytes());
        }
    }
    out.extend(bytes);
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_a_small_msgpack_map() {
        let blob = super::encode("E", "m", "C");
        assert_eq!(&*blob, b"\x83\xa4name\xa1E\xa7message\xa1m\xa4code\xa1C");
        let long = super::encode("E", &"x".repeat(40), "C");
        assert_eq!(&long[16..19], [0xda, 0, 40]);
    }
}
