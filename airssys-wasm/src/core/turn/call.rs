//! A call that a turn waits for, and the reply to a request.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::core::component::MessagePayload;
use crate::core::component::id::ComponentId;
use crate::core::turn::errors::CallError;

/// A call from inside a turn, whose reply the turn waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Who calls.
    pub from: ComponentId,
    /// Who is called.
    pub to: ComponentId,
    /// What the message is.
    pub kind: String,
    /// The content.
    pub payload: MessagePayload,
    /// How long the caller waits, in milliseconds.
    pub timeout_ms: u32,
    /// How many turns wait for the reply, each for the next, the caller's included.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub depth: u32,
    /// The W3C `traceparent` of the turn that calls.
    pub trace_parent: Option<Arc<str>>,
}

fn is_zero(depth: &u32) -> bool {
    *depth == 0
}

/// What comes back from a call or a request.
pub type CallOutcome = Result<Option<MessagePayload>, CallError>;

/// The reply to an earlier request, which its actor handles in a turn of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The number that the request got.
    pub correlation: u64,
    /// The replier's answer, or why there is none.
    pub outcome: CallOutcome,
}
