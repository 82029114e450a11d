//! A message, as its receiver sees it.

// Layer 1: Standard library imports
use std::str;

// Layer 3: Internal module imports
use crate::error::TurnError;
use crate::id::Correlation;
use crate::wire;

/// One message, as its receiver sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The sender's address, `namespace/name/instance`. `None` when the message
    /// came from outside the world of actors.
    pub sender: Option<String>,
    /// What the message is, for the receiver to branch on.
    pub kind: String,
    /// Present when the sender awaits a reply.
    pub correlation: Option<Correlation>,
    /// The content. Its encoding is a matter between the two actors.
    pub payload: Vec<u8>,
}

impl Message {
    /// A message from outside that awaits no reply, as tests of a guest need it.
    pub fn new(kind: impl Into<String>, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            kind: kind.into(),
            payload: payload.into(),
            ..Self::default()
        }
    }

    /// The payload as text.
    ///
    /// # Errors
    /// [`TurnError::Reject`] when the payload is not UTF-8, saying where.
    pub fn text(&self) -> Result<&str, TurnError> {
        str::from_utf8(&self.payload)
            .map_err(|error| TurnError::reject(format_args!("the payload is no text: {error}")))
    }
}

impl From<wire::Message> for Message {
    fn from(message: wire::Message) -> Self {
        Self {
            sender: (!message.sender.is_empty()).then_some(message.sender),
            kind: message.kind,
            correlation: (message.correlation != 0).then_some(message.correlation.into()),
            payload: message.payload,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_and_zero_mean_none() {
        let message = Message::from(wire::Message {
            sender: String::new(),
            kind: "add".into(),
            correlation: 0,
            payload: b"1".into(),
        });
        assert_eq!(message, Message::new("add", "1"));
    }

    #[test]
    fn a_payload_that_is_no_text_is_rejected() {
        assert_eq!(Message::new("", "abc").text(), Ok("abc"));
        assert_eq!(
            Message::new("", [b'a', 0xff]).text(),
            Err(TurnError::Reject(
                "the payload is no text: invalid utf-8 sequence of 1 bytes from index 1".into()
            ))
        );
    }
}
