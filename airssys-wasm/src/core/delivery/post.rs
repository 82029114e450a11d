//! Handing over messages.

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::delivery::envelope::Envelope;
use crate::core::delivery::refusal::Refused;
use crate::core::storage::commit::Commit;

/// Whoever brings messages to actors.
pub trait Post {
    /// Puts a message into its receiver's mailbox.
    ///
    /// # Errors
    ///
    /// The message and why it was not taken.
    fn deliver(&self, envelope: Envelope, admission: Admission) -> Result<(), Refused>;

    /// Keeps a message that could not be delivered, and that nobody can be told of.
    fn bury_undelivered(&self, refused: Refused);

    /// Whether an actor survives the process, so that what is for it, and what it is to do
    /// later, is put on disk.
    fn is_durable(&self, actor: &ComponentId) -> bool;

    /// Whether an actor that subscribed to a topic may still hear of it.
    fn may_hear(&self, actor: &ComponentId, topic: &str) -> bool;

    /// Whether so many bytes more may wait for an actor: in memory, or on disk if it is
    /// durable. What was promised a place is not asked for its size otherwise.
    fn has_room_for(&self, actor: &ComponentId, bytes: u64) -> bool;

    /// Commits what no turn asked for, and returns the number of that commit. `None` if
    /// the store has failed, and the system stops.
    fn commit(&self, commit: Commit) -> Option<u64>;
}

/// Whether a message was promised a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may be refused.
    Asked,
    /// It was admitted before, and is taken by a full mailbox also.
    Promised,
}
