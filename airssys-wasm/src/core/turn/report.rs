//! What comes out of a turn.

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::core::component::MessagePayload;
use crate::core::turn::call::CallOutcome;
use crate::core::turn::effects::Effects;
use crate::core::turn::errors::CallError;

/// A turn that ran to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnReport {
    /// What the guest answered.
    pub outcome: TurnOutcome,
    /// What it wants to happen. Empty unless it replied.
    pub effects: Effects,
}

/// How a guest ended a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TurnOutcome {
    /// It succeeded. Its effects are to be committed.
    Replied(Option<MessagePayload>),
    /// It rejected the message. The sender is told; the message is not tried again.
    Rejected(String),
    /// It wants the message again later.
    Retry(String),
}

impl TurnOutcome {
    /// What whoever sent the message is told.
    pub fn into_answer(self) -> CallOutcome {
        match self {
            Self::Replied(reply) => Ok(reply),
            Self::Rejected(why) | Self::Retry(why) => Err(CallError::Rejected(why)),
        }
    }

    /// Why the guest did not succeed, in its words. Nothing if it did.
    pub fn into_words(self) -> String {
        match self {
            Self::Replied(_) => String::new(),
            Self::Rejected(why) | Self::Retry(why) => why,
        }
    }
}

/// What a turn cost, whether it ran to its end or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TurnCost {
    /// The fuel used, about one unit for each instruction. After a turn that was stopped
    /// it is at least so much: a guest keeps count by itself, and tells the engine when
    /// it calls the host and when it returns.
    pub fuel: u64,
    /// The most bytes that all memories and tables of the instance have taken up
    /// since its activation.
    pub peak_memory_bytes: u64,
}
