//! The words for keys and signatures: what is wrong, why, and what to do.

// Layer 1: Standard library imports
use std::fmt::Display;

// Layer 2: Third-party crate imports
use airssys_wasm::security::signature::error::SignatureError;
use airssys_wasm::security::signature::key_error::KeyError;

// Layer 3: Internal module imports
use crate::exit::Exit;
use crate::failure::Failure;

/// What the words of all problems with signatures begin with.
pub(crate) const KIND_PREFIX: &str = "signature-";

/// Explains why a component is not trusted.
pub(crate) fn not_trusted(what: impl Display, error: &SignatureError) -> Failure {
    let (kind, next) = words(error);
    Failure::new(Exit::NotTrusted, kind, format!("{what} is not trusted"))
        .because(error)
        .next(next)
}

/// The word for programs, and what to do.
pub(crate) fn words(error: &SignatureError) -> (&'static str, &'static str) {
    match error {
        SignatureError::Missing => (
            "signature-missing",
            "`airssys sign COMPONENT --key NAME.key` writes the .sig file beside it",
        ),
        SignatureError::Truncated { .. } => (
            "signature-truncated",
            "get the .sig file again, or make it anew with `airssys sign`",
        ),
        SignatureError::Malformed(_) => (
            "signature-malformed",
            "name the right file with `--signature`, or make it anew with `airssys sign`",
        ),
        SignatureError::UnknownKey { .. } => (
            "signature-unknown-key",
            "trust that key only if you know whose it is: under [[security.keys]] in \
             airssys.toml, or with `airssys verify --key`",
        ),
        SignatureError::Expired { .. } => (
            "signature-expired",
            "make a new key with `airssys keygen`, and sign the component with that",
        ),
        SignatureError::Tampered { .. } => (
            "signature-tampered",
            "do not run it: get it and its .sig file again from where they came",
        ),
        _ => ("signature-unchecked", "try again"),
    }
}

/// Explains why a key was not made, read or written.
pub(crate) fn no_key(error: &KeyError) -> Failure {
    let (kind, message, next) = match error {
        KeyError::NoRandom(_) => {
            let message = "there are no random numbers to make a key of";
            return Failure::new(Exit::Internal, "internal", message).because(error);
        }
        KeyError::Exists(_) => (
            "exists",
            "the key was not written",
            "choose another name with `--out`",
        ),
        KeyError::TooOpen { .. } => (
            "key-not-private",
            "the private key is not private",
            "`chmod 600` its file; if somebody may have read it, make a new key with \
             `airssys keygen`",
        ),
        KeyError::NotPrivate(_) => (
            "not-a-key",
            "this is no private key",
            "name the .key file that `airssys keygen` made",
        ),
        KeyError::Public { .. } => (
            "not-a-key",
            "this is no public key",
            "name the .pub file that `airssys keygen` made, or the key itself: `ed25519:…`",
        ),
        _ => (
            "io",
            "the file of a key cannot be used",
            "check the path and the rights",
        ),
    };
    Failure::new(Exit::Io, kind, message)
        .because(error)
        .next(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use airssys_wasm::security::signature::detached::Signature;

    #[test]
    fn every_problem_has_its_word_a_cause_and_a_next_step() {
        let errors = [
            SignatureError::Missing,
            SignatureError::Truncated { bytes: 1 },
            Signature::parse(b"x").unwrap_err(),
            SignatureError::Tampered { key: "ci".into() },
        ];
        for error in &errors {
            let failure = not_trusted("a.wasm", error);
            assert!(failure.kind.starts_with(KIND_PREFIX));
            assert_eq!(failure.exit, Exit::NotTrusted);
            assert_eq!(failure.message, "a.wasm is not trusted");
            assert!(!failure.cause.is_empty() && !failure.next.is_empty());
        }
    }
}
