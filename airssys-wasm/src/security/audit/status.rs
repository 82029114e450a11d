//! How an audit log is doing.

// Layer 1: Standard library imports
use std::path::{Path, PathBuf};

// Layer 2: Third-party crate imports
use serde::{Serialize, Serializer};

/// An audit log at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AuditStatus {
    /// Its folder. `None` if it is in memory alone.
    #[serde(serialize_with = "write_path")]
    pub folder: Option<PathBuf>,
    /// The number of its last entry.
    pub entries: u64,
    /// How many entries wait for the disk.
    pub waiting: usize,
    /// How many entries were lost since the start, as they came faster than the disk takes
    /// them, or after the end.
    pub lost: u64,
    /// Why the disk does not take entries, if it does not. They are kept in memory, and it is
    /// tried again.
    pub failure: Option<String>,
}

/// A path that is no UTF-8 is written as nearly as it can be, where serde would refuse.
fn write_path<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_deref()
        .map(Path::to_string_lossy)
        .serialize(serializer)
}
