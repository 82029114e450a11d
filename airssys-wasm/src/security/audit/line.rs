//! One line of a file: an entry, its number, and the hashes that chain it.

// Layer 1: Standard library imports
use std::io::Write;

// Layer 2: Third-party crate imports
use serde_json::from_slice;

// Layer 3: Internal module imports
use crate::core::component::digest::Digest;
use crate::core::security::audit::AuditEntry;
use crate::security::audit::mark::{HASH_DIGITS, Mark, parse_hash, parse_seq};

/// The longest text of an entry, in bytes as they stand in its line, where some are escaped by
/// six. What is longer is cut.
pub(crate) const MAX_TEXT_BYTES: usize = 1_024;

/// The longest line, in bytes: four texts, and room for the rest.
///
/// That of a denial is hardly longer than 2 KiB: of its texts a guest chooses the resource
/// alone, the names of its actor and component have 643 bytes at the most, and the rest takes
/// 400. Only why a policy denies it may be longer, which names the operator's own rules.
pub(crate) const MAX_LINE_BYTES: usize = 4 * MAX_TEXT_BYTES + 1_024;

/// What stands where a text was cut.
const CUT: &str = "…";

const SEQ: &[u8] = b"{\"seq\":";
const PREV: &[u8] = b",\"prev\":\"";
const ENTRY: &[u8] = b"\",\"entry\":";
const HASH: &[u8] = b",\"hash\":\"";
const END: &[u8] = b"\"}";

/// A line as it was read, without its end. Its hash is that of all bytes before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) seq: u64,
    /// The hash of the line before.
    pub(crate) prev: Digest,
    pub(crate) hash: Digest,
    /// What `hash` has to be the hash of.
    hashed: &'a [u8],
    entry: &'a [u8],
}

impl<'a> Line<'a> {
    /// Reads a line that is spelled in the only way that we write it.
    pub(crate) fn parse(line: &'a [u8]) -> Option<Self> {
        let tail_bytes = HASH.len() + HASH_DIGITS + END.len();
        let (hashed, tail) = line.split_at_checked(line.len().checked_sub(tail_bytes)?)?;
        let hash = parse_hash(tail.strip_prefix(HASH)?.strip_suffix(END)?)?;
        let rest = hashed.strip_prefix(SEQ)?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (seq, rest) = rest.split_at(digits);
        let (prev, rest) = rest.strip_prefix(PREV)?.split_at_checked(HASH_DIGITS)?;
        Some(Self {
            seq: parse_seq(seq)?,
            prev: parse_hash(prev)?,
            hash,
            hashed,
            entry: rest.strip_prefix(ENTRY)?,
        })
    }

    /// Whether its hash is that of its bytes.
    pub(crate) fn is_sound(&self) -> bool {
        Digest::of(self.hashed) == self.hash
    }

    /// Its number and its hash.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            seq: self.seq,
            hash: self.hash,
        }
    }

    /// What it tells. `None` if that makes no sense, as of another release.
    pub(crate) fn entry(&self) -> Option<AuditEntry> {
        from_slice(self.entry).ok()
    }
}

/// Adds the line of an entry, with its end, behind `last`, and returns its mark.
pub(crate) fn write(text: &mut Vec<u8>, last: Mark, entry: &AuditEntry) -> Mark {
    let seq = last.seq.saturating_add(1);
    let begin = text.len();
    text.extend_from_slice(SEQ);
    // Writing numbers and texts to memory cannot fail.
    let _ = write!(text, "{seq}");
    text.extend_from_slice(PREV);
    text.extend_from_slice(last.hash.to_hex().as_bytes());
    text.extend_from_slice(ENTRY);
    let _ = serde_json::to_writer(&mut *text, entry);
    let hash = Digest::of(&text[begin..]);
    text.extend_from_slice(HASH);
    text.extend_from_slice(hash.to_hex().as_bytes());
    text.extend_from_slice(END);
    text.push(b'\n');
    Mark { seq, hash }
}

/// Cuts the texts of an entry to the longest that they may be, and marks where.
pub(crate) fn cut(entry: &mut AuditEntry) {
    cut_text(&mut entry.component);
    cut_text(&mut entry.resource);
    cut_text(&mut entry.why);
    if let Some(actor) = &mut entry.actor {
        cut_text(actor);
    }
}

fn cut_text(text: &mut String) {
    // Up to where there is room for the mark too.
    let mut fits = 0;
    let mut bytes = 0;
    for (at, char) in text.char_indices() {
        if bytes <= MAX_TEXT_BYTES - CUT.len() {
            fits = at;
        }
        bytes += bytes_in_line(char);
        if bytes > MAX_TEXT_BYTES {
            text.truncate(fits);
            text.push_str(CUT);
            text.shrink_to_fit();
            return;
        }
    }
}

/// How many bytes a character takes up in JSON.
fn bytes_in_line(char: char) -> usize {
    match char {
        '"' | '\\' | '\u{8}' | '\t' | '\n' | '\u{c}' | '\r' => 2,
        '\0'..='\u{1f}' => 6,
        _ => char.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::component::id::MAX_PART_LENGTH;
    use crate::core::security::audit::{Action, Decision, Operation};
    use crate::core::security::capability::Capability;
    use crate::security::denial::Refused;
    use proptest::prelude::*;

    fn entry(why: String) -> AuditEntry {
        AuditEntry {
            component: why.clone(),
            actor: Some(why.clone()),
            resource: why.clone(),
            why,
            ..AuditEntry::new(
                u64::MAX,
                Action::Operate(Operation::StopActor),
                Decision::Denied,
            )
        }
    }

    #[test]
    fn the_longest_line_is_not_too_long() {
        for text in ["\u{1}", "ü", "\"", "x"] {
            let mut entry = entry(text.repeat(4 * MAX_TEXT_BYTES));
            entry.count = u64::MAX;
            cut(&mut entry);
            assert!(entry.why.ends_with(CUT));
            let spelled = serde_json::to_string(&entry.why).unwrap().len() - 2;
            assert!(
                (MAX_TEXT_BYTES - 6..=MAX_TEXT_BYTES).contains(&spelled),
                "{spelled}"
            );
            let last = Mark {
                seq: u64::MAX - 1,
                ..Mark::BEGINNING
            };
            let mut text = Vec::new();
            let mark = write(&mut text, last, &entry);
            assert!(text.len() <= MAX_LINE_BYTES, "{}", text.len());
            let line = Line::parse(&text[..text.len() - 1]).unwrap();
            assert!(line.is_sound());
            assert_eq!((line.mark(), line.prev), (mark, last.hash));
            assert_eq!(line.entry(), Some(entry));
        }
    }

    proptest! {
        #[test]
        fn only_what_is_too_long_in_its_line_is_cut(
            short in any::<String>(),
            char in any::<char>(),
            times in 0..1_100_usize,
        ) {
            let whole = short + &char.to_string().repeat(times);
            let mut cut = whole.clone();
            cut_text(&mut cut);
            let spelled = |text: &str| serde_json::to_string(text).unwrap().len() - 2;
            prop_assert!(spelled(&cut) <= MAX_TEXT_BYTES);
            if spelled(&whole) <= MAX_TEXT_BYTES {
                prop_assert_eq!(cut, whole);
            } else {
                let kept = cut.strip_suffix(CUT).unwrap();
                prop_assert!(whole.starts_with(kept) && spelled(kept) >= MAX_TEXT_BYTES - 9);
            }
        }
    }

    /// The longest names, the longest resource, and the longest why but for those of a policy.
    #[test]
    fn the_line_of_a_denial_is_hardly_longer_than_two_kib() {
        for resource in ["\u{1}", "\u{7f}", "\"", "x"] {
            let part = "n".repeat(MAX_PART_LENGTH);
            let mut entry = AuditEntry {
                component: [&part[..]; 2].join("/"),
                actor: Some([&part[..]; 3].join("/")),
                resource: resource.repeat(MAX_TEXT_BYTES),
                why: Refused::NotNeeded.to_string(),
                ..AuditEntry::new(
                    u64::MAX,
                    Action::Use(Capability::WriteFiles),
                    Decision::Denied,
                )
            };
            cut(&mut entry);
            let last = Mark {
                seq: u64::MAX - 1,
                ..Mark::BEGINNING
            };
            let mut text = Vec::new();
            write(&mut text, last, &entry);
            assert!(text.len() <= 2_200, "{}", text.len());
        }
    }

    #[test]
    fn a_line_is_one_line_and_its_hash_can_be_made_by_hand() {
        let mut text = Vec::new();
        let mark = write(&mut text, Mark::BEGINNING, &entry("a\nb".into()));
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.find('\n'), Some(text.len() - 1));
        let (hashed, _) = text.rsplit_once(",\"hash\"").unwrap();
        assert_eq!(Digest::of(hashed.as_bytes()), mark.hash);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["seq"], 1);
        assert_eq!(value["entry"]["action"], "stop_actor");
        assert_eq!(value["hash"], mark.hash.to_hex());
    }
}
