//! What a turn is given besides the message.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};

/// The inputs of a turn that are neither message nor state. Two runs of one turn
/// with equal inputs do the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnContext {
    /// The actor's count of turns over its whole life, from which the ids of timers
    /// and requests are made. It never repeats for one actor.
    pub turn: u64,
    /// The time that the guest is told, in milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// The seed of the guest's random numbers, of which each turn has a stream of its own.
    /// It should be unpredictable, since guests may make secrets of what they get.
    pub seed: [u8; 32],
    /// How long the turn may take if that is less than its limit, in milliseconds: what
    /// is left to whoever waits for it.
    pub budget_ms: Option<u64>,
    /// How many turns wait for this one, each for the next.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub call_depth: u32,
    /// The W3C `traceparent` that came with the message.
    pub trace_parent: Option<Arc<str>>,
}

fn is_zero(depth: &u32) -> bool {
    *depth == 0
}
