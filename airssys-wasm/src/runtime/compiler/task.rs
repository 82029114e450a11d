//! What a host and the worker that compiles for it tell each other.
//!
//! Each side writes one line of JSON and then bytes: the host a [`Task`] and the component, the
//! worker an [`Outcome`] and the artefact.

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::runtime::config::MemoryAccess;

/// The most bytes of a line.
pub(crate) const MAX_LINE_BYTES: u64 = 64 << 10;

/// What a worker is to do.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Task {
    pub(crate) memory_access: MemoryAccess,
    pub(crate) compile_ms: u64,
    pub(crate) compile_bytes: u64,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// An artefact of so many bytes, which follow.
    Compiled(u64),
    /// It takes more time than it may.
    OutOfTime,
    /// It takes more memory than it may. Mostly a worker cannot say so any more.
    OutOfMemory,
    /// It is no component, for a reason.
    Refused(String),
}
