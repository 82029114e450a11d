//! Why a component is not trusted.

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::security::signature::detached::MAX_SIGNATURE_BYTES;
use crate::security::signature::expiry::Expiry;
use crate::security::signature::public_key::{InvalidKey, PublicKey};

/// Why a component is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// There is no signature, and there has to be one.
    #[error(
        "it is not signed, and only what a trusted key has signed is taken; sign it with \
         `airssys sign`, and keep the .sig file beside it"
    )]
    Missing,
    /// The signature ends too early.
    #[error(
        "its signature is cut off after {bytes} bytes; copy the whole .sig file, or sign anew \
         with `airssys sign`"
    )]
    Truncated {
        /// How many bytes there are.
        bytes: usize,
    },
    /// What should be the signature is none.
    #[error("its signature cannot be read: {0}; name the .sig file that `airssys sign` wrote")]
    Malformed(#[from] Malformed),
    /// A key signed it that is not trusted.
    #[error(
        "it is signed by {key}, and that key is not trusted; if you trust whoever has it, add \
         it to [[security.keys]]"
    )]
    UnknownKey {
        /// The key that the signature names.
        key: PublicKey,
    },
    /// The key that signed it is trusted no longer.
    #[error(
        "it is signed by the key `{key}`, which expired at {not_after}; sign it with another \
         key, or set a later `not_after`"
    )]
    Expired {
        /// The key's name.
        key: String,
        /// When it expired.
        not_after: Expiry,
    },
    /// It is not what was signed.
    #[error(
        "it is not what the key `{key}` signed: it, or its signature, was changed; get both \
         from whoever signed it"
    )]
    Tampered {
        /// The key's name.
        key: String,
    },
    /// The check was broken off, because the program ends or has a bug.
    #[error("the check of its signature was broken off; try again")]
    BrokenOff,
}

/// Why something is no signature.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Malformed {
    /// It is larger than any signature.
    #[error("it has more than {MAX_SIGNATURE_BYTES} bytes")]
    TooLarge,
    /// It begins otherwise.
    #[error("it does not begin with `airssys-signature`")]
    NoSignature,
    /// It is of a format that is to come.
    #[error("its format is not known, 1 being the only one")]
    Format,
    /// What stands for the key is none.
    #[error("{0}")]
    Key(#[from] InvalidKey),
    /// What stands behind the key is not 64 bytes in base64.
    #[error("behind the key there must be 64 bytes in base64, and nothing else")]
    Bytes,
}
