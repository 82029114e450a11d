//! What a component says it needs, in a section of its binary.

// Layer 2: Third-party crate imports
use serde_json::Deserializer;

// Layer 3: Internal module imports
use crate::core::runtime::errors::NeedsFault;
use crate::core::security::capabilities::{Capabilities, MAX_PATTERNS};
use crate::security::grants::Grants;

/// The custom section in which a component, or a core module in it, says what it needs:
/// [`Capabilities`] as JSON. The macro `needs!` of `airssys-guest` writes it.
pub const SECTION: &str = "airssys:needs";

/// The most bytes of the section.
pub const MAX_SECTION_BYTES: usize = 64 << 10;

/// The most patterns in the section, of all capabilities together: the binary comes from
/// somebody who is not trusted, and each pattern takes time to compile.
const MAX_DECLARED: usize = MAX_PATTERNS;

/// Reads the section.
///
/// # Errors
///
/// When it is longer than [`MAX_SECTION_BYTES`], no JSON of [`Capabilities`], or has what is
/// no pattern.
pub fn parse(section: &[u8]) -> Result<Capabilities, NeedsFault> {
    if section.len() > MAX_SECTION_BYTES {
        return Err(NeedsFault::TooLarge {
            allowed_bytes: MAX_SECTION_BYTES as u64,
            bytes: section.len() as u64,
        });
    }
    let text = str::from_utf8(section).map_err(|_| NeedsFault::NotText)?;
    let needs = from_json(text)?;
    let patterns = needs.iter().count();
    if patterns > MAX_DECLARED {
        return Err(NeedsFault::TooMany {
            allowed: MAX_DECLARED,
            patterns,
        });
    }
    match Grants::compile(&needs) {
        Ok(_) => Ok(needs),
        Err(invalid) => Err(NeedsFault::Pattern(invalid.to_string())),
    }
}

fn from_json(text: &str) -> Result<Capabilities, NeedsFault> {
    // A list would be taken for the object's values in their order.
    if !text.trim_start().starts_with('{') {
        return Err(NeedsFault::NotJson("it is no object".into()));
    }
    let malformed = |error: serde_json::Error| NeedsFault::NotJson(error.to_string());
    let mut objects = Deserializer::from_str(text).into_iter();
    let first = objects
        .next()
        .unwrap_or_else(|| Ok(Capabilities::default()));
    let needs = first.map_err(malformed)?;
    match objects.next() {
        None => Ok(needs),
        // The linker joins sections of one name.
        Some(Ok(_)) => Err(NeedsFault::Twice),
        Some(Err(error)) => Err(malformed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sends(patterns: &[&str]) -> Capabilities {
        Capabilities {
            send: patterns.iter().map(|&pattern| pattern.into()).collect(),
            ..Capabilities::default()
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let read = parse(br#"{"send":["shop/stock","self"]}"#);
        assert_eq!(read, Ok(sends(&["shop/stock", "self"])));
        assert_eq!(parse(b" {} \n"), Ok(Capabilities::default()));
    }

    #[test]
    fn what_nobody_means_is_refused_with_the_reason() {
        let too_large = format!("{{}}{}", " ".repeat(MAX_SECTION_BYTES - 1));
        let many = vec!["\"a\""; MAX_DECLARED / 2 + 1].join(",");
        let too_many = format!("{{\"config\":[{many}],\"secrets\":[{many}]}}");
        for (section, why) in [
            (&b""[..], "no object"),
            (b"[[\"a/b\"]]", "no object"),
            (b"null", "no object"),
            (b"{\"send\":[\"a/b\"]", "EOF"),
            (b"{\"fly\":[\"a/b\"]}", "unknown field `fly`"),
            (b"{\"send\":[\"a/b\"],\"send\":[]}", "duplicate field"),
            (b"{\"send\":\"a/b\"}", "expected a sequence"),
            (b"{\"send\":[\"a\"]}", "write a/*"),
            (b"{\"send\":[\"a/../b\"]}", "no pattern of actors"),
            (b"{}garbage", "expected"),
            (b"{}{\"send\":[\"a/b\"]}", "there twice"),
            (b"{\"config\":[\"\xff\"]}", "UTF-8"),
            (too_large.as_bytes(), "65537 bytes"),
            (too_many.as_bytes(), "1026 patterns"),
        ] {
            let fault = parse(section).unwrap_err().to_string();
            assert!(fault.contains(why), "{fault} says {why}");
        }
        let deep = format!("{{\"send\":{}", "[".repeat(60_000));
        assert!(parse(deep.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(section in any::<Vec<u8>>(), text in "[{}\\[\\]\":,a-z/*]{0,40}") {
            let _ = parse(&section);
            if let Ok(needs) = parse(text.as_bytes()) {
                let written = serde_json::to_vec(&needs).unwrap();
                prop_assert_eq!(parse(&written), Ok(needs));
            }
        }
    }
}
