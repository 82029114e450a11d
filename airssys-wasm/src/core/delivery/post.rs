//! Handing over messages.

// Layer 3: Internal module imports
use crate::core::delivery::envelope::Envelope;
use crate::core::delivery::refusal::Refused;

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
}

/// Whether a message was promised a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may be refused.
    Asked,
    /// It was admitted before, and is taken by a full mailbox also.
    Promised,
}
