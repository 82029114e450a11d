//! The refusal of a table that holds as much as it may.

// Layer 2: Third-party crate imports
use thiserror::Error;

/// Why a table takes no more. Nothing of it has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum TooMany {
    /// All actors together have as many as the system holds.
    #[error("the system holds at most {allowed} of these")]
    InTotal {
        /// How many the system holds.
        allowed: usize,
    },
    /// A pattern is made of more words than a pattern may have.
    #[error("a pattern has at most {allowed} words")]
    Words {
        /// How many words a pattern may have.
        allowed: usize,
    },
}
