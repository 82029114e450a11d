//! The errors of a turn and of the host functions.

// Layer 1: Standard library imports
use std::error::Error;
use std::fmt::{self, Display, Formatter};

/// How a turn ends when it does not succeed.
///
/// Either way none of its effects take place: nothing that the turn has written,
/// sent or scheduled remains.
///
/// A host function's error becomes a `TurnError` through `?`. What may pass by
/// itself ([`HostError::MailboxFull`] and [`HostError::Timeout`]) becomes
/// [`Retry`](TurnError::Retry), everything else [`Reject`](TurnError::Reject).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TurnError {
    /// The message is at fault. Its sender gets this text as an error, and the
    /// message is not tried again.
    Reject(String),
    /// The moment is at fault. The message is tried again after a pause, as the
    /// component's retry policy says.
    Retry(String),
}

impl TurnError {
    /// A [`Reject`](TurnError::Reject) with this text.
    pub fn reject(reason: impl Display) -> Self {
        Self::Reject(reason.to_string())
    }

    /// A [`Retry`](TurnError::Retry) with this text.
    pub fn retry(reason: impl Display) -> Self {
        Self::Retry(reason.to_string())
    }
}

impl Display for TurnError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reject(reason) => write!(f, "rejected: {reason}"),
            Self::Retry(reason) => write!(f, "to be tried again: {reason}"),
        }
    }
}

impl Error for TurnError {}

impl From<HostError> for TurnError {
    fn from(error: HostError) -> Self {
        if error.may_pass() {
            Self::retry(error)
        } else {
            Self::reject(error)
        }
    }
}

impl From<CallError> for TurnError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Host(error) => error.into(),
            CallError::Rejected(_) | CallError::Failed(_) => Self::reject(error),
        }
    }
}

/// Why the host did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostError {
    /// The actor was not granted this. The text names what is missing.
    Denied(String),
    /// There is no such actor, key or timer.
    NotFound,
    /// The receiver's mailbox is full. Trying later may succeed.
    MailboxFull,
    /// A size is over its limit. The text names the limit and the size.
    TooLarge(String),
    /// The turn or the actor has used up a quota. The text names it.
    QuotaExceeded(String),
    /// No answer came in time.
    Timeout,
    /// Waiting would never end, because the callee waits for this very turn.
    Deadlock,
    /// An argument is malformed. The text says what is expected.
    Invalid(String),
    /// The host does not offer this here. The text says why.
    Unavailable(String),
}

impl HostError {
    /// The error's name in the contract, for example `mailbox-full`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Denied(_) => "denied",
            Self::NotFound => "not-found",
            Self::MailboxFull => "mailbox-full",
            Self::TooLarge(_) => "too-large",
            Self::QuotaExceeded(_) => "quota-exceeded",
            Self::Timeout => "timeout",
            Self::Deadlock => "deadlock",
            Self::Invalid(_) => "invalid",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// Whether the same thing may succeed later with nobody changing anything.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::MailboxFull | Self::Timeout)
    }

    fn detail(&self) -> Option<&str> {
        match self {
            Self::Denied(text)
            | Self::TooLarge(text)
            | Self::QuotaExceeded(text)
            | Self::Invalid(text)
            | Self::Unavailable(text) => Some(text),
            Self::NotFound | Self::MailboxFull | Self::Timeout | Self::Deadlock => None,
        }
    }
}

impl Display for HostError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self.detail() {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl Error for HostError {}

/// Why a call or a request brought no reply.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError {
    /// The callee rejected the message, with this text.
    Rejected(String),
    /// The callee failed: it trapped, met a limit, or ran out of retries.
    Failed(String),
    /// The host could not carry out the call.
    Host(HostError),
}

impl CallError {
    /// The error's name in the contract: `rejected`, `failed`, or the name of the
    /// [`HostError`].
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rejected(_) => "rejected",
            Self::Failed(_) => "failed",
            Self::Host(error) => error.name(),
        }
    }
}

impl Display for CallError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(reason) => write!(f, "rejected: {reason}"),
            Self::Failed(reason) => write!(f, "failed: {reason}"),
            Self::Host(error) => error.fmt(f),
        }
    }
}

impl Error for CallError {}

impl From<HostError> for CallError {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}

/// Why an actor could not start, migrate, or is not well: a text for the operator.
///
/// It is made out of anything that can be displayed, so that `?` works on every
/// error and `Err("no such shard".into())` on a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(pub String);

// `Failure` itself must not implement `Display`: this would overlap with the
// standard library's `From<T> for T`.
impl<E: Display> From<E> for Failure {
    fn from(reason: E) -> Self {
        Self(reason.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_retried_and_the_rest_rejected() {
        let retried = TurnError::from(HostError::MailboxFull);
        assert_eq!(retried, TurnError::Retry("mailbox-full".into()));

        let rejected = TurnError::from(HostError::Denied("storage".into()));
        assert_eq!(rejected, TurnError::Reject("denied: storage".into()));
    }

    #[test]
    fn a_failed_call_keeps_its_reason() {
        let timeout = CallError::from(HostError::Timeout);
        assert_eq!(timeout.name(), "timeout");
        assert_eq!(TurnError::from(timeout), TurnError::Retry("timeout".into()));

        let rejected = CallError::Rejected("no stock".into());
        assert_eq!(
            TurnError::from(rejected),
            TurnError::Reject("rejected: no stock".into())
        );
    }

    #[test]
    fn a_failure_is_made_of_any_error() {
        fn parse() -> Result<u8, Failure> {
            Ok("300".parse::<u8>()?)
        }
        assert_eq!(
            parse(),
            Err(Failure("number too large to fit in target type".into()))
        );
    }
}
