//! A message from one actor to another.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::component::payload::MessagePayload;

/// The longest id that a sender may give a message, in bytes.
pub const MAX_ID_BYTES: usize = 128;

/// A message: who sent it, to whom, what it is and what it carries.
///
/// The message type is what the guest contract calls the message's *kind*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentMessage {
    from: ComponentId,
    to: ComponentId,
    message_type: String,
    payload: MessagePayload,
    correlation: u64,
    id: Option<Arc<str>>,
}

impl ComponentMessage {
    /// A message that expects no reply.
    pub fn new(
        from: ComponentId,
        to: ComponentId,
        message_type: String,
        payload: MessagePayload,
    ) -> Self {
        Self {
            from,
            to,
            message_type,
            payload,
            correlation: 0,
            id: None,
        }
    }

    /// Gives the message an id that its sender chose. A durable actor handles one message
    /// with this id, and answers others as it did the first; see
    /// [`MAX_ID_BYTES`] and
    /// [`ANSWER_PERIOD_MS`](crate::core::storage::row::ANSWER_PERIOD_MS).
    #[must_use]
    pub fn with_id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Marks the message as one whose sender awaits a reply under this number, which
    /// is not zero.
    #[must_use]
    pub fn with_correlation(mut self, correlation: u64) -> Self {
        self.correlation = correlation;
        self
    }

    /// The sender.
    pub fn from(&self) -> &ComponentId {
        &self.from
    }

    /// The receiver.
    pub fn to(&self) -> &ComponentId {
        &self.to
    }

    /// What the message is, for the receiver to branch on.
    pub fn message_type(&self) -> &str {
        &self.message_type
    }

    /// The content.
    pub fn payload(&self) -> &MessagePayload {
        &self.payload
    }

    /// The id that its sender chose, if it chose one.
    pub fn id(&self) -> Option<&Arc<str>> {
        self.id.as_ref()
    }

    /// The number under which a reply is awaited, or zero.
    pub fn correlation(&self) -> u64 {
        self.correlation
    }
}
