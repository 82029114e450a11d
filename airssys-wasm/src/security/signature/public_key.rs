//! The public half of a key, as it is written down.

// Layer 1: Standard library imports
use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::str::FromStr;

// Layer 2: Third-party crate imports
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{PUBLIC_KEY_LENGTH, VerifyingKey};
use thiserror::Error;

// Layer 3: Internal module imports
use crate::security::signature::key_error::KeyError;
use crate::security::signature::small_file::SmallFile;

/// What stands before the base64.
const PREFIX: &str = "ed25519:";
/// How many characters 32 bytes have in base64.
const BASE64_CHARS: usize = 44;
/// How many characters a public key has.
pub const PUBLIC_KEY_CHARS: usize = PREFIX.len() + BASE64_CHARS;
/// The largest file of a public key that is read, in bytes.
const MAX_FILE_BYTES: usize = 1 << 10;

/// The public half of an ed25519 key: it tells whether a signature is of the private half.
///
/// Its text is `ed25519:` and the base64 of its 32 bytes, which is also what it is called
/// wherever it has no name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; PUBLIC_KEY_LENGTH]);

/// Why a text is no public key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// It is the private half, which has no business there.
    #[error(
        "this is a private key, which must stay secret; write the public one, which \
         `airssys keygen` printed and put into the .pub file"
    )]
    Private,
    /// It begins otherwise.
    #[error("a public key begins with `{PREFIX}`, as `airssys keygen` prints it")]
    Prefix,
    /// It is too short or too long.
    #[error(
        "a public key has {BASE64_CHARS} characters behind `{PREFIX}`, and this has {found}; \
         copy it anew"
    )]
    Length {
        /// How many bytes stand there.
        found: usize,
    },
    /// What stands behind the prefix is no base64.
    #[error("what stands behind `{PREFIX}` is no base64; copy the key anew")]
    Base64,
    /// Nobody can have the private half, or anybody can forge its signatures.
    #[error("these 32 bytes are no ed25519 key; copy the key anew")]
    NotAKey,
}

impl PublicKey {
    pub(crate) fn of(key: &VerifyingKey) -> Self {
        Self(key.to_bytes())
    }

    /// Its 32 bytes.
    pub fn as_bytes(&self) -> &[u8; PUBLIC_KEY_LENGTH] {
        &self.0
    }

    /// The same, ready to verify with, which takes some microseconds and more room.
    pub(crate) fn verifying(&self) -> Option<VerifyingKey> {
        VerifyingKey::from_bytes(&self.0).ok()
    }

    /// Reads the file of a public key, which has its text on one line.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let read = SmallFile::read(path, MAX_FILE_BYTES);
        let read = read.map_err(|source| KeyError::Io {
            path: path.into(),
            source,
        })?;
        // What is no text has no such prefix either.
        let text = str::from_utf8(&read.bytes).unwrap_or_default().trim_end();
        text.parse().map_err(|source| KeyError::Public {
            path: path.into(),
            source,
        })
    }

    /// Writes it to a new file, on one line.
    ///
    /// # Errors
    ///
    /// When the file is there already, or cannot be written.
    pub fn write_new(&self, path: &Path) -> Result<(), KeyError> {
        let mut options = OpenOptions::new();
        let opened = options.write(true).create_new(true).open(path);
        opened
            .and_then(|mut file| writeln!(file, "{self}"))
            .map_err(|error| KeyError::not_written(path, error))
    }
}

impl FromStr for PublicKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let Some(encoded) = text.strip_prefix(PREFIX) else {
            return Err(match text.contains("PRIVATE KEY") {
                true => InvalidKey::Private,
                false => InvalidKey::Prefix,
            });
        };
        if encoded.len() != BASE64_CHARS {
            return Err(InvalidKey::Length {
                found: encoded.len(),
            });
        }
        let bytes = STANDARD.decode(encoded).map_err(|_| InvalidKey::Base64)?;
        let bytes = bytes.as_slice().try_into();
        let bytes: &[u8; PUBLIC_KEY_LENGTH] = bytes.map_err(|_| InvalidKey::Base64)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| InvalidKey::NotAKey)?;
        match key.is_weak() {
            true => Err(InvalidKey::NotAKey),
            false => Ok(Self::of(&key)),
        }
    }
}

/// Whether a text may be the beginning of a public key.
pub(crate) fn is_beginning(text: &str) -> bool {
    match text.strip_prefix(PREFIX) {
        None => PREFIX.starts_with(text),
        Some(encoded) => encoded.len() < BASE64_CHARS && is_base64(encoded),
    }
}

/// Whether all characters are those of base64.
pub(crate) fn is_base64(text: &str) -> bool {
    text.bytes()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'='))
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", STANDARD.encode(self.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::signature::signing_key::SigningKey;
    use proptest::prelude::*;
    use std::fs;

    fn key(seed: u8) -> PublicKey {
        SigningKey::from_seed(&[seed; 32]).public()
    }

    #[test]
    fn what_is_shown_is_read_again() {
        let key = key(1);
        let text = key.to_string();
        assert_eq!(text, "ed25519:iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=");
        assert_eq!(text.len(), PUBLIC_KEY_CHARS);
        assert_eq!(text.parse(), Ok(key));
        assert_eq!(format!("{key:?}"), text);
    }

    #[test]
    fn each_mistake_is_told() {
        let good = key(1).to_string();
        let length = |found| InvalidKey::Length { found };
        for (text, expected) in [
            ("", InvalidKey::Prefix),
            ("ed25519", InvalidKey::Prefix),
            ("ED25519:AAAA", InvalidKey::Prefix),
            (&good["ed25519:".len()..], InvalidKey::Prefix),
            ("-----BEGIN PRIVATE KEY-----", InvalidKey::Private),
            ("ed25519:", length(0)),
            (&good[..good.len() - 1], length(43)),
            (&format!("{good}="), length(45)),
            (&format!("{good}\n"), length(45)),
            (&good.replace("iojj", "io j"), InvalidKey::Base64),
            // The same bytes otherwise written.
            (&good.replace("b1w=", "b1x="), InvalidKey::Base64),
            // The neutral element, for which everybody can sign.
            (
                &format!("ed25519:AQ{}=", "A".repeat(41)),
                InvalidKey::NotAKey,
            ),
            // No point of the curve.
            (
                &format!("ed25519:Ag{}=", "A".repeat(41)),
                InvalidKey::NotAKey,
            ),
        ] {
            assert_eq!(text.parse::<PublicKey>(), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn its_file_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ci.pub");
        key(1).write_new(&path).unwrap();
        assert_eq!(PublicKey::read(&path).unwrap(), key(1));
        let again = key(2).write_new(&path);
        assert!(matches!(again, Err(KeyError::Exists(_))));
        assert_eq!(PublicKey::read(&path).unwrap(), key(1));
        for (content, expected) in [
            (b"".to_vec(), InvalidKey::Prefix),
            (b"\xff\xfe".to_vec(), InvalidKey::Prefix),
            (vec![b'x'; 10 << 20], InvalidKey::Prefix),
        ] {
            fs::write(&path, content).unwrap();
            let read = PublicKey::read(&path);
            assert!(matches!(read, Err(KeyError::Public { source, .. }) if source == expected));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(ed25519:)?.{0,60}") {
            if let Ok(key) = text.parse::<PublicKey>() {
                prop_assert_eq!(key.to_string(), text);
            }
        }

        #[test]
        fn every_part_of_one_is_a_beginning(seed: u8, length in 0..PUBLIC_KEY_CHARS) {
            prop_assert!(is_beginning(&key(seed).to_string()[..length]));
        }
    }
}
