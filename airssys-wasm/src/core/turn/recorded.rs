//! A turn's inputs and what came of it, kept so that it can be run again.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use bytes::Bytes;
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::core::component::MessagePayload;
use crate::core::component::digest::Digest;
use crate::core::component::id::ComponentId;
use crate::core::delivery::envelope::Letter;
use crate::core::runtime::errors::WasmError;
use crate::core::security::capability::Capability;
use crate::core::turn::call::{Call, CallOutcome};
use crate::core::turn::context::TurnContext;
use crate::core::turn::errors::HostError;
use crate::core::turn::report::TurnReport;

/// One turn: everything that went into it, and what came out.
///
/// Run again on the same component with the same inputs, it does the same. What a guest
/// keeps in its own memory between turns is no input, and is not here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedTurn {
    /// Whose turn it was.
    pub actor: ComponentId,
    /// The component that ran it.
    pub component: Digest,
    /// What it handled.
    pub letter: Letter,
    /// Its time, seed and number.
    pub context: TurnContext,
    /// What it learnt from its host.
    pub learnt: Learnt,
    /// What came of it.
    pub result: Result<TurnReport, WasmError>,
}

/// What a turn learnt from its host, apart from what it was given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learnt {
    /// The committed keys that it saw, and those that it asked for in vain.
    pub keys: BTreeMap<String, Option<Bytes>>,
    /// How many bytes and keys the actor had.
    pub usage: (u64, u64),
    /// What it was denied, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<DeniedUse>,
    /// What it read of other actors, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign: Vec<ForeignRead>,
    /// Which of the targets that it wanted to send to were refused, counted from zero.
    pub refusals: BTreeMap<u64, HostError>,
    /// The calls that it made, in order, and what came back.
    pub calls: Vec<(Call, CallOutcome)>,
    /// The components that it was told of, if it asked.
    pub components: Option<Arc<[String]>>,
    /// Whether there was more than is kept, or something from outside: files, the network,
    /// the real time. The turn cannot be run again then.
    pub is_cut: bool,
}

/// The use of a capability that a turn was denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeniedUse {
    /// The capability.
    pub capability: Capability,
    /// For what.
    pub resource: String,
    /// What the guest was told.
    pub error: HostError,
}

/// A key of another actor that a turn read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignRead {
    /// Whose key it is.
    pub owner: ComponentId,
    /// The key.
    pub key: String,
    /// What came back.
    pub outcome: Result<Option<Bytes>, HostError>,
}

impl ForeignRead {
    /// The bytes of the key and of what was read.
    pub(crate) fn bytes(&self) -> usize {
        let value = self.outcome.as_ref().map_or(None, Option::as_ref);
        self.key.len() + value.map_or(0, Bytes::len)
    }
}

impl RecordedTurn {
    /// About how many bytes it keeps.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.letter.bytes() + self.bytes_besides_letter()
    }

    /// The bytes of what it learnt and of what came of it.
    pub fn bytes_besides_letter(&self) -> usize {
        let keys = self.learnt.keys.iter();
        let read: usize = keys
            .map(|(key, value)| key.len() + value.as_ref().map_or(0, Bytes::len))
            .sum();
        let foreign: usize = self.learnt.foreign.iter().map(ForeignRead::bytes).sum();
        let calls = self.learnt.calls.iter();
        let called: usize = calls
            .map(|(call, outcome)| call.payload.len() + bytes_of_outcome(outcome))
            .sum();
        let effects = match &self.result {
            Ok(report) => report.effects.bytes(),
            Err(error) => error.to_string().len() + bytes_of_backtrace(error),
        };
        read + foreign + called + effects
    }
}

fn bytes_of_outcome(outcome: &CallOutcome) -> usize {
    match outcome {
        Ok(reply) => reply.as_ref().map_or(0, MessagePayload::len),
        Err(error) => error.to_string().len(),
    }
}

fn bytes_of_backtrace(error: &WasmError) -> usize {
    match error {
        WasmError::RuntimeError(fault) => fault.backtrace.iter().map(String::len).sum(),
        _ => 0,
    }
}
