//! What can go wrong with the files of keys.

// Layer 1: Standard library imports
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::security::signature::public_key::InvalidKey;

/// Why a key was not made, read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The system gave no random numbers to make a key of.
    #[error("the system gives no random numbers: {0}")]
    NoRandom(String),
    /// The file is there already. No key is ever overwritten: what it signed would be lost.
    #[error(
        "{} is there already, and no key is overwritten; choose another name",
        .0.display()
    )]
    Exists(PathBuf),
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Others can read or change the file of a private key.
    #[error(
        "{}: others can get at this private key (its mode is {mode:04o}); run `chmod 600 {}`, \
         and make a new key if somebody may have read it",
        path.display(),
        path.display()
    )]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file has no private key.
    #[error(
        "{}: this is no ed25519 private key in PKCS#8 and PEM; name the .key file that \
         `airssys keygen` made",
        .0.display()
    )]
    NotPrivate(PathBuf),
    /// The file has no public key.
    #[error("{}: {source}", path.display())]
    Public {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: InvalidKey,
    },
}

impl KeyError {
    pub(crate) fn not_written(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            ErrorKind::AlreadyExists => Self::Exists(path.into()),
            _ => Self::Io {
                path: path.into(),
                source,
            },
        }
    }
}
