//! A detached signature, and the file that it is in.

// Layer 1: Standard library imports
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

// Layer 2: Third-party crate imports
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{SIGNATURE_LENGTH, Signature as DalekSignature};

// Layer 3: Internal module imports
use crate::security::signature::error::{Malformed, SignatureError};
use crate::security::signature::public_key::{PublicKey, is_base64, is_beginning};
use crate::security::signature::small_file::SmallFile;

/// The most bytes that are read of a signature; a good one has 161.
pub const MAX_SIGNATURE_BYTES: usize = 1 << 10;
/// What every signature begins with.
const WORD: &str = "airssys-signature ";
/// The same with the only format so far.
const BEGINNING: &str = "airssys-signature 1 ";
/// How many characters 64 bytes have in base64.
const BASE64_CHARS: usize = 88;
/// How the names of their files end.
const EXTENSION: &str = ".sig";

/// An ed25519 signature of a component's exact bytes, and by whom.
///
/// Its text, which is what is in a `.sig` file, is one line:
/// `airssys-signature 1 <public key> <base64 of 64 bytes>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    key: PublicKey,
    signature: DalekSignature,
}

impl Signature {
    pub(crate) fn new(key: PublicKey, signature: DalekSignature) -> Self {
        Self { key, signature }
    }

    /// The key that it says it is of.
    pub fn key(&self) -> PublicKey {
        self.key
    }

    /// Whether its key signed these bytes, all of which are hashed once for it.
    ///
    /// Strict: keys and signatures that fit more than one message are refused.
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        let key = self.key.verifying();
        key.is_some_and(|key| key.verify_strict(bytes, &self.signature).is_ok())
    }

    /// Reads what is in a `.sig` file. The end of the line may be missing.
    ///
    /// # Errors
    ///
    /// [`Truncated`](SignatureError::Truncated) for the beginning of a signature, and
    /// [`Malformed`](SignatureError::Malformed) for everything else.
    pub fn parse(text: &[u8]) -> Result<Self, SignatureError> {
        if text.len() > MAX_SIGNATURE_BYTES {
            return Err(Malformed::TooLarge.into());
        }
        let truncated = SignatureError::Truncated { bytes: text.len() };
        let text = str::from_utf8(text).map_err(|_| Malformed::NoSignature)?;
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let Some(rest) = line.strip_prefix(BEGINNING) else {
            return Err(match line.strip_prefix(WORD) {
                _ if BEGINNING.starts_with(line) => truncated,
                Some(_) => Malformed::Format.into(),
                None => Malformed::NoSignature.into(),
            });
        };
        let Some((key, encoded)) = rest.split_once(' ') else {
            return Err(match rest.parse::<PublicKey>() {
                Err(invalid) if !is_beginning(rest) => Malformed::Key(invalid).into(),
                _ => truncated,
            });
        };
        let key = key.parse().map_err(Malformed::Key)?;
        if encoded.len() < BASE64_CHARS && is_base64(encoded) {
            return Err(truncated);
        }
        if encoded.len() != BASE64_CHARS {
            return Err(Malformed::Bytes.into());
        }
        let bytes = STANDARD.decode(encoded).map_err(|_| Malformed::Bytes)?;
        let bytes: &[u8; SIGNATURE_LENGTH] =
            bytes.as_slice().try_into().map_err(|_| Malformed::Bytes)?;
        Ok(Self::new(key, DalekSignature::from_bytes(bytes)))
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = STANDARD.encode(self.signature.to_bytes());
        write!(f, "{BEGINNING}{} {encoded}", self.key)
    }
}

/// Where the signature of a file is looked for: its name with `.sig` behind it.
pub fn signature_path(of: &Path) -> PathBuf {
    let mut name = of.as_os_str().to_owned();
    name.push(EXTENSION);
    name.into()
}

/// What is in a signature's file, of which nothing is checked. Of one that is too large just
/// so much is read that it shows.
///
/// # Errors
///
/// When it cannot be read.
pub fn read_signature(path: &Path) -> io::Result<Vec<u8>> {
    let read = SmallFile::read(path, MAX_SIGNATURE_BYTES)?;
    Ok(read.bytes.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::signature::public_key::InvalidKey;
    use crate::security::signature::signing_key::SigningKey;
    use proptest::prelude::*;

    fn signed(bytes: &[u8]) -> Signature {
        SigningKey::from_seed(&[1; 32]).sign(bytes)
    }

    /// Whether a text is a signature of these bytes by the key of these tests.
    fn is_good(text: &[u8], bytes: &[u8]) -> bool {
        let key = SigningKey::from_seed(&[1; 32]).public();
        Signature::parse(text).is_ok_and(|it| it.key() == key && it.is_of(bytes))
    }

    #[test]
    fn its_text_is_one_line() {
        let text = signed(b"hello").to_string();
        assert_eq!(text.len(), 161);
        assert!(text.starts_with("airssys-signature 1 ed25519:iojj3XQ"));
        for end in ["", "\n", "\r\n"] {
            let read = Signature::parse(format!("{text}{end}").as_bytes()).unwrap();
            assert_eq!(read, signed(b"hello"));
            assert!(read.is_of(b"hello"));
            assert!(!read.is_of(b"hello\n"));
        }
    }

    #[test]
    fn what_is_cut_off_is_told_from_garbage() {
        let good = signed(b"").to_string();
        let truncated = |bytes| SignatureError::Truncated { bytes };
        let malformed = SignatureError::Malformed;
        let bytes = || malformed(Malformed::Bytes);
        for (text, expected) in [
            ("", truncated(0)),
            ("\n", truncated(1)),
            ("airssys", truncated(7)),
            (&format!("{}\n", &good[..100]), truncated(101)),
            ("x", malformed(Malformed::NoSignature)),
            (
                "-----BEGIN PGP SIGNATURE-----",
                malformed(Malformed::NoSignature),
            ),
            ("airssys-signature 2 x", malformed(Malformed::Format)),
            (
                "airssys-signature 1 ed25519:é",
                malformed(Malformed::Key(InvalidKey::Length { found: 2 })),
            ),
            (
                "airssys-signature 1 rsa:x ",
                malformed(Malformed::Key(InvalidKey::Prefix)),
            ),
            (&format!("{good}A"), bytes()),
            (&format!("{good} "), bytes()),
            (&format!("{good}\n\n"), bytes()),
            (&format!("{good}\n{good}"), bytes()),
            (&format!(" {good}"), malformed(Malformed::NoSignature)),
            (&good.replace("==", "=A"), bytes()),
            (&format!("{}é", &good[..100]), bytes()),
            (&"x".repeat(1 << 20), malformed(Malformed::TooLarge)),
        ] {
            let read = Signature::parse(text.as_bytes());
            assert_eq!(read, Err(expected), "{text:?}");
        }
        let binary = Signature::parse(b"\xff");
        assert_eq!(binary, Err(malformed(Malformed::NoSignature)));
    }

    #[test]
    fn any_flipped_bit_of_the_text_is_refused() {
        let text = format!("{}\n", signed(b"hello"));
        assert!(is_good(text.as_bytes(), b"hello"));
        for bit in 0..text.len() * 8 {
            let mut text = text.clone().into_bytes();
            text[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_good(&text, b"hello"), "bit {bit}");
        }
    }

    #[test]
    fn any_part_of_the_text_is_truncated() {
        let text = signed(b"hello").to_string();
        for bytes in 0..text.len() {
            let read = Signature::parse(&text.as_bytes()[..bytes]);
            assert_eq!(read, Err(SignatureError::Truncated { bytes }));
        }
    }

    #[test]
    fn its_file_is_beside_the_component() {
        let path = signature_path(Path::new("a/cart.wasm"));
        assert_eq!(path, Path::new("a/cart.wasm.sig"));
    }

    proptest! {
        #[test]
        fn any_flipped_bit_of_the_bytes_is_refused(
            mut bytes in prop::collection::vec(any::<u8>(), 1..200),
            at: prop::sample::Index,
            bit in 0..8_u8,
        ) {
            let signature = signed(&bytes);
            prop_assert!(signature.is_of(&bytes));
            let at = at.index(bytes.len());
            bytes[at] ^= 1_u8 << bit;
            prop_assert!(!signature.is_of(&bytes));
        }

        #[test]
        fn bytes_that_are_cut_or_go_on_are_refused(
            bytes in prop::collection::vec(any::<u8>(), 1..200),
            at: prop::sample::Index,
            more in prop::collection::vec(any::<u8>(), 1..10),
        ) {
            let signature = signed(&bytes);
            prop_assert!(!signature.is_of(&bytes[..at.index(bytes.len())]));
            prop_assert!(!signature.is_of(&[bytes, more].concat()));
        }

        #[test]
        fn anything_is_read_or_refused(text in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(Signature::parse(&text).is_err());
        }

        #[test]
        fn what_begins_well_is_read_or_refused(text in "airssys-signature 1 .{0,150}") {
            prop_assert!(Signature::parse(text.as_bytes()).is_err());
        }
    }
}
