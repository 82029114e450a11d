//! Why a text is no policy.

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::mistake::Mistake;

/// The largest policy that is read, in bytes: 1 MiB.
pub const MAX_POLICY_BYTES: usize = 1 << 20;
/// The most rules of a policy. Each new question is put to all of them, at about a
/// microsecond each, while a guest's turn waits.
pub const MAX_RULES: usize = 1_000;
/// The most mistakes that are told at once.
pub const MAX_MISTAKES: usize = 8;

/// Why a text is no policy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Something in it is wrong, at places that are shown: the first [`MAX_MISTAKES`].
    #[error("{}", in_lines(.0))]
    Mistakes(Vec<Mistake>),
    /// It is too large.
    #[error("{0}: this is larger than {MAX_POLICY_BYTES} bytes, the most that a policy may have")]
    TooLarge(String),
    /// It has too many rules.
    #[error("{0}: there are more than {MAX_RULES} rules, the most that a policy may have")]
    TooManyRules(String),
    /// It has no rules.
    #[error(
        "{0}: there is no rule, which would deny everything; if that is meant, write \
         `forbid (principal, action, resource);`"
    )]
    NoRules(String),
    /// It is no text.
    #[error("{file}: line {line} is not UTF-8; save the file as UTF-8")]
    NotUtf8 {
        /// The file.
        file: String,
        /// The first line that is no text, from 1.
        line: usize,
    },
    /// It cannot be read, and no place says why.
    #[error("{file}: {message}")]
    NotRead {
        /// The file.
        file: String,
        /// What is wrong.
        message: String,
    },
}

fn in_lines(mistakes: &[Mistake]) -> String {
    let shown: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    shown.join("\n")
}
