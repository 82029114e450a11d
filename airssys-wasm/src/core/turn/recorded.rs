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
use crate::core::turn::errors::{CallError, HostError};
use crate::core::turn::report::{TurnOutcome, TurnReport};

/// About what each thing that is noted takes up besides its texts and values, in bytes: its
/// place in a list or a tree, and what the allocator adds for each text.
const NOTE_BYTES: usize = 64;

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

impl DeniedUse {
    /// The bytes of what was wanted, and of what the guest was told.
    pub(crate) fn bytes(&self) -> usize {
        bytes_of_denied(&self.resource, &self.error)
    }
}

impl ForeignRead {
    /// The bytes of the key, and of what came back.
    pub(crate) fn bytes(&self) -> usize {
        let read = match &self.outcome {
            Ok(value) => value.as_ref().map_or(0, Bytes::len),
            Err(error) => bytes_of_error(error),
        };
        NOTE_BYTES + self.owner.as_str().len() + self.key.len() + read
    }
}

impl Learnt {
    /// About how many bytes it keeps: all its texts and values, and some for each of them.
    pub fn bytes(&self) -> usize {
        let keys = self.keys.iter();
        let read: usize = keys
            .map(|(key, value)| bytes_of_read(key, value.as_ref()))
            .sum();
        let denied: usize = self.denied.iter().map(DeniedUse::bytes).sum();
        let foreign: usize = self.foreign.iter().map(ForeignRead::bytes).sum();
        let refused: usize = self.refusals.values().map(bytes_of_refusal).sum();
        let calls = self.calls.iter();
        let called: usize = calls
            .map(|(call, outcome)| bytes_of_call(call, outcome))
            .sum();
        let components = self.components.iter().flat_map(|names| names.iter());
        let names: usize = components.map(|name| NOTE_BYTES + name.len()).sum();
        read + denied + foreign + refused + called + names
    }
}

impl RecordedTurn {
    /// About how many bytes it keeps.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.letter.bytes() + self.bytes_besides_letter()
    }

    /// The bytes of what it learnt and of what came of it.
    pub fn bytes_besides_letter(&self) -> usize {
        let came_of_it = match &self.result {
            Ok(report) => report.effects.bytes() + bytes_of_ending(&report.outcome),
            Err(error) => bytes_of_failure(error),
        };
        self.learnt.bytes() + came_of_it
    }
}

/// The bytes of a key that was read, and of what it had.
pub(crate) fn bytes_of_read(key: &str, value: Option<&Bytes>) -> usize {
    NOTE_BYTES + key.len() + value.map_or(0, Bytes::len)
}

/// The bytes of a use that was denied.
pub(crate) fn bytes_of_denied(resource: &str, error: &HostError) -> usize {
    NOTE_BYTES + resource.len() + bytes_of_error(error)
}

/// The bytes of a target's refusal.
pub(crate) fn bytes_of_refusal(error: &HostError) -> usize {
    NOTE_BYTES + bytes_of_error(error)
}

/// The bytes of a call, and of what came back. It is large before it has any text.
pub(crate) fn bytes_of_call(call: &Call, outcome: &CallOutcome) -> usize {
    let addresses = call.from.as_str().len() + call.to.as_str().len();
    let sent = call.kind.len() + call.payload.len();
    let trace = call.trace_parent.as_ref().map_or(0, |parent| parent.len());
    let answered = match outcome {
        Ok(reply) => reply.as_ref().map_or(0, MessagePayload::len),
        Err(CallError::Rejected(why) | CallError::Failed(why)) => why.len(),
        Err(CallError::Host(error)) => bytes_of_error(error),
    };
    let itself = size_of::<(Call, CallOutcome)>();
    NOTE_BYTES + itself + addresses + sent + trace + answered
}

/// The bytes of a failure: its words, and the names of the functions that it passed, which
/// are the guest's and of any length.
pub(crate) fn bytes_of_failure(error: &WasmError) -> usize {
    let backtrace = match error {
        WasmError::RuntimeError(fault) => fault.backtrace.as_slice(),
        _ => &[],
    };
    let names: usize = backtrace.iter().map(|name| NOTE_BYTES + name.len()).sum();
    error.to_string().len() + names
}

fn bytes_of_ending(outcome: &TurnOutcome) -> usize {
    match outcome {
        TurnOutcome::Replied(reply) => reply.as_ref().map_or(0, MessagePayload::len),
        TurnOutcome::Rejected(why) | TurnOutcome::Retry(why) => why.len(),
    }
}

/// The bytes of the words of an error that has words of its own.
fn bytes_of_error(error: &HostError) -> usize {
    match error {
        HostError::Denied(why) | HostError::Invalid(why) | HostError::Unavailable(why) => why.len(),
        HostError::NotFound
        | HostError::MailboxFull
        | HostError::TooLarge(_)
        | HostError::QuotaExceeded(_)
        | HostError::Timeout
        | HostError::Deadlock => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::component::message::ComponentMessage;
    use crate::core::runtime::errors::{FaultKind, GuestFault};
    use crate::core::turn::notes::Notes;

    const LONG: usize = 1_000;

    fn long() -> String {
        "x".repeat(LONG)
    }

    fn call() -> Call {
        Call {
            from: ComponentId::new("a", "b", "c"),
            to: ComponentId::new("a", "b", "d"),
            kind: String::new(),
            payload: MessagePayload::from(Vec::new()),
            timeout_ms: 1,
            depth: 0,
            trace_parent: None,
        }
    }

    /// One long text in each place where a turn has texts.
    fn each_place() -> Vec<Learnt> {
        let error = || HostError::Denied(long());
        let denied = |resource: String, error| Learnt {
            denied: vec![DeniedUse {
                capability: Capability::Secrets,
                resource,
                error,
            }],
            ..Learnt::default()
        };
        let foreign = |owner: &str, key: String, outcome| Learnt {
            foreign: vec![ForeignRead {
                owner: ComponentId::new("a", owner, "c"),
                key,
                outcome,
            }],
            ..Learnt::default()
        };
        let called = |call: Call, outcome| Learnt {
            calls: vec![(call, outcome)],
            ..Learnt::default()
        };
        let kept = |key: String, value| Learnt {
            keys: BTreeMap::from([(key, value)]),
            ..Learnt::default()
        };
        let far = || ComponentId::new("a", "b", long());
        let rejected = CallError::Rejected(long());
        vec![
            kept(long(), None),
            kept(String::new(), Some(Bytes::from(long()))),
            denied(long(), HostError::NotFound),
            denied(String::new(), error()),
            foreign(&long(), String::new(), Ok(None)),
            foreign("b", long(), Ok(None)),
            foreign("b", String::new(), Ok(Some(Bytes::from(long())))),
            foreign("b", String::new(), Err(error())),
            Learnt {
                refusals: BTreeMap::from([(0, error())]),
                ..Learnt::default()
            },
            called(
                Call {
                    to: far(),
                    ..call()
                },
                Ok(None),
            ),
            called(
                Call {
                    from: far(),
                    ..call()
                },
                Ok(None),
            ),
            called(
                Call {
                    kind: long(),
                    ..call()
                },
                Ok(None),
            ),
            called(
                Call {
                    payload: MessagePayload::from(long()),
                    ..call()
                },
                Ok(None),
            ),
            called(
                Call {
                    trace_parent: Some(long().into()),
                    ..call()
                },
                Ok(None),
            ),
            called(call(), Ok(Some(MessagePayload::from(long())))),
            called(call(), Err(rejected)),
            called(call(), Err(CallError::Host(error()))),
            Learnt {
                components: Some(Arc::new([long()])),
                ..Learnt::default()
            },
        ]
    }

    #[test]
    fn all_that_a_turn_learnt_is_counted() {
        for learnt in each_place() {
            let bytes = learnt.bytes();
            assert!((LONG + NOTE_BYTES..2 * LONG).contains(&bytes), "{learnt:?}");
        }
        // Short ones are not free either, however many there are.
        let empty = |key: usize| (key.to_string(), None);
        let learnt = Learnt {
            keys: (0..100).map(empty).collect(),
            refusals: (0..100).map(|it| (it, HostError::MailboxFull)).collect(),
            ..Learnt::default()
        };
        assert!(learnt.bytes() >= 200 * NOTE_BYTES);
        assert_eq!(Learnt::default().bytes(), 0);
    }

    #[test]
    fn what_came_of_a_turn_is_counted() {
        let turn = |result| RecordedTurn {
            actor: ComponentId::new("a", "b", "c"),
            component: Digest::of(b""),
            letter: Letter::Message(ComponentMessage::new(
                ComponentId::new("a", "b", "c"),
                ComponentId::new("a", "b", "d"),
                String::new(),
                MessagePayload::from(Vec::new()),
            )),
            context: TurnContext::default(),
            learnt: Learnt::default(),
            result,
        };
        let ended = |outcome| {
            Ok(TurnReport {
                outcome,
                effects: Default::default(),
            })
        };
        let mut fault = GuestFault::new(FaultKind::Unreachable, "");
        fault.backtrace = vec![String::new(), long()];
        for result in [
            ended(TurnOutcome::Replied(Some(MessagePayload::from(long())))),
            ended(TurnOutcome::Rejected(long())),
            ended(TurnOutcome::Retry(long())),
            Err(WasmError::RuntimeError(fault)),
            Err(WasmError::InstantiationFailed(long())),
        ] {
            let turn = turn(result);
            assert!(turn.bytes_besides_letter() >= LONG, "{turn:?}");
        }
    }

    /// Each use that is denied is noted with what the guest was told, which may be longer
    /// than what it had asked for.
    #[test]
    fn a_turn_is_denied_no_more_than_is_noted_of_one() {
        let mut notes = Notes::default();
        notes.begin();
        for number in 0..4_000 {
            let told = HostError::Denied(long());
            notes.denied(Capability::Secrets, &number.to_string(), &told);
        }
        let learnt = notes.take(&Default::default());
        assert!(learnt.is_cut);
        assert!(
            (900_000..=1 << 20).contains(&learnt.bytes()),
            "{}",
            learnt.bytes()
        );
        let texts = |it: &DeniedUse| it.resource.len() + it.error.to_string().len();
        assert!(learnt.denied.iter().map(texts).sum::<usize>() <= 1 << 20);
    }
}
