//! A message that waits, or is sent later, on disk.

// Layer 2: Third-party crate imports
use bytes::Bytes;
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::component::message::ComponentMessage;
use crate::core::delivery::envelope::{Letter, ReplyTo};
use crate::core::storage::row::{StoredMessage, StoredTimer};
use crate::core::turn::call::Reply;
use crate::storage::codec::blob::Blob;
use crate::storage::codec::cbor;
use crate::storage::codec::error::CodecError;
use crate::storage::codec::packed;
use crate::storage::tables::table::Table;

/// A row of `messages`, [packed](super::packed). This is format version 1.
#[derive(Debug, Serialize, Deserialize)]
struct MessageRow<'a> {
    #[serde(borrow)]
    letter: LetterRow<'a>,
    wants_reply: bool,
    trace_parent: Option<&'a str>,
    deadline_unix_ms: Option<u64>,
}

/// A row of `timers`, [packed](super::packed). This is format version 1.
#[derive(Debug, Serialize, Deserialize)]
struct TimerRow<'a> {
    due_unix_ms: u64,
    #[serde(borrow)]
    message: MessageRow<'a>,
}

/// The order of the variants is what is on disk.
#[derive(Debug, Serialize, Deserialize)]
enum LetterRow<'a> {
    Message {
        from: &'a str,
        to: &'a str,
        kind: &'a str,
        correlation: u64,
        id: Option<&'a str>,
        #[serde(borrow)]
        payload: Blob<'a>,
    },
    Reply {
        from: &'a str,
        to: &'a str,
        correlation: u64,
        /// [Describes itself](super::cbor), since errors are added over time.
        #[serde(borrow)]
        outcome: Blob<'a>,
    },
}

/// Writes a message.
///
/// # Errors
///
/// When there is no memory for it.
pub(crate) fn encode_message(message: &StoredMessage) -> Result<Vec<u8>, CodecError> {
    let outcome = encode_outcome(&message.letter)?;
    packed::encode(&MessageRow::new(message, &outcome))
}

/// Reads a message.
///
/// # Errors
///
/// When the bytes are no message.
pub(crate) fn decode_message(table: Table, value: &[u8]) -> Result<StoredMessage, CodecError> {
    let row: MessageRow<'_> = packed::decode(table, value)?;
    row.into_message(table)
}

/// Writes a timer.
///
/// # Errors
///
/// When there is no memory for it.
pub(crate) fn encode_timer(timer: &StoredTimer) -> Result<Vec<u8>, CodecError> {
    let outcome = encode_outcome(&timer.message.letter)?;
    packed::encode(&TimerRow {
        due_unix_ms: timer.due_unix_ms,
        message: MessageRow::new(&timer.message, &outcome),
    })
}

/// Reads a timer.
///
/// # Errors
///
/// When the bytes are no timer.
pub(crate) fn decode_timer(table: Table, value: &[u8]) -> Result<StoredTimer, CodecError> {
    let row: TimerRow<'_> = packed::decode(table, value)?;
    Ok(StoredTimer {
        due_unix_ms: row.due_unix_ms,
        message: row.message.into_message(table)?,
    })
}

/// A reply's outcome as bytes, and none for a message.
fn encode_outcome(letter: &Letter) -> Result<Vec<u8>, CodecError> {
    match letter {
        Letter::Message(_) => Ok(Vec::new()),
        Letter::Reply(reply) => cbor::encode(&reply.reply.outcome),
    }
}

impl<'a> MessageRow<'a> {
    fn new(message: &'a StoredMessage, outcome: &'a [u8]) -> Self {
        Self {
            letter: LetterRow::new(message, outcome),
            wants_reply: message.wants_reply,
            trace_parent: message.trace_parent.as_deref(),
            deadline_unix_ms: message.deadline_unix_ms,
        }
    }

    fn into_message(self, table: Table) -> Result<StoredMessage, CodecError> {
        let letter = self.letter.into_letter(table)?;
        Ok(StoredMessage {
            wants_reply: self.wants_reply,
            trace_parent: self.trace_parent.map(Into::into),
            deadline_unix_ms: self.deadline_unix_ms,
            letter,
        })
    }
}

impl<'a> LetterRow<'a> {
    fn new(message: &'a StoredMessage, outcome: &'a [u8]) -> Self {
        match &message.letter {
            Letter::Message(message) => Self::Message {
                from: message.from().as_str(),
                to: message.to().as_str(),
                kind: message.message_type(),
                correlation: message.correlation(),
                id: message.id().map(AsRef::as_ref),
                payload: Blob(message.payload().as_bytes()),
            },
            Letter::Reply(reply) => Self::Reply {
                from: reply.from.as_str(),
                to: reply.to.as_str(),
                correlation: reply.reply.correlation,
                outcome: Blob(outcome),
            },
        }
    }

    fn into_letter(self, table: Table) -> Result<Letter, CodecError> {
        let address = |text: &str| -> Result<ComponentId, CodecError> {
            text.parse()
                .map_err(|e| CodecError::row(table, format!("no address: {e}")))
        };
        Ok(match self {
            Self::Message {
                from,
                to,
                kind,
                correlation,
                id,
                payload,
            } => {
                let payload = Bytes::copy_from_slice(payload.0).into();
                let message =
                    ComponentMessage::new(address(from)?, address(to)?, kind.to_owned(), payload)
                        .with_correlation(correlation);
                Letter::Message(match id {
                    Some(id) => message.with_id(id),
                    None => message,
                })
            }
            Self::Reply {
                from,
                to,
                correlation,
                outcome,
            } => Letter::Reply(ReplyTo {
                to: address(to)?,
                from: address(from)?,
                reply: Reply {
                    correlation,
                    outcome: cbor::decode(table, outcome.0)?,
                },
            }),
        })
    }
}
