//! One line of a file: an entry, its number, and the hashes that chain it.

// Layer 1: Standard library imports
use std::io::Write;

// Layer 2: Third-party crate imports
use serde_json::from_slice;

// Layer 3: Internal module imports
use crate::core::component::digest::Digest;
use crate::core::security::audit::AuditEntry;
use crate::security::audit::mark::{HASH_DIGITS, Mark, parse_hash, parse_seq};

/// The longest text of an entry, in bytes. What is longer is cut.
pub(crate) const MAX_TEXT_BYTES: usize = 1_024;

/// The longest line, in bytes: four texts in which every byte is escaped by six, and room
/// for the rest.
pub(crate) const MAX_LINE_BYTES: usize = 4 * 6 * MAX_TEXT_BYTES + 4_096;

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
    if text.len() > MAX_TEXT_BYTES {
        text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES - CUT.len()));
        text.push_str(CUT);
        text.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::security::audit::{Action, Decision, Operation};

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
            assert!(entry.why.len() <= MAX_TEXT_BYTES && entry.why.ends_with(CUT));
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
