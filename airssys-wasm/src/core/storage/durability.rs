//! What becomes of actors when the process or the machine fails.

// Layer 2: Third-party crate imports
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest time that a commit stays off the disk when nobody waits for it, in
/// milliseconds. It is what [`Durability::Relaxed`] may lose.
pub const MAX_DELAY_MS: u64 = 50;

/// What a component's actors keep when the process is killed or the power fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// Everything that anybody outside was told. An answer waits until the disk has what it
    /// depends on. Nothing acknowledged is ever lost. The default, if there is a data
    /// folder.
    #[default]
    Strict,
    /// Everything but the last 50 milliseconds. Answers do not wait for the disk, so that
    /// what was answered within that time may be undone; what is left is whole turns, and
    /// none without those before it.
    Relaxed,
    /// Nothing: state and messages are in memory alone, and a message is handled at most
    /// once.
    None,
}

impl Durability {
    /// Whether anything is kept on disk.
    #[inline]
    pub fn is_durable(self) -> bool {
        self != Self::None
    }
}
