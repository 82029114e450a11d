//! Text and bytes that come from a guest, made fit to be shown.

// Layer 1: Standard library imports
use std::fmt::Write;

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::MessagePayload;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

// Layer 3: Internal module imports
use crate::quantity::bytes;

/// Characters of a payload that are shown.
const MAX_PREVIEW: usize = 60;

/// Escapes what could steer a terminal or reorder its text.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_direction(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The characters by which Unicode switches the direction of text.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Bytes of a guest: a reply, a payload or a value.
///
/// As JSON they are `{"text": …}` if they are UTF-8, and `{"base64": …}` if not.
#[derive(Debug, Clone)]
pub(crate) struct Data(pub(crate) MessagePayload);

impl Data {
    /// The bytes in a few words: their beginning, and how many there are if that is
    /// not all of them.
    pub(crate) fn preview(&self) -> String {
        let size = bytes(self.0.len() as u64);
        let Ok(text) = str::from_utf8(self.0.as_bytes()) else {
            return format!("{size}, not text");
        };
        let (start, is_whole) = match text.char_indices().nth(MAX_PREVIEW) {
            Some((end, _)) => (&text[..end], false),
            None => (text, true),
        };
        let mut preview = format!("\"{}", visible(start));
        // Writing to a text cannot fail.
        let _ = match is_whole {
            true => write!(preview, "\""),
            false => write!(preview, "…\" ({size})"),
        };
        preview
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match str::from_utf8(self.0.as_bytes()) {
            Ok(text) => map.serialize_entry("text", text)?,
            Err(_) => map.serialize_entry("base64", &STANDARD.encode(self.0.as_bytes()))?,
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(bytes: &[u8]) -> Data {
        Data(MessagePayload::from(bytes.to_vec()))
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(visible("grün ✓"), "grün ✓");
        assert_eq!(visible("a\x1b[2J\u{202e}b\n"), "a\\u{1b}[2J\\u{202e}b\\n");
    }

    #[test]
    fn previews_are_short() {
        assert_eq!(data(b"hello").preview(), "\"hello\"");
        assert_eq!(data(b"").preview(), "\"\"");
        assert_eq!(data(b"\xff\xfe").preview(), "2 bytes, not text");
        let long = "ü".repeat(MAX_PREVIEW + 1);
        let expected = format!("\"{}…\" (122 bytes)", "ü".repeat(MAX_PREVIEW));
        assert_eq!(data(long.as_bytes()).preview(), expected);
        let exact = "ü".repeat(MAX_PREVIEW);
        assert_eq!(data(exact.as_bytes()).preview(), format!("\"{exact}\""));
    }

    #[test]
    fn json_has_text_or_base64() {
        let json = |bytes| serde_json::to_string(&data(bytes)).unwrap();
        assert_eq!(json(b"a\n"), r#"{"text":"a\n"}"#);
        assert_eq!(json(b"\xff"), r#"{"base64":"/w=="}"#);
    }
}
