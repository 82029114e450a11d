//! Reading the state of an actor from lines of JSON.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;
use std::mem;

// Layer 2: Third-party crate imports
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::limits::{Limit, LimitExceeded, Limits};
use crate::core::storage::keyspace::Keyspace;
use crate::system::data::actor_state::{ActorState, Entry, FORMAT, Header};
use crate::system::data::invalid_state::{InvalidState, StateFault};

/// The most bytes of JSON that one byte of text becomes: `\u0000`.
const MAX_ESCAPE_BYTES: u64 = 6;

/// The bytes of a line besides a key and its value; of the first one, all.
const LINE_BYTES: u64 = 4 << 10;

/// Reads the [state of an actor](super::actor_state) as it comes, and checks it. What it
/// keeps in memory is bounded by the limits.
#[derive(Debug)]
pub struct StateReader {
    actor: ComponentId,
    limits: Limits,
    /// What there is of the next line.
    line: Vec<u8>,
    /// Lines that were read.
    lines: u64,
    header: Option<Header>,
    entries: BTreeMap<String, Bytes>,
    bytes: u64,
}

/// As much of a first line as tells whether the rest can be understood.
#[derive(Debug, Deserialize)]
struct Beginning {
    format: u64,
}

impl StateReader {
    /// Begins to read what will be the state of an actor, within the limits of its component.
    pub fn new(actor: ComponentId, limits: Limits) -> Self {
        Self {
            actor,
            limits,
            line: Vec::new(),
            lines: 0,
            header: None,
            entries: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// Takes what comes next. A piece may end anywhere.
    ///
    /// # Errors
    ///
    /// What is wrong with a line, and where. Nothing more is to be read then.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), InvalidState> {
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.take(&rest[..end])?;
            self.end_line()?;
            rest = &rest[end + 1..];
        }
        self.take(rest)
    }

    /// What was read, when there is no more.
    ///
    /// # Errors
    ///
    /// When the last line is wrong, or something is missing.
    pub fn finish(mut self) -> Result<ActorState, InvalidState> {
        if !self.line.is_empty() {
            self.end_line()?;
        }
        let line = self.lines.max(1);
        let fail = |fault| Err(InvalidState { line, fault });
        let Some(header) = self.header else {
            return fail(StateFault::Empty);
        };
        for (what, said, found) in [
            ("keys", header.keys, self.entries.len() as u64),
            ("bytes", header.bytes, self.bytes),
        ] {
            if said != found {
                return fail(StateFault::Count { what, said, found });
            }
        }
        Ok(ActorState {
            actor: self.actor,
            ran_by: header.ran_by,
            keys: Keyspace::from_entries(self.entries),
        })
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), InvalidState> {
        let max_bytes = self.max_line_bytes();
        if (self.line.len() + bytes.len()) as u64 > max_bytes {
            self.lines += 1;
            return Err(self.invalid(StateFault::TooLong { max_bytes }));
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn max_line_bytes(&self) -> u64 {
        let longest = self
            .limits
            .key_bytes
            .saturating_add(self.limits.value_bytes);
        longest
            .saturating_mul(MAX_ESCAPE_BYTES)
            .saturating_add(LINE_BYTES)
    }

    fn end_line(&mut self) -> Result<(), InvalidState> {
        self.lines += 1;
        let line = mem::take(&mut self.line);
        let read = match &self.header {
            // An editor may leave an empty line at the end.
            Some(_) if line.trim_ascii().is_empty() => Ok(()),
            None => self.read_header(&line),
            Some(_) => self.read_entry(&line),
        };
        self.line = line;
        self.line.clear();
        read.map_err(|fault| self.invalid(fault))
    }

    fn read_header(&mut self, line: &[u8]) -> Result<(), StateFault> {
        let malformed = |error: serde_json::Error| StateFault::Header(words(&error));
        // The rest of another format may look like anything.
        let beginning: Beginning = serde_json::from_slice(line).map_err(malformed)?;
        if beginning.format != FORMAT {
            return Err(StateFault::Format(beginning.format));
        }
        let header: Header = serde_json::from_slice(line).map_err(malformed)?;
        if header.actor.component() != self.actor.component() {
            return Err(StateFault::Component {
                found: header.actor.to_string(),
                wanted: self.actor.to_string(),
            });
        }
        self.header = Some(header);
        Ok(())
    }

    fn read_entry(&mut self, line: &[u8]) -> Result<(), StateFault> {
        let entry: Entry =
            serde_json::from_slice(line).map_err(|e| StateFault::Entry(words(&e)))?;
        let value: Bytes = match (entry.value, entry.base64) {
            (Some(text), None) => text.into(),
            (None, Some(base64)) => {
                let decoded = STANDARD.decode(base64);
                decoded
                    .map_err(|e| StateFault::Base64(e.to_string()))?
                    .into()
            }
            _ => return Err(StateFault::Value),
        };
        let Limits {
            key_bytes,
            value_bytes,
            storage_bytes,
            storage_keys,
            ..
        } = self.limits;
        let (key_len, value_len) = (entry.key.len() as u64, value.len() as u64);
        if key_len == 0 {
            return Err(StateFault::EmptyKey);
        }
        LimitExceeded::check(Limit::KeyBytes, key_bytes, key_len)?;
        LimitExceeded::check(Limit::ValueBytes, value_bytes, value_len)?;
        let bytes = self.bytes + key_len + value_len;
        LimitExceeded::check(Limit::StorageBytes, storage_bytes, bytes)?;
        let keys = self.entries.len() as u64 + 1;
        LimitExceeded::check(Limit::StorageKeys, storage_keys, keys)?;
        match self.entries.entry(entry.key) {
            Place::Occupied(first) => Err(StateFault::Duplicate(first.key().clone())),
            Place::Vacant(place) => {
                place.insert(value);
                self.bytes = bytes;
                Ok(())
            }
        }
    }

    fn invalid(&self, fault: StateFault) -> InvalidState {
        InvalidState {
            line: self.lines,
            fault,
        }
    }
}

/// What the parser says, without the line, which it counts from its own beginning.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((text, place)) => match place.split_once(" column ") {
            Some((_, column)) => format!("{text} at column {column}"),
            None => text.to_owned(),
        },
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::component::digest::Digest;
    use crate::core::storage::store::VersionId;
    use proptest::prelude::*;
    use std::sync::Arc;

    fn actor() -> ComponentId {
        "shop/cart/alice".parse().unwrap()
    }

    fn read(text: &str, limits: Limits) -> Result<ActorState, InvalidState> {
        let mut reader = StateReader::new(actor(), limits);
        reader.push(text.as_bytes())?;
        reader.finish()
    }

    fn state(entries: &[(&str, &[u8])]) -> ActorState {
        let entries = entries.iter();
        let entries =
            entries.map(|(key, value)| ((*key).to_owned(), Bytes::copy_from_slice(value)));
        let version = VersionId {
            digest: Digest::of(b"x"),
            label: "1.0".into(),
        };
        ActorState {
            actor: actor(),
            ran_by: Some(Arc::new(version)),
            keys: Keyspace::from_entries(entries.collect()),
        }
    }

    fn text_of(state: ActorState) -> String {
        String::from_utf8(state.into_lines().collect::<Vec<_>>().concat()).unwrap()
    }

    #[test]
    fn it_looks_like_this() {
        let state = state(&[
            ("items", b"[1,\n\"\x00\"]"),
            ("seal", &[0, 255]),
            ("\u{1}ü", b""),
        ]);
        let text = text_of(state.clone());
        let digest = Digest::of(b"x");
        assert_eq!(
            text,
            format!(
                "{{\"format\":1,\"actor\":\"shop/cart/alice\",\"ran_by\":{{\"digest\":\"{digest}\",\
                 \"label\":\"1.0\"}},\"keys\":3,\"bytes\":22}}\n\
                 {{\"key\":\"\\u0001ü\",\"value\":\"\"}}\n\
                 {{\"key\":\"items\",\"value\":\"[1,\\n\\\"\\u0000\\\"]\"}}\n\
                 {{\"key\":\"seal\",\"base64\":\"AP8=\"}}\n"
            )
        );
        assert_eq!(read(&text, Limits::default()), Ok(state.clone()));
        // As an editor on another system leaves it.
        let edited = text.replace('\n', "\r\n") + "\r\n  ";
        assert_eq!(read(&edited, Limits::default()), Ok(state));
    }

    proptest! {
        #[test]
        fn states_come_back_however_they_are_cut(
            entries in prop::collection::btree_map(
                "\\PC{1,5}|[\u{0}-\u{20}]{1,3}",
                prop_oneof![
                    prop::collection::vec(any::<u8>(), 0..50),
                    prop::collection::vec(any::<u8>(), 30_000..50_000),
                ],
                0..8,
            ),
            cut in 1_usize..9_000,
        ) {
            let entries = entries.into_iter().map(|(key, value)| (key, Bytes::from(value)));
            let state = ActorState {
                actor: actor(),
                ran_by: None,
                keys: Keyspace::from_entries(entries.collect()),
            };
            let text = text_of(state.clone());
            let mut reader = StateReader::new(actor(), Limits::default());
            for piece in text.as_bytes().chunks(cut) {
                reader.push(piece).unwrap();
            }
            prop_assert_eq!(reader.finish(), Ok(state));
        }

        #[test]
        fn any_text_is_a_state_or_an_error(
            text in "[\\{\\}\"a:,\n]{0,40}|\\PC{0,60}",
            at in 0_usize..300,
        ) {
            drop(read(&text, Limits::default()));
            // Nearly right is what gets furthest.
            let mut whole = text_of(state(&[("a", b"1"), ("b", b"2")]));
            if whole.is_char_boundary(at) {
                whole.insert_str(at.min(whole.len()), &text);
            }
            drop(read(&whole, Limits::default()));
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        const HEADER: &str =
            r#"{"format":1,"actor":"shop/cart/bob","ran_by":null,"keys":2,"bytes":4}"#;
        let limits = || Limits {
            key_bytes: 3,
            value_bytes: 4,
            storage_bytes: 8,
            storage_keys: 2,
            ..Limits::default()
        };
        let two = |entry: &str| format!("{HEADER}\n{{\"key\":\"a\",\"value\":\"1\"}}\n{entry}\n");
        let long = "x".repeat(5_000);
        for (text, line, words) in [
            (String::new(), 1, "there is nothing"),
            ("\n".into(), 1, "no first line"),
            ("{}".into(), 1, "missing field `format` at column 2"),
            ("nonsense\n".into(), 1, "no first line of an actor's state"),
            (
                HEADER.replace("\"format\":1", "\"format\":2"),
                1,
                "it has format 2",
            ),
            (
                HEADER.replace("\"format\":1", "\"format\":-1"),
                1,
                "invalid value",
            ),
            (HEADER.replace("bob", "../bob"), 1, "three parts"),
            (
                HEADER.replace("\"ran_by\":null,", "\"ran_by\":null,\"x\":1,"),
                1,
                "unknown field `x`",
            ),
            (HEADER.replace("cart", "order"), 1, "change `actor` here"),
            (HEADER.into(), 1, "there are 2 keys, and there are 0"),
            (two(""), 3, "there are 2 keys, and there are 1"),
            (
                two(r#"{"key":"b","value":"22"}"#),
                3,
                "there are 4 bytes, and there are 5",
            ),
            (two("{"), 3, "EOF while parsing"),
            (two("\u{feff}{}"), 3, "no key with its value"),
            (two(r#"{"key":"b"}"#), 3, "either `value` or `base64`"),
            (
                two(r#"{"key":"b","value":"1","base64":"MQ=="}"#),
                3,
                "either `value` or `base64`",
            ),
            (
                two(r#"{"key":"b","base64":"M"}"#),
                3,
                "`base64` is not base64",
            ),
            (
                two(r#"{"key":"b","base64":"M\u0000=="}"#),
                3,
                "`base64` is not base64",
            ),
            (two(r#"{"key":"","value":"1"}"#), 3, "at least one byte"),
            (
                two(r#"{"key":"a","value":"1"}"#),
                3,
                "\"a\" is here a second time",
            ),
            (
                two(r#"{"key":"a","key":"b","value":"1"}"#),
                3,
                "duplicate field",
            ),
            (two(r#"{"key":7,"value":"1"}"#), 3, "expected a string"),
            (
                two(r#"{"key":"\ud800","value":"1"}"#),
                3,
                "no key with its value",
            ),
            (
                two(r#"{"key":"bbbb","value":"1"}"#),
                3,
                "key_bytes allows 3",
            ),
            (
                two(r#"{"key":"b","value":"55555"}"#),
                3,
                "value_bytes allows 4",
            ),
            (
                two(r#"{"key":"bbb","value":"4444"}"#),
                3,
                "storage_bytes allows 8",
            ),
            (
                two("{\"key\":\"b\",\"value\":\"1\"}\n{\"key\":\"c\",\"value\":\"1\"}"),
                4,
                "storage_keys allows 2",
            ),
            (two(&long), 3, "longer than 4138 bytes"),
            (two(&"[".repeat(4_000)), 3, "no key with its value"),
        ] {
            let error = read(&text, limits()).unwrap_err();
            assert!(error.to_string().contains(words), "{error}\nof {text}");
            assert_eq!(error.line, line, "{error}");
        }
    }

    #[test]
    fn a_line_without_an_end_is_not_kept() {
        let mut reader = StateReader::new(actor(), Limits::default());
        let piece = vec![b'x'; 1 << 20];
        let refused = (0..100).find_map(|_| reader.push(&piece).err());
        assert!(matches!(refused.unwrap().fault, StateFault::TooLong { .. }));
        assert!(reader.line.len() < 8 << 20);
    }
}
