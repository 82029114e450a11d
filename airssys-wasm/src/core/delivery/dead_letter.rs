//! A message that nobody will handle.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::delivery::envelope::Letter;
use crate::core::delivery::refusal::Refusal;
use crate::core::runtime::errors::WasmError;
use crate::core::turn::recorded::{RecordedTurn, bytes_of_failure};

/// A message that was accepted and could not be handled, kept for an operator.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// The message.
    pub letter: Letter,
    /// The W3C `traceparent` that came with it.
    pub trace_parent: Option<Arc<str>>,
    /// Why it was not handled.
    pub reason: DeathCause,
    /// How often it was tried. Zero if it never reached its actor.
    pub attempts: u32,
    /// The last turn that tried it, to be replayed. Absent if there was none.
    pub turn: Option<Arc<RecordedTurn>>,
    /// When it was given up, in milliseconds since the Unix epoch.
    pub at_ms: u64,
}

impl DeadLetter {
    /// The bytes of it that grow with what guests do: the message, the reason, and what the
    /// turn learnt and what came of it. The turn has the same message once more, and shares
    /// its payload.
    pub fn bytes(&self) -> usize {
        let turn = self.turn.as_ref();
        let turn = turn.map_or(0, |turn| turn.bytes_besides_letter());
        self.letter.bytes() + self.reason.bytes() + turn
    }
}

/// Why a message was not handled.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DeathCause {
    /// It never reached its actor's mailbox.
    #[error("not delivered: {0}")]
    Undelivered(Refusal),
    /// The actor could not be started to handle it.
    #[error("the actor did not start: {0}")]
    NotStarted(WasmError),
    /// The turn failed: a trap, a limit or the deadline.
    #[error("the turn failed: {0}")]
    Failed(WasmError),
    /// The guest asked for a retry once more than its policy allows.
    #[error("the guest gave up: {0}")]
    RetriesExhausted(String),
    /// The actor was stopped, or given up, while the message waited.
    #[error("waiting when the actor ended: {0}")]
    Ended(Refusal),
}

impl DeathCause {
    /// The bytes of its words, and of what a failure brings with it.
    fn bytes(&self) -> usize {
        match self {
            Self::NotStarted(error) | Self::Failed(error) => bytes_of_failure(error),
            Self::Undelivered(_) | Self::RetriesExhausted(_) | Self::Ended(_) => {
                self.to_string().len()
            }
        }
    }
}
