//! Paths in texts for programs.

// Layer 1: Standard library imports
use std::path::Path;

// Layer 2: Third-party crate imports
use serde::Serializer;

/// Writes a path as text. One that is no UTF-8 is written as nearly as it can be, where
/// serde would refuse.
pub(crate) fn write_path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}
