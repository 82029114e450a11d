//! A message that was given up, on disk.

// Layer 1: Standard library imports
use std::borrow::Cow;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::core::delivery::dead_letter::{DeadLetter, DeathCause};
use crate::core::delivery::envelope::Letter;
use crate::core::turn::recorded::RecordedTurn;

/// A row of `dead-letters`, which [describes itself](super::cbor). The names of its fields,
/// and of the fields and variants of what it holds, are format version 1: one that is
/// renamed keeps its old name on disk, and a field that is added has a default.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeadLetterRow<'a> {
    letter: Cow<'a, Letter>,
    trace_parent: Option<Arc<str>>,
    reason: Cow<'a, DeathCause>,
    attempts: u32,
    turn: Option<Arc<RecordedTurn>>,
    at_ms: u64,
}

impl<'a> From<&'a DeadLetter> for DeadLetterRow<'a> {
    fn from(dead: &'a DeadLetter) -> Self {
        Self {
            letter: Cow::Borrowed(&dead.letter),
            trace_parent: dead.trace_parent.clone(),
            reason: Cow::Borrowed(&dead.reason),
            attempts: dead.attempts,
            turn: dead.turn.clone(),
            at_ms: dead.at_ms,
        }
    }
}

impl From<DeadLetterRow<'_>> for DeadLetter {
    fn from(row: DeadLetterRow<'_>) -> Self {
        Self {
            letter: row.letter.into_owned(),
            trace_parent: row.trace_parent,
            reason: row.reason.into_owned(),
            attempts: row.attempts,
            turn: row.turn,
            at_ms: row.at_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::component::digest::Digest;
    use crate::core::component::id::ComponentId;
    use crate::core::delivery::refusal::Refusal;
    use crate::core::limits::{Limit, LimitExceeded};
    use crate::core::runtime::errors::{
        ComponentFault, FaultKind, GuestFault, MissingExport, NeedsFault, WasmError,
    };
    use crate::core::turn::errors::{CallError, HostError};
    use crate::core::turn::report::TurnOutcome;
    use crate::storage::codec::cbor;
    use crate::storage::tables::table::Table;
    use serde::de::DeserializeOwned;
    use serde_json::to_string;
    use std::fmt::Debug;

    /// Checks the names of variants, as JSON: a disk has the same names.
    fn check<T: Serialize + DeserializeOwned + Debug>(
        cases: impl IntoIterator<Item = (T, &'static str)>,
    ) {
        for (value, expected) in cases {
            let text = to_string(&value).unwrap();
            assert!(text.contains(expected), "{text}");
            let bytes = cbor::encode(&value).unwrap();
            let read: T = cbor::decode(Table::DeadLetters, &bytes).unwrap();
            assert_eq!(format!("{read:?}"), format!("{value:?}"));
        }
    }

    fn words() -> String {
        "words".into()
    }

    #[test]
    fn reasons_have_these_names_on_disk() {
        let fault = || WasmError::InstantiationFailed(words());
        check([
            (DeathCause::Undelivered(Refusal::NoRoom), "{\"undelivered\""),
            (DeathCause::NotStarted(fault()), "{\"not-started\""),
            (DeathCause::Failed(fault()), "{\"failed\""),
            (
                DeathCause::RetriesExhausted(words()),
                "{\"retries-exhausted\"",
            ),
            (DeathCause::Ended(Refusal::Stopped), "{\"ended\""),
        ]);
        check([
            (Refusal::UnknownTarget, "unknown-target"),
            (Refusal::MailboxFull, "mailbox-full"),
            (Refusal::NoRoom, "no-room"),
            (Refusal::TooManyLive { allowed: 1 }, "{\"too-many-live\""),
            (Refusal::Stopped, "stopped"),
            (Refusal::GivenUp, "given-up"),
            (Refusal::ShuttingDown, "shutting-down"),
            (Refusal::TooMany, "too-many"),
        ]);
    }

    #[test]
    fn faults_have_these_names_on_disk() {
        let limit = LimitExceeded::beyond(Limit::TurnFuel, 1);
        let export = MissingExport {
            export: words(),
            found: None,
        };
        check([
            (
                WasmError::ComponentNotFound(words()),
                "{\"component-not-found\"",
            ),
            (
                WasmError::InstantiationFailed(words()),
                "{\"instantiation-failed\"",
            ),
            (
                WasmError::ExportNotFound(export),
                "{\"export-not-found\":{\"export\":\"words\",\"found\":null}",
            ),
            (
                WasmError::Timeout(limit),
                "{\"timeout\":{\"limit\":\"turn_fuel\",\"allowed\":1,\"observed\":2}",
            ),
            (
                WasmError::ResourceLimitExceeded(limit),
                "{\"resource-limit-exceeded\"",
            ),
            (
                WasmError::InvalidComponent(ComponentFault::CoreModule),
                "{\"invalid-component\":\"core-module\"",
            ),
            (
                WasmError::RuntimeError(GuestFault::new(FaultKind::Other, "")),
                "{\"runtime-error\":{\"kind\":\"other\",\"reason\":\"\",\"backtrace\":[]",
            ),
        ]);
        let import = words();
        let offered = words();
        check([
            (
                ComponentFault::ImportVersion { import, offered },
                "{\"import-version\":{\"import\":\"words\",\"offered\"",
            ),
            (
                ComponentFault::UnknownImport { import: words() },
                "{\"unknown-import\":{\"import\"",
            ),
            (ComponentFault::WrongType(words()), "{\"wrong-type\""),
            (
                ComponentFault::Needs(NeedsFault::Twice),
                "{\"needs\":\"twice\"",
            ),
        ]);
        let (allowed_bytes, bytes) = (1, 2);
        let (allowed, patterns) = (1, 2);
        check([
            (
                NeedsFault::TooLarge {
                    allowed_bytes,
                    bytes,
                },
                "{\"too-large\":{\"allowed_bytes\":1,\"bytes\"",
            ),
            (
                NeedsFault::TooMany { allowed, patterns },
                "{\"too-many\":{\"allowed\":1,\"patterns\"",
            ),
            (NeedsFault::NotText, "not-text"),
            (NeedsFault::NotJson(words()), "{\"not-json\""),
            (NeedsFault::Pattern(words()), "{\"pattern\""),
        ]);
        check([
            (FaultKind::Unreachable, "unreachable"),
            (FaultKind::OutOfBounds, "out_of_bounds"),
            (FaultKind::IndirectCall, "indirect_call"),
            (FaultKind::Arithmetic, "arithmetic"),
            (FaultKind::MalformedData, "malformed_data"),
            (FaultKind::Denied, "denied"),
            (FaultKind::Rejected, "rejected"),
            (FaultKind::RetryRequested, "retry_requested"),
            (FaultKind::InstanceGone, "instance_gone"),
            (FaultKind::Other, "other"),
        ]);
    }

    #[test]
    fn answers_have_these_names_on_disk() {
        let limit = LimitExceeded::beyond(Limit::KeyBytes, 1);
        check([
            (CallError::Rejected(words()), "{\"rejected\""),
            (CallError::Failed(words()), "{\"failed\""),
            (
                CallError::Host(HostError::Denied(words())),
                "{\"host\":{\"denied\"",
            ),
            (HostError::NotFound.into(), "\"not-found\""),
            (HostError::MailboxFull.into(), "\"mailbox-full\""),
            (HostError::TooLarge(limit).into(), "{\"too-large\""),
            (
                HostError::QuotaExceeded(limit).into(),
                "{\"quota-exceeded\"",
            ),
            (HostError::Timeout.into(), "\"timeout\""),
            (HostError::Deadlock.into(), "\"deadlock\""),
            (HostError::Invalid(words()).into(), "{\"invalid\""),
            (HostError::Unavailable(words()).into(), "{\"unavailable\""),
        ]);
        check([
            (TurnOutcome::Replied(None), "{\"replied\":null"),
            (TurnOutcome::Rejected(words()), "{\"rejected\""),
            (TurnOutcome::Retry(words()), "{\"retry\""),
        ]);
    }

    #[test]
    fn forged_names_are_refused() {
        let refused = |text: &str| {
            let bytes = cbor::encode(&text).unwrap();
            let id = cbor::decode::<ComponentId>(Table::DeadLetters, &bytes);
            let digest = cbor::decode::<Digest>(Table::DeadLetters, &bytes);
            id.is_err() && digest.is_err()
        };
        assert!(refused("a/../c") && refused("sha256:12") && refused(""));
        let digest = Digest::of(b"x");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert!(refused(&digest.to_string().replace('s', "S")));
        assert!(refused(&format!("sha256:{}", "g".repeat(64))));
        assert!(refused(&format!("sha256:{}", "é".repeat(32))));
    }
}
