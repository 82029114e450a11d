//! Why text is not the state of an actor.

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::limits::LimitExceeded;

/// What is wrong with lines that were to be the state of an actor, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {fault}")]
pub struct InvalidState {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub fault: StateFault,
}

/// What is wrong with a line of an actor's state.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StateFault {
    /// The first line is no header.
    #[error(
        "this is no first line of an actor's state, such as \
         {{\"format\":1,\"actor\":\"a/b/c\",\"ran_by\":null,\"keys\":0,\"bytes\":0}}: {0}"
    )]
    Header(String),
    /// The lines are of another release.
    #[error("it has format {0}, and this release reads format 1")]
    Format(u64),
    /// The state is that of an actor of another component.
    #[error(
        "it is the state of `{found}`, and `{wanted}` is of another component; change `actor` \
         here if that is meant"
    )]
    Component {
        /// Whose it is.
        found: String,
        /// Whose it was to be.
        wanted: String,
    },
    /// The line is no key with its value.
    #[error(
        "this is no key with its value, such as {{\"key\":\"k\",\"value\":\"text\"}} or \
         {{\"key\":\"k\",\"base64\":\"AP8=\"}}: {0}"
    )]
    Entry(String),
    /// The line has both sorts of value, or none.
    #[error("a key has either `value` or `base64`")]
    Value,
    /// What should be base64 is not.
    #[error("`base64` is not base64: {0}")]
    Base64(String),
    /// A key is the empty text.
    #[error("a key has at least one byte")]
    EmptyKey,
    /// There are two lines for one key.
    #[error("the key {0:?} is here a second time")]
    Duplicate(String),
    /// A key, a value or all of them are larger than they may be.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The line is longer than any that is allowed.
    #[error(
        "the line is longer than {max_bytes} bytes, which is more than a key with its value may take"
    )]
    TooLong {
        /// How long it may be.
        max_bytes: u64,
    },
    /// There is something else than the header says.
    #[error(
        "the first line says that there are {said} {what}, and there are {found}; is it whole?"
    )]
    Count {
        /// Keys or bytes.
        what: &'static str,
        /// How many the header says.
        said: u64,
        /// How many there are.
        found: u64,
    },
    /// There are no lines.
    #[error("there is nothing")]
    Empty,
}
