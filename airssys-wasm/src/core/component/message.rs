//! A message from one actor to another.

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::component::payload::MessagePayload;

/// A message: who sent it, to whom, what it is and what it carries.
///
/// The message type is what the guest contract calls the message's *kind*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentMessage {
    from: ComponentId,
    to: ComponentId,
    message_type: String,
    payload: MessagePayload,
    correlation: u64,
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
        }
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

    /// The number under which a reply is awaited, or zero.
    pub fn correlation(&self) -> u64 {
        self.correlation
    }
}
