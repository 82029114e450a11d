//! What a guest is told when the host does not do what it asked.

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::limits::{Limit, LimitExceeded};

/// Why the host did not do what a guest asked. The guest's turn goes on: these are
/// its mistakes or its bad luck, never a fault of the host.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum HostError {
    /// The actor was not granted this.
    #[error("denied: {0}")]
    Denied(String),
    /// There is no such actor, key or timer.
    #[error("not found")]
    NotFound,
    /// The receiver's mailbox is full.
    #[error("the mailbox is full")]
    MailboxFull,
    /// A size is over its limit.
    #[error("too large: {0}")]
    TooLarge(LimitExceeded),
    /// The turn or the actor has used up a quota.
    #[error("quota exceeded: {0}")]
    QuotaExceeded(LimitExceeded),
    /// No answer came in time.
    #[error("no answer came in time")]
    Timeout,
    /// Waiting would never end.
    #[error("deadlock: the callee waits for this turn")]
    Deadlock,
    /// An argument is malformed.
    #[error("invalid: {0}")]
    Invalid(String),
    /// The host does not offer this here.
    #[error("unavailable: {0}")]
    Unavailable(String),
}

impl HostError {
    /// Refuses one value that is larger than allowed.
    pub(crate) fn check_size(limit: Limit, allowed: u64, observed: usize) -> Result<(), Self> {
        LimitExceeded::check(limit, allowed, observed as u64).map_err(Self::TooLarge)
    }

    /// Refuses what would take a running total beyond what is allowed.
    pub(crate) fn check_quota(limit: Limit, allowed: u64, observed: u64) -> Result<(), Self> {
        LimitExceeded::check(limit, allowed, observed).map_err(Self::QuotaExceeded)
    }
}

/// Why a call or a request brought no reply.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallError {
    /// The callee rejected the message.
    #[error("rejected: {0}")]
    Rejected(String),
    /// The callee trapped, met a limit, or ran out of retries.
    #[error("failed: {0}")]
    Failed(String),
    /// The host could not carry out the call.
    #[error(transparent)]
    Host(#[from] HostError),
}
