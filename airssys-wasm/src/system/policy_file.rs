//! A policy in a file.

// Layer 1: Standard library imports
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::security::policy::policy_error::{MAX_POLICY_BYTES, PolicyError};
use crate::security::policy::rule_set::Policy;

/// Why a file gives no policy.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PolicyFileError {
    /// What is in it is no policy; the file is named with the line.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Nothing is there.
    #[error("{}: there is no such file, and without its policy the system does not start", .0.display())]
    NotFound(PathBuf),
    /// It is a folder, a device or a pipe.
    #[error("{}: this is no regular file", .0.display())]
    NotAFile(PathBuf),
    /// The system refused to read it.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system was started without a file to read again.
    #[error("the system was started without a policy file: hand over the text of a policy")]
    NoFile,
    /// Reading broke off, since the process ends.
    #[error("reading the policy broke off: {0}")]
    BrokenOff(String),
}

/// Reads and checks the policy in a file. The whole file is in memory meanwhile.
///
/// # Errors
///
/// When there is none, it cannot be read, or is no policy.
pub fn read_policy(path: &Path) -> Result<Policy, PolicyFileError> {
    let refused = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => PolicyFileError::NotFound(path.into()),
        _ => PolicyFileError::Unreadable {
            path: path.into(),
            source: error,
        },
    };
    if !fs::metadata(path).map_err(refused)?.is_file() {
        return Err(PolicyFileError::NotAFile(path.into()));
    }
    let mut bytes = Vec::new();
    let most = MAX_POLICY_BYTES as u64 + 1;
    File::open(path)
        .and_then(|file| file.take(most).read_to_end(&mut bytes))
        .map_err(refused)?;
    let name = path.display().to_string();
    if bytes.len() > MAX_POLICY_BYTES {
        // Before it is looked at: what was cut off may have been half a character.
        return Err(PolicyError::TooLarge(name).into());
    }
    Ok(Policy::from_bytes(&bytes, &name)?)
}
