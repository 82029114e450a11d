//! What lies in a mailbox.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use futures_channel::oneshot;
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::core::component::MessagePayload;
use crate::core::component::id::ComponentId;
use crate::core::component::message::ComponentMessage;
use crate::core::storage::gated::Gated;
use crate::core::storage::row::{MessageNumber, StoredMessage};
use crate::core::turn::call::{CallOutcome, Reply};

/// A message, or the reply to a request, on its way to an actor.
#[derive(Debug)]
pub struct Envelope {
    /// What the actor is to handle.
    pub content: Letter,
    /// Where the actor's answer goes.
    pub answer: Answer,
    /// The W3C `traceparent` that travels with it.
    pub trace_parent: Option<Arc<str>>,
    /// When whoever waits for the answer gives up, on the system's monotonic clock in
    /// milliseconds. What is older is not handled any more.
    pub deadline_ms: Option<u64>,
    /// Its number, if it waits on disk also.
    pub stored: Option<MessageNumber>,
    /// The last commit that it depends on, or zero.
    pub horizon: u64,
}

/// What an actor handles in one turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Letter {
    /// A message.
    Message(ComponentMessage),
    /// The reply to an earlier request of this actor.
    Reply(ReplyTo),
}

/// A reply and the actor that asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyTo {
    /// Who made the request.
    pub to: ComponentId,
    /// Who answered, or was to answer.
    pub from: ComponentId,
    /// The reply.
    pub reply: Reply,
}

impl From<StoredMessage> for Envelope {
    /// A message as it was when it was sent. Its deadline depends on the clock of the system
    /// that it is in now, and its number is not part of it.
    fn from(stored: StoredMessage) -> Self {
        Self {
            answer: match stored.wants_reply {
                true => Answer::Callback,
                false => Answer::Nobody,
            },
            trace_parent: stored.trace_parent,
            ..Self::new(stored.letter)
        }
    }
}

/// Where an actor's answer goes.
#[derive(Debug, Default)]
pub enum Answer {
    /// Nowhere: nobody asked for one, or it is answered.
    #[default]
    Nobody,
    /// To a program, or a turn, that waits for it.
    Waiting {
        /// Where it is told.
        teller: oneshot::Sender<Gated<CallOutcome>>,
        /// How many turns wait, each for the next.
        depth: u32,
    },
    /// Back to the sender, as a turn of its own.
    Callback,
}

impl Answer {
    /// To a program, or a turn, that waits for it as the last of `depth` turns.
    pub(crate) fn waiting(teller: oneshot::Sender<Gated<CallOutcome>>, depth: u32) -> Self {
        Self::Waiting { teller, depth }
    }

    /// How many turns wait for it, each for the next.
    #[inline]
    pub(crate) fn depth(&self) -> u32 {
        match self {
            Self::Waiting { depth, .. } => *depth,
            Self::Nobody | Self::Callback => 0,
        }
    }
}

impl Letter {
    /// Whom it is for.
    pub fn to(&self) -> &ComponentId {
        match self {
            Self::Message(message) => message.to(),
            Self::Reply(reply) => &reply.to,
        }
    }

    /// Whom it is from.
    pub fn from(&self) -> &ComponentId {
        match self {
            Self::Message(message) => message.from(),
            Self::Reply(reply) => &reply.from,
        }
    }

    /// The bytes that whoever sent it made it of.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Message(message) => message.message_type().len() + message.payload().len(),
            Self::Reply(reply) => match &reply.reply.outcome {
                Ok(payload) => payload.as_ref().map_or(0, MessagePayload::len),
                Err(error) => error.to_string().len(),
            },
        }
    }

    /// The id that whoever sent it chose.
    pub fn id(&self) -> Option<&Arc<str>> {
        match self {
            Self::Message(message) => message.id(),
            Self::Reply(_) => None,
        }
    }

    /// What it is: a message's kind, and `reply` for a reply.
    pub fn kind(&self) -> &str {
        match self {
            Self::Message(message) => message.message_type(),
            Self::Reply(_) => "reply",
        }
    }
}

impl Envelope {
    /// A message that nobody awaits an answer to.
    pub fn tell(message: ComponentMessage) -> Self {
        Self::new(Letter::Message(message))
    }

    /// A message or a reply that nobody awaits an answer to.
    pub fn new(content: Letter) -> Self {
        Self {
            content,
            answer: Answer::Nobody,
            trace_parent: None,
            deadline_ms: None,
            stored: None,
            horizon: 0,
        }
    }

    /// Whom it is for.
    pub fn to(&self) -> &ComponentId {
        self.content.to()
    }

    /// What of it is put on disk, if whoever waits for the answer gives up at
    /// `deadline_unix_ms`.
    pub fn to_stored(&self, deadline_unix_ms: Option<u64>) -> StoredMessage {
        StoredMessage {
            letter: self.content.clone(),
            wants_reply: matches!(self.answer, Answer::Callback),
            trace_parent: self.trace_parent.clone(),
            deadline_unix_ms,
        }
    }
}
