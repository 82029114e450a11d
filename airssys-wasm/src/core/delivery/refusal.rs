//! Why a message was not accepted.

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::delivery::envelope::Envelope;
use crate::core::limits::{Limit, LimitExceeded};
use crate::core::turn::errors::HostError;

/// A message that was not accepted, given back.
#[derive(Debug, Error)]
#[error("{reason}")]
pub struct Refused {
    /// What was to be delivered.
    pub envelope: Box<Envelope>,
    /// Why it was not.
    pub reason: Refusal,
}

/// Why a message was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Refusal {
    /// No component has this namespace and name.
    #[error("there is no such component")]
    UnknownTarget,
    /// The receiver has as many messages waiting as its mailbox holds.
    #[error("the mailbox is full")]
    MailboxFull,
    /// The receiver is not live, and too many others wait to be.
    #[error("too many actors wait for room")]
    NoRoom,
    /// The receiver is not live, and too many others of its component wait to be.
    #[error("`live_actors` allows {allowed}, and too many actors of the component wait for room")]
    TooManyLive {
        /// How many actors of the component may be live.
        allowed: u64,
    },
    /// The receiver was stopped, by an operator or since it may fail only once.
    #[error("the actor is stopped")]
    Stopped,
    /// The receiver's supervisor gave it up.
    #[error("the actor's supervisor gave it up")]
    GivenUp,
    /// The system is shutting down.
    #[error("the system is shutting down")]
    ShuttingDown,
    /// The store has failed, and the system takes nothing until it is started again.
    #[error("the store has failed; start the system again when the disk is in order")]
    StoreFailed,
    /// The id that the message was given is empty or longer than 128 bytes.
    #[error("the id of a message has 1 to 128 bytes")]
    InvalidId,
    /// The system has as many timers, or open requests, as it keeps.
    #[error("there are too many timers or open requests")]
    TooMany,
}

impl Refusal {
    /// Whether a message that is on disk can wait there until the reason is gone.
    pub(crate) fn may_pass(self) -> bool {
        matches!(
            self,
            Self::NoRoom | Self::TooManyLive { .. } | Self::ShuttingDown
        )
    }
}

impl From<Refusal> for HostError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownTarget => Self::NotFound,
            Refusal::MailboxFull | Refusal::NoRoom => Self::MailboxFull,
            Refusal::TooManyLive { allowed } => {
                Self::QuotaExceeded(LimitExceeded::beyond(Limit::LiveActors, allowed))
            }
            Refusal::Stopped
            | Refusal::GivenUp
            | Refusal::ShuttingDown
            | Refusal::StoreFailed
            | Refusal::InvalidId
            | Refusal::TooMany => Self::Unavailable(refusal.to_string()),
        }
    }
}
