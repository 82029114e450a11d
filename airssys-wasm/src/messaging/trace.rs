//! The W3C `traceparent` that travels with messages.
//!
//! The form and the rules are those of <https://www.w3.org/TR/trace-context/>, and the
//! second flag that of its Level 2.

/// The characters of a `traceparent` of version 00, the one that is written here.
const LENGTH: usize = 55;

/// The flags that are passed on: `sampled` and `random-trace-id`. The specification has
/// the rest set to zero.
const KNOWN_FLAGS: u8 = 0b11;

/// Whether a text is a `traceparent` that can be carried on.
///
/// A version above 00 may have more fields at its end, which are not looked at.
pub fn is_valid(text: &str) -> bool {
    Fields::parse(text).is_some()
}

/// The `traceparent` for what is done on behalf of `parent`: the same trace and flags,
/// and an id of its own made of `entropy`, which should be random. `None` if `parent` is
/// malformed; the trace then ends there, as the specification asks.
///
/// The result is of version 00 whatever the version of `parent`.
pub fn child(parent: &str, entropy: u64) -> Option<String> {
    let Fields { trace_id, flags } = Fields::parse(parent)?;
    let flags = flags & KNOWN_FLAGS;
    // An id of zero says that there is none.
    let id = entropy.max(1);
    Some(format!("00-{trace_id}-{id:016x}-{flags:02x}"))
}

/// What a child takes from its parent.
#[derive(Debug)]
struct Fields<'a> {
    trace_id: &'a str,
    flags: u8,
}

impl<'a> Fields<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let known = text.get(..LENGTH)?;
        let mut parts = known.split('-');
        let version = hex(parts.next()?, 2)?;
        let trace_id = hex(parts.next()?, 32)?;
        let parent_id = hex(parts.next()?, 16)?;
        let flags = hex(parts.next()?, 2)?;
        let complete = match version {
            "00" => text.len() == LENGTH,
            "ff" => false,
            _ => text.len() == LENGTH || text[LENGTH..].starts_with('-'),
        };
        if !complete || is_zero(trace_id) || is_zero(parent_id) {
            return None;
        }
        let flags = u8::from_str_radix(flags, 16).ok()?;
        Some(Self { trace_id, flags })
    }
}

fn hex(part: &str, digits: usize) -> Option<&str> {
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (part.len() == digits && part.bytes().all(is_digit)).then_some(part)
}

fn is_zero(digits: &str) -> bool {
    digits.bytes().all(|digit| digit == b'0')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const NOT_SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

    #[test]
    fn the_examples_of_the_specification_have_children() {
        assert!(is_valid(SAMPLED) && is_valid(NOT_SAMPLED));
        assert_eq!(
            child(
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                0x00f0_67aa_0ba9_02b7
            )
            .unwrap(),
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
        );
        assert_eq!(
            child(NOT_SAMPLED, u64::MAX).unwrap(),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-ffffffffffffffff-00"
        );
    }

    #[test]
    fn an_id_is_never_zero() {
        assert_eq!(
            child(SAMPLED, 0).unwrap(),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000001-01"
        );
    }

    #[test]
    fn malformed_ones_have_no_children() {
        for text in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-010",
            "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0.",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
            "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0é",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what",
        ] {
            assert!(!is_valid(text), "{text}");
            assert_eq!(child(text, 1), None, "{text}");
        }
    }

    #[test]
    fn of_later_versions_only_the_known_fields_are_read() {
        for later in [
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-be-like",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fd",
        ] {
            assert_eq!(
                child(later, 1).unwrap(),
                "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000001-01"
            );
        }
    }

    proptest! {
        #[test]
        fn a_child_of_a_child_stays_in_the_trace(
            parent in "00-[0-9a-f]{31}[1-9a-f]-[0-9a-f]{15}[1-9a-f]-0[0-3]",
            entropy: u64,
        ) {
            let born = child(&parent, entropy).unwrap();
            prop_assert!(is_valid(&born));
            prop_assert_eq!(born.len(), LENGTH);
            prop_assert_eq!(&born[..36], &parent[..36]);
            prop_assert_eq!(&born[52..], &parent[52..]);
            prop_assert!(child(&born, entropy).is_some());
        }

        #[test]
        fn no_text_makes_it_panic(text in "(00|cc)?-?[0-9a-f]{0,33}-?\\PC{0,60}") {
            prop_assert_eq!(is_valid(&text), child(&text, 1).is_some());
        }
    }
}
