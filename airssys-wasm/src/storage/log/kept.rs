//! What the log keeps of one actor.

// Layer 3: Internal module imports
use crate::core::storage::keyspace::Keyspace;
use crate::core::storage::row::ActorStamp;

/// What is kept of an actor.
#[derive(Debug)]
pub(crate) struct Kept {
    /// What is known besides its keys, if anything is.
    pub(crate) stamp: Option<ActorStamp>,
    /// All keys and values.
    pub(crate) keys: Keyspace,
    /// The last commit that it may be from, if that is not on disk yet, or zero.
    pub(crate) horizon: u64,
}

impl Kept {
    /// Whether there is neither a record nor a key.
    pub(crate) fn is_nothing(&self) -> bool {
        self.stamp.is_none() && self.keys.is_empty()
    }
}
