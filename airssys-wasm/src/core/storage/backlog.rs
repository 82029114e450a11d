//! What waits on disk for an actor.

// Layer 3: Internal module imports
use crate::core::delivery::envelope::Letter;

/// Messages that wait on disk for an actor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many there are.
    pub messages: u64,
    /// What they were made of, in bytes; see [`Letter::bytes`].
    pub bytes: u64,
}

impl Backlog {
    /// One more message waits.
    pub fn add(&mut self, letter: &Letter) {
        self.messages += 1;
        self.bytes += letter.bytes() as u64;
    }

    /// So many more wait.
    pub fn add_all(&mut self, other: Self) {
        self.messages += other.messages;
        self.bytes += other.bytes;
    }

    /// So many wait no longer. There may be more than were counted.
    pub fn take_all(&mut self, other: Self) {
        self.messages = self.messages.saturating_sub(other.messages);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }

    /// A message waits no longer. There may be more than were counted.
    pub fn take(&mut self, letter: &Letter) {
        self.messages = self.messages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(letter.bytes() as u64);
    }

    /// Whether nothing waits.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}
