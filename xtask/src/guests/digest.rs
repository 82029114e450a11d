//! SHA-256 sums, in hexadecimal.

// Layer 1: Standard library imports
use std::fs;
use std::path::Path;

// Layer 2: Third-party crate imports
use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

/// The sum of `bytes`.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// The sum of the file at `path`.
pub(crate) fn of_file(path: &Path) -> anyhow::Result<String> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(of_bytes(&bytes))
}
