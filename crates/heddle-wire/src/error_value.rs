//! The one value the scheduler writes itself: an error, as a msgpack map `{name, message, code}`. Everything else
//! is opaque to it.

use heddle_core::limits::ERROR_TEXT_CHARS_MAX;

/// Appends the Error-codec bytes of an error made by the scheduler. The message is cut at the text limit.
pub fn write_error(out: &mut Vec<u8>, code: &str, message: &str) {
    const NAME: &str = "HeddleError";
    out.push(0x83); // a map of three
    for (key, value) in [("name", NAME), ("message", cut(message)), ("code", code)] {
        write_str(out, key);
        write_str(out, value);
    }
}

fn cut(text: &str) -> &str {
    text.char_indices()
        .nth(ERROR_TEXT_CHARS_MAX)
        .map_or(text, |(end, _)| &text[..end])
}

/// Texts here are at most four bytes for each of ERROR_TEXT_CHARS_MAX characters: a u16 length holds them.
fn write_str(out: &mut Vec<u8>, text: &str) {
    match text.len() {
        short @ 0..32 => out.push(0xa0 | short as u8),
        long => {
            out.push(0xda);
            out.extend_from_slice(&(long as u16).to_be_bytes());
        }
    }
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::write_error;

    #[test]
    fn short_texts_take_one_length_byte() {
        let mut out = Vec::new();
        write_error(&mut out, "ERR_CANCELLED", "it was");
        assert_eq!(
            out,
            b"\x83\xa4name\xabHeddleError\xa7message\xa6it was\xa4code\xadERR_CANCELLED"
        );
    }

    #[test]
    fn long_messages_are_cut_at_a_character() {
        let mut out = Vec::new();
        write_error(&mut out, "ERR_INTERNAL", &"é".repeat(20_000));
        let start = out.windows(4).position(|w| w == b"\xda\x4e\x20\xc3");
        assert!(start.is_some(), "10,000 characters of two bytes");
    }
}
