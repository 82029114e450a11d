//! What a store keeps: rows, each of which belongs to an actor.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use bytes::Bytes;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::delivery::dead_letter::DeadLetter;
use crate::core::delivery::envelope::Letter;
use crate::core::storage::store::VersionId;
use crate::core::turn::call::CallOutcome;

/// For how long it is at least remembered what a message with an id was answered, in
/// milliseconds: ten minutes. Answers are kept by such periods, and forgotten with the
/// whole period when another has passed.
pub const ANSWER_PERIOD_MS: u64 = 600_000;

/// The period that a time belongs to, in milliseconds since the Unix epoch.
pub fn answer_period(unix_ms: u64) -> u64 {
    unix_ms / ANSWER_PERIOD_MS
}

/// The name of a row among those of its actor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKey {
    /// What ran the actor, and how many turns it ran.
    Record,
    /// One key of its state.
    State(String),
    /// A message that waits for the actor.
    Message(MessageNumber),
    /// A message that the actor sends later, by the timer's id.
    Timer(u64),
    /// A request of the actor that waits for its reply, by its correlation.
    Request(u64),
    /// A pattern of topics that the actor subscribed to.
    Subscription(String),
    /// A message to the actor that was given up, by its number.
    DeadLetter(u64),
    /// What a message from outside was answered, by the period in which it was and the
    /// id that its sender gave it.
    Answer(u64, Arc<str>),
}

/// Orders all messages that were ever committed on a node, and tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MessageNumber {
    /// The commit that it was part of. They count from 1.
    pub seq: u64,
    /// Its place in that commit.
    pub index: u32,
}

impl MessageNumber {
    /// Before all messages.
    pub const ZERO: Self = Self { seq: 0, index: 0 };

    /// The message of this place in the commit that it is going to be part of: the log puts
    /// in the number of the commit when it gets one.
    pub const fn new(index: u32) -> Self {
        Self { seq: 0, index }
    }

    /// The last message that a commit can have.
    pub const fn last_of(seq: u64) -> Self {
        Self {
            seq,
            index: u32::MAX,
        }
    }
}

/// What a row says.
#[derive(Debug, Clone)]
pub enum Row {
    /// For [`RowKey::Record`].
    Record(ActorStamp),
    /// For [`RowKey::State`].
    Value(Bytes),
    /// For [`RowKey::Message`].
    Message(Box<StoredMessage>),
    /// For [`RowKey::Timer`].
    Timer(Box<StoredTimer>),
    /// For [`RowKey::Request`].
    Request(StoredRequest),
    /// For [`RowKey::Subscription`].
    Subscription,
    /// For [`RowKey::DeadLetter`].
    DeadLetter(Arc<DeadLetter>),
    /// For [`RowKey::Answer`].
    Answer(Box<CallOutcome>),
}

/// What is known of an actor besides its keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActorStamp {
    /// A number that no turn of the actor has reached.
    pub turns_below: u64,
    /// Who ran it last. Nobody, if it never was.
    pub ran_by: Option<Arc<VersionId>>,
}

/// A message that waits on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// The message.
    pub letter: Letter,
    /// Whether its sender awaits a reply as a turn of its own.
    pub wants_reply: bool,
    /// The W3C `traceparent` that travels with it.
    pub trace_parent: Option<Arc<str>>,
    /// When whoever waits for the reply gives up, in milliseconds since the Unix epoch.
    pub deadline_unix_ms: Option<u64>,
}

/// A message that is sent later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTimer {
    /// When, in milliseconds since the Unix epoch.
    pub due_unix_ms: u64,
    /// The message.
    pub message: StoredMessage,
}

/// A request that waits for its reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRequest {
    /// Who was asked.
    pub target: ComponentId,
    /// When it times out, in milliseconds since the Unix epoch.
    pub deadline_unix_ms: u64,
}
