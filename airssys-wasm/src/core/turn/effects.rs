//! What a turn wants to happen.

// Layer 1: Standard library imports
use std::collections::BTreeMap;

// Layer 2: Third-party crate imports
use bytes::Bytes;
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::core::component::MessagePayload;
use crate::core::component::id::ComponentId;
use crate::core::storage::commit::Growth;

/// Keys that a turn has set (`Some`) or removed (`None`).
pub type Writes = BTreeMap<String, Option<Bytes>>;

/// Everything that a turn recorded. Nothing of it has happened yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effects {
    /// The last write to each key.
    pub writes: Writes,
    /// Messages, timers and subscriptions, in the order they were asked for.
    pub outgoing: Vec<Outgoing>,
    /// By how much the writes make the actor's state larger.
    pub growth: Growth,
}

impl Effects {
    /// Whether the turn recorded nothing.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.outgoing.is_empty()
    }

    /// The bytes of all keys, values and payloads.
    pub fn bytes(&self) -> usize {
        let written = |(key, value): (&String, &Option<Bytes>)| {
            key.len() + value.as_ref().map_or(0, Bytes::len)
        };
        let sent = |outgoing: &Outgoing| outgoing.content().map_or(0, |c| c.payload.len());
        self.writes.iter().map(written).sum::<usize>()
            + self.outgoing.iter().map(sent).sum::<usize>()
    }
}

impl Outgoing {
    /// The message, if it is one.
    pub fn content(&self) -> Option<&Content> {
        match self {
            Self::Send { content, .. }
            | Self::SendAfter { content, .. }
            | Self::Request { content, .. }
            | Self::Publish { content, .. } => Some(content),
            Self::CancelTimer { .. }
            | Self::CancelRequest { .. }
            | Self::Subscribe { .. }
            | Self::Unsubscribe { .. } => None,
        }
    }
}

/// What is sent: a kind and a payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// What the message is.
    pub kind: String,
    /// The content.
    pub payload: MessagePayload,
}

/// One thing that leaves the actor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outgoing {
    /// A message that expects no reply.
    Send {
        /// The receiver.
        to: ComponentId,
        /// The message.
        content: Content,
    },
    /// A message to be sent later.
    SendAfter {
        /// The timer's id.
        timer: u64,
        /// How much later, in milliseconds.
        delay_ms: u32,
        /// The receiver.
        to: ComponentId,
        /// The message.
        content: Content,
    },
    /// Cancels a timer.
    CancelTimer {
        /// The timer's id.
        timer: u64,
    },
    /// A message whose reply comes back as a turn.
    Request {
        /// The number that the reply will carry.
        correlation: u64,
        /// How long the reply may take, in milliseconds.
        timeout_ms: u32,
        /// The receiver.
        to: ComponentId,
        /// The message.
        content: Content,
    },
    /// Gives up a request.
    CancelRequest {
        /// The request's number.
        correlation: u64,
    },
    /// A message to everyone who subscribed to its topic.
    Publish {
        /// The topic.
        topic: String,
        /// The message.
        content: Content,
    },
    /// Begins a subscription.
    Subscribe {
        /// The pattern of topics.
        pattern: String,
    },
    /// Ends a subscription.
    Unsubscribe {
        /// The pattern of topics.
        pattern: String,
    },
}
