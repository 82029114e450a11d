//! Dead letters as JSON.

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::delivery::dead_letter::{DeadLetter, DeathCause};
use airssys_wasm::core::delivery::envelope::Letter;
use airssys_wasm::core::runtime::errors::WasmError;
use airssys_wasm::messaging::dead_letters::DeadLetterId;
use serde::Serialize;

// Layer 3: Internal module imports
use crate::text::Data;

/// A dead letter in a list.
#[derive(Debug, Serialize)]
pub(crate) struct Summary<'a> {
    id: DeadLetterId,
    to: &'a ComponentId,
    from: &'a ComponentId,
    /// A message's kind, or `reply`.
    kind: &'a str,
    payload_bytes: usize,
    reason: String,
    attempts: u32,
    /// In milliseconds since the Unix epoch.
    at_ms: u64,
    /// Whether its last turn can be replayed.
    has_turn: bool,
}

/// A dead letter with all that is known of it.
#[derive(Debug, Serialize)]
pub(crate) struct Whole<'a> {
    #[serde(flatten)]
    summary: Summary<'a>,
    payload: Data,
    /// The guest's functions where it trapped, innermost first.
    backtrace: &'a [String],
    trace_parent: Option<&'a str>,
}

impl<'a> Summary<'a> {
    /// What a list shows of a letter.
    pub(crate) fn of(id: DeadLetterId, dead: &'a DeadLetter) -> Self {
        let letter = &dead.letter;
        Self {
            id,
            to: letter.to(),
            from: letter.from(),
            kind: letter.kind(),
            payload_bytes: payload(letter).len(),
            reason: dead.reason.to_string(),
            attempts: dead.attempts,
            at_ms: dead.at_ms,
            has_turn: dead.turn.is_some(),
        }
    }
}

impl<'a> Whole<'a> {
    /// All of a letter.
    pub(crate) fn of(id: DeadLetterId, dead: &'a DeadLetter) -> Self {
        Self {
            summary: Summary::of(id, dead),
            payload: Data(payload(&dead.letter)),
            backtrace: backtrace(&dead.reason),
            trace_parent: dead.trace_parent.as_deref(),
        }
    }
}

/// What a letter carries. A reply that is an error carries nothing.
fn payload(letter: &Letter) -> MessagePayload {
    match letter {
        Letter::Message(message) => message.payload().clone(),
        Letter::Reply(reply) => match &reply.reply.outcome {
            Ok(payload) => payload.clone().unwrap_or_default(),
            Err(_) => MessagePayload::empty(),
        },
    }
}

fn backtrace(cause: &DeathCause) -> &[String] {
    match cause {
        DeathCause::Failed(WasmError::RuntimeError(fault))
        | DeathCause::NotStarted(WasmError::RuntimeError(fault)) => &fault.backtrace,
        _ => &[],
    }
}
