//! What a component says of itself.

// Layer 2: Third-party crate imports
use serde::Serialize;

/// Names for people to read. They come from the component, and nothing is decided by
/// them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Description {
    /// What it is called.
    pub name: String,
    /// Its version, as its author counts.
    pub version: String,
    /// What it does, in a sentence.
    pub summary: String,
}
