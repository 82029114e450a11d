//! What rows say, as bytes. This is format version 1 on disk:
//!
//! | table | value |
//! |---|---|
//! | `records` | [packed](super::packed): [`RecordRow`] |
//! | `states` | the value's bytes, and nothing else |
//! | `messages`, `timers` | packed: see [`message_row`](super::message_row) |
//! | `requests` | packed: [`RequestRow`] |
//! | `subscriptions` | nothing |
//! | `dead-letters` | [describes itself](super::cbor): [`DeadLetterRow`] |
//! | `answers` | describes itself: [`CallOutcome`] |

// Layer 1: Standard library imports
use std::borrow::Cow;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use bytes::Bytes;

// Layer 3: Internal module imports
use crate::core::storage::row::Row;
use crate::core::turn::call::CallOutcome;
use crate::storage::codec::cbor;
use crate::storage::codec::dead_letter_row::DeadLetterRow;
use crate::storage::codec::error::CodecError;
use crate::storage::codec::message_row::{
    decode_message, decode_timer, encode_message, encode_timer,
};
use crate::storage::codec::packed;
use crate::storage::codec::record_row::RecordRow;
use crate::storage::codec::request_row::RequestRow;
use crate::storage::tables::table::Table;

/// Writes what a row says.
///
/// # Errors
///
/// When there is no memory for it.
pub(crate) fn encode_row(row: &Row) -> Result<Cow<'_, [u8]>, CodecError> {
    let bytes = match row {
        // Most rows are values, which lie there as they are.
        Row::Value(value) => return Ok(Cow::Borrowed(value)),
        Row::Subscription => return Ok(Cow::Borrowed(&[])),
        Row::Record(stamp) => packed::encode(&RecordRow::from(stamp))?,
        Row::Message(message) => encode_message(message)?,
        Row::Timer(timer) => encode_timer(timer)?,
        Row::Request(request) => packed::encode(&RequestRow::from(request))?,
        Row::DeadLetter(dead) => cbor::encode(&DeadLetterRow::from(dead.as_ref()))?,
        Row::Answer(outcome) => cbor::encode(outcome)?,
    };
    Ok(Cow::Owned(bytes))
}

/// Reads what a row of a table says. Any bytes are either read or refused, and what is
/// allocated for them is bounded by their number.
///
/// # Errors
///
/// When the bytes are no row of this table, or the table has no rows of actors.
pub(crate) fn decode_row(table: Table, value: &[u8]) -> Result<Row, CodecError> {
    Ok(match table {
        Table::Records => Row::Record(packed::decode::<RecordRow<'_>>(table, value)?.into()),
        Table::States => Row::Value(Bytes::copy_from_slice(value)),
        Table::Messages => Row::Message(Box::new(decode_message(table, value)?)),
        Table::Timers => Row::Timer(Box::new(decode_timer(table, value)?)),
        Table::Requests => {
            let row: RequestRow<'_> = packed::decode(table, value)?;
            let request = row
                .try_into()
                .map_err(|e| CodecError::row(table, format!("no address: {e}")))?;
            Row::Request(request)
        }
        Table::Subscriptions if value.is_empty() => Row::Subscription,
        Table::Subscriptions => return Err(CodecError::row(table, "it is not empty")),
        Table::DeadLetters => {
            let row: DeadLetterRow<'_> = cbor::decode(table, value)?;
            Row::DeadLetter(Arc::new(row.into()))
        }
        Table::Answers => {
            let outcome: CallOutcome = cbor::decode(table, value)?;
            Row::Answer(Box::new(outcome))
        }
        Table::Usage | Table::Meta => return Err(CodecError::NoRows(table)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::component::digest::Digest;
    use crate::core::component::id::ComponentId;
    use crate::core::storage::row::{ActorStamp, RowKey, StoredRequest, StoredTimer};
    use crate::core::storage::store::VersionId;
    use crate::storage::codec::fixtures;
    use crate::storage::codec::key::table_of;
    use proptest::prelude::*;

    fn table_of_row(row: &Row) -> Table {
        table_of(&match row {
            Row::Record(_) => RowKey::Record,
            Row::Value(_) => RowKey::State(String::new()),
            Row::Message(_) => RowKey::Message(Default::default()),
            Row::Timer(_) => RowKey::Timer(0),
            Row::Request(_) => RowKey::Request(0),
            Row::Subscription => RowKey::Subscription(String::new()),
            Row::DeadLetter(_) => RowKey::DeadLetter(0),
            Row::Answer(_) => RowKey::Answer(0, "".into()),
        })
    }

    /// Rows have no equality; what they print has all of them.
    fn check(row: &Row) -> Vec<u8> {
        let bytes = encode_row(row).unwrap().into_owned();
        let read = decode_row(table_of_row(row), &bytes).unwrap();
        assert_eq!(format!("{read:?}"), format!("{row:?}"));
        bytes
    }

    proptest! {
        #[test]
        fn rows_come_back(row in fixtures::row()) {
            check(&row);
        }

        #[test]
        fn any_bytes_are_a_row_or_an_error(
            table in prop::sample::select(&Table::ALL),
            bytes in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let _ = decode_row(table, &bytes);
        }

        /// Nearly right is what gets furthest.
        #[test]
        fn damaged_rows_are_a_row_or_an_error(
            row in fixtures::row(),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
            length in any::<prop::sample::Index>(),
        ) {
            let mut bytes = encode_row(&row).unwrap().into_owned();
            for (place, byte) in damage {
                if !bytes.is_empty() {
                    let place = place.index(bytes.len());
                    bytes[place] = byte;
                }
            }
            let _ = decode_row(table_of_row(&row), &bytes);
            bytes.truncate(length.index(bytes.len() + 1));
            let _ = decode_row(table_of_row(&row), &bytes);
        }
    }

    /// Bytes as they are written in a literal.
    fn shown(row: &Row) -> String {
        check(row).escape_ascii().to_string()
    }

    #[test]
    fn packed_rows_look_like_this_on_disk() {
        let stamp = ActorStamp {
            turns_below: 300,
            ran_by: Some(Arc::new(VersionId {
                digest: Digest::from_bytes([7; 32]),
                label: "1.0".into(),
            })),
        };
        let letter = fixtures::example_message(fixtures::example_letter());
        let reply = fixtures::example_message(fixtures::example_reply());
        let timer = StoredTimer {
            due_unix_ms: 2_000,
            message: letter.clone(),
        };
        let request = StoredRequest {
            target: ComponentId::new("a", "b", "c"),
            deadline_unix_ms: 300,
        };
        for (row, expected) in [
            (Row::Record(ActorStamp::default()), r"\x01\x00\x00"),
            (
                Row::Record(stamp),
                r"\x01\xac\x02\x01\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x031.0",
            ),
            (Row::Value(Bytes::from_static(&[0, 255])), r"\x00\xff"),
            (
                Row::Message(Box::new(letter)),
                r"\x01\x00\x05a/b/c\x05a/b/d\x03add\xac\x02\x01\x04id-1\x02\x00\xff\x01\x01\x0400-1\x01\xe8\x07",
            ),
            (
                Row::Message(Box::new(reply)),
                r"\x01\x01\x05a/b/d\x05a/b/c\x07\x13\xa1cErr\xa1dhostgtimeout\x01\x01\x0400-1\x01\xe8\x07",
            ),
            (
                Row::Timer(Box::new(timer)),
                r"\x01\xd0\x0f\x00\x05a/b/c\x05a/b/d\x03add\xac\x02\x01\x04id-1\x02\x00\xff\x01\x01\x0400-1\x01\xe8\x07",
            ),
            (Row::Request(request), r"\x01\x05a/b/c\xac\x02"),
            (Row::Subscription, ""),
        ] {
            assert_eq!(shown(&row), expected, "{row:?}");
        }
    }

    #[test]
    fn rows_that_describe_themselves_look_like_this_on_disk() {
        let answer = Row::Answer(Box::new(Ok(Some(vec![0, 255].into()))));
        assert_eq!(shown(&answer), r"\xa1bOkB\x00\xff");
        let silent = Row::Answer(Box::new(Ok(None)));
        assert_eq!(shown(&silent), r"\xa1bOk\xf6");
        let dead = Row::DeadLetter(Arc::new(fixtures::example_dead_letter()));
        assert_eq!(
            check(&dead).escape_ascii().to_string(),
            fixtures::DEAD_LETTER.escape_ascii().to_string()
        );
    }
}
