//! Rows for tests: arbitrary ones, and one of each kind.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use bytes::Bytes;
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof};

// Layer 3: Internal module imports
use crate::core::component::MessagePayload;
use crate::core::component::digest::Digest;
use crate::core::component::id::ComponentId;
use crate::core::component::message::ComponentMessage;
use crate::core::delivery::dead_letter::{DeadLetter, DeathCause};
use crate::core::delivery::envelope::{Letter, ReplyTo};
use crate::core::delivery::refusal::Refusal;
use crate::core::limits::{Limit, LimitExceeded};
use crate::core::runtime::errors::{FaultKind, GuestFault, WasmError};
use crate::core::storage::commit::Growth;
use crate::core::storage::row::{
    ActorStamp, MessageNumber, Row, RowKey, StoredMessage, StoredRequest, StoredTimer,
};
use crate::core::storage::store::VersionId;
use crate::core::turn::call::{Call, CallOutcome, Reply};
use crate::core::turn::context::TurnContext;
use crate::core::turn::effects::{Content, Effects, Outgoing};
use crate::core::turn::errors::{CallError, HostError};
use crate::core::turn::recorded::{Learnt, RecordedTurn};
use crate::core::turn::report::{TurnOutcome, TurnReport};

pub(crate) fn address() -> impl Strategy<Value = ComponentId> {
    let part = "[ab.~]{0,2}[a-z]";
    (part, part, part).prop_map(|(a, b, c)| ComponentId::new(a, b, c))
}

pub(crate) fn row_key() -> impl Strategy<Value = RowKey> {
    let number = || prop_oneof![0_u64..300, any::<u64>()];
    let text = || "[a\0]{0,3}|\\PC{0,8}";
    prop_oneof![
        Just(RowKey::Record),
        text().prop_map(RowKey::State),
        (number(), any::<u32>())
            .prop_map(|(seq, index)| RowKey::Message(MessageNumber { seq, index })),
        number().prop_map(RowKey::Timer),
        number().prop_map(RowKey::Request),
        text().prop_map(RowKey::Subscription),
        number().prop_map(RowKey::DeadLetter),
        (number(), text()).prop_map(|(period, id)| RowKey::Answer(period, id.into())),
    ]
}

fn text() -> impl Strategy<Value = String> {
    "\\PC{0,12}"
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

fn limit() -> impl Strategy<Value = LimitExceeded> {
    let limit = prop::sample::select(vec![Limit::TurnFuel, Limit::KeyBytes, Limit::Instances]);
    (limit, any::<u64>(), any::<u64>()).prop_map(|(limit, allowed, observed)| LimitExceeded {
        limit,
        allowed,
        observed,
    })
}

fn host_error() -> impl Strategy<Value = HostError> {
    prop_oneof![
        text().prop_map(HostError::Denied),
        Just(HostError::NotFound),
        limit().prop_map(HostError::QuotaExceeded),
        Just(HostError::Deadlock),
    ]
}

pub(crate) fn outcome() -> impl Strategy<Value = CallOutcome> {
    prop_oneof![
        prop::option::of(bytes()).prop_map(|reply| Ok(reply.map(MessagePayload::new))),
        text().prop_map(|words| Err(CallError::Rejected(words))),
        text().prop_map(|words| Err(CallError::Failed(words))),
        host_error().prop_map(|error| Err(CallError::Host(error))),
    ]
}

fn wasm_error() -> impl Strategy<Value = WasmError> {
    prop_oneof![
        text().prop_map(WasmError::InstantiationFailed),
        limit().prop_map(WasmError::Timeout),
        (text(), prop::collection::vec(text(), 0..3)).prop_map(|(reason, backtrace)| {
            WasmError::RuntimeError(GuestFault {
                kind: FaultKind::OutOfBounds,
                reason,
                backtrace,
            })
        }),
    ]
}

fn letter() -> impl Strategy<Value = Letter> {
    let message = (
        (address(), address(), text(), bytes()),
        any::<u64>(),
        prop::option::of(text()),
    );
    let message = message.prop_map(|((from, to, kind, payload), correlation, id)| {
        let message = ComponentMessage::new(from, to, kind, payload.into());
        let message = message.with_correlation(correlation);
        Letter::Message(match id {
            Some(id) => message.with_id(id),
            None => message,
        })
    });
    let reply = (address(), address(), any::<u64>(), outcome());
    let reply = reply.prop_map(|(to, from, correlation, outcome)| {
        Letter::Reply(ReplyTo {
            to,
            from,
            reply: Reply {
                correlation,
                outcome,
            },
        })
    });
    prop_oneof![message, reply]
}

fn message() -> impl Strategy<Value = StoredMessage> {
    let rest = (
        any::<bool>(),
        prop::option::of(text()),
        prop::option::of(any::<u64>()),
    );
    (letter(), rest).prop_map(|(letter, (wants_reply, trace_parent, deadline_unix_ms))| {
        StoredMessage {
            wants_reply,
            trace_parent: trace_parent.map(Into::into),
            deadline_unix_ms,
            letter,
        }
    })
}

fn stamp() -> impl Strategy<Value = ActorStamp> {
    (any::<u64>(), prop::option::of((bytes(), text()))).prop_map(|(turns_below, version)| {
        ActorStamp {
            turns_below,
            ran_by: version.map(|(bytes, label)| {
                let digest = Digest::of(&bytes);
                Arc::new(VersionId { digest, label })
            }),
        }
    })
}

fn turn() -> impl Strategy<Value = RecordedTurn> {
    let result = prop_oneof![
        wasm_error().prop_map(Err),
        text().prop_map(|why| Ok(TurnReport {
            outcome: TurnOutcome::Retry(why),
            effects: example_effects(),
        })),
    ];
    (letter(), any::<u64>(), outcome(), host_error(), result).prop_map(
        |(letter, turn, outcome, refusal, result)| {
            let mut recorded = example_turn();
            recorded.letter = letter;
            recorded.context.turn = turn;
            recorded.learnt.refusals.insert(turn, refusal);
            recorded.learnt.calls[0].1 = outcome;
            recorded.result = result;
            recorded
        },
    )
}

fn dead_letter() -> impl Strategy<Value = DeadLetter> {
    let reason = prop_oneof![
        Just(DeathCause::Undelivered(Refusal::MailboxFull)),
        wasm_error().prop_map(DeathCause::Failed),
        text().prop_map(DeathCause::RetriesExhausted),
    ];
    let turn = prop::option::of(turn());
    (letter(), reason, turn, any::<(u32, u64)>()).prop_map(
        |(letter, reason, turn, (attempts, at_ms))| DeadLetter {
            letter,
            trace_parent: None,
            reason,
            attempts,
            turn: turn.map(Arc::new),
            at_ms,
        },
    )
}

pub(crate) fn row() -> impl Strategy<Value = Row> {
    prop_oneof![
        stamp().prop_map(Row::Record),
        bytes().prop_map(|bytes| Row::Value(bytes.into())),
        message().prop_map(|message| Row::Message(Box::new(message))),
        (any::<u64>(), message()).prop_map(|(due_unix_ms, message)| {
            Row::Timer(Box::new(StoredTimer {
                due_unix_ms,
                message,
            }))
        }),
        (address(), any::<u64>()).prop_map(|(target, deadline_unix_ms)| {
            Row::Request(StoredRequest {
                target,
                deadline_unix_ms,
            })
        }),
        Just(Row::Subscription),
        dead_letter().prop_map(|dead| Row::DeadLetter(Arc::new(dead))),
        outcome().prop_map(|outcome| Row::Answer(Box::new(outcome))),
    ]
}

pub(crate) fn example_letter() -> Letter {
    let (from, to) = (
        ComponentId::new("a", "b", "c"),
        ComponentId::new("a", "b", "d"),
    );
    let message = ComponentMessage::new(from, to, "add".into(), vec![0, 255].into());
    Letter::Message(message.with_correlation(300).with_id("id-1"))
}

pub(crate) fn example_reply() -> Letter {
    Letter::Reply(ReplyTo {
        to: ComponentId::new("a", "b", "c"),
        from: ComponentId::new("a", "b", "d"),
        reply: Reply {
            correlation: 7,
            outcome: Err(CallError::Host(HostError::Timeout)),
        },
    })
}

pub(crate) fn example_message(letter: Letter) -> StoredMessage {
    StoredMessage {
        wants_reply: true,
        trace_parent: Some("00-1".into()),
        deadline_unix_ms: Some(1_000),
        letter,
    }
}

fn example_content() -> Content {
    Content {
        kind: "k".into(),
        payload: vec![1].into(),
    }
}

/// One of each thing that a turn can want.
fn example_effects() -> Effects {
    let to = ComponentId::new("a", "b", "d");
    let content = example_content();
    Effects {
        writes: [
            ("gone".into(), None),
            ("set".into(), Some(Bytes::from_static(&[2]))),
        ]
        .into(),
        outgoing: vec![
            Outgoing::Send {
                to: to.clone(),
                content: content.clone(),
            },
            Outgoing::SendAfter {
                timer: 1,
                delay_ms: 2,
                to: to.clone(),
                content: content.clone(),
            },
            Outgoing::CancelTimer { timer: 1 },
            Outgoing::Request {
                correlation: 3,
                timeout_ms: 4,
                to,
                content: content.clone(),
            },
            Outgoing::CancelRequest { correlation: 3 },
            Outgoing::Publish {
                topic: "t".into(),
                content,
            },
            Outgoing::Subscribe {
                pattern: "t.*".into(),
            },
            Outgoing::Unsubscribe {
                pattern: "t.*".into(),
            },
        ],
        growth: Growth { bytes: -1, keys: 1 },
    }
}

fn example_turn() -> RecordedTurn {
    let (me, other) = (
        ComponentId::new("a", "b", "d"),
        ComponentId::new("a", "b", "e"),
    );
    let call = Call {
        from: me.clone(),
        to: other,
        kind: "ask".into(),
        payload: vec![3].into(),
        timeout_ms: 5,
        depth: 0,
        trace_parent: None,
    };
    RecordedTurn {
        actor: me,
        component: Digest::from_bytes([7; 32]),
        letter: example_letter(),
        context: TurnContext {
            turn: 9,
            now_ms: 10,
            seed: [1; 32],
            budget_ms: Some(11),
            call_depth: 0,
            trace_parent: Some("00-2".into()),
        },
        learnt: Learnt {
            keys: [
                ("missing".into(), None),
                ("seen".into(), Some(Bytes::from_static(b"v"))),
            ]
            .into(),
            usage: (12, 13),
            refusals: [(0, HostError::NotFound)].into(),
            calls: vec![(call, Ok(Some(vec![4].into())))],
            components: Some(["a/b".to_owned()].into()),
            ..Learnt::default()
        },
        result: Ok(TurnReport {
            outcome: TurnOutcome::Rejected("no".into()),
            effects: example_effects(),
        }),
    }
}

/// A dead letter in which everything is there.
pub(crate) fn example_dead_letter() -> DeadLetter {
    let fault = GuestFault {
        kind: FaultKind::Unreachable,
        reason: "boom".into(),
        backtrace: vec!["main".into()],
    };
    DeadLetter {
        letter: example_letter(),
        trace_parent: Some("00-1".into()),
        reason: DeathCause::Failed(WasmError::RuntimeError(fault)),
        attempts: 2,
        turn: Some(Arc::new(example_turn())),
        at_ms: 1_000,
    }
}

/// [`example_dead_letter`] in format version 1.
pub(crate) const DEAD_LETTER: &[u8] = b"\
    \xa6fletter\xa1gmessage\xa6dfromea/b/cbtoea/b/dlmessage_typecaddgpayloadB\x00\xffkcorr\
    elation\x19\x01,biddid-1ltrace_parentd00-1freason\xa1ffailed\xa1mruntime-error\xa3dkin\
    dkunreachablefreasondboomibacktrace\x81dmainhattempts\x02dturn\xa6eactorea/b/dicompone\
    ntxGsha256:0707070707070707070707070707070707070707070707070707070707070707fletter\xa1\
    gmessage\xa6dfromea/b/cbtoea/b/dlmessage_typecaddgpayloadB\x00\xffkcorrelation\x19\x01\
    ,biddid-1gcontext\xa5dturn\tfnow_ms\ndseed\x98 \x01\x01\x01\x01\x01\x01\x01\x01\x01\
    \x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\
    \x01\x01ibudget_ms\x0bltrace_parentd00-2flearnt\xa6dkeys\xa2gmissing\xf6dseenAveusage\
    \x82\x0c\rhrefusals\xa1\x00inot-foundecalls\x81\x82\xa6dfromea/b/dbtoea/b/edkindcaskgp\
    ayloadA\x03jtimeout_ms\x05ltrace_parent\xf6\xa1bOkA\x04jcomponents\x81ca/bfis_cut\xf4f\
    result\xa1bOk\xa2goutcome\xa1hrejectedbnogeffects\xa3fwrites\xa2dgone\xf6csetA\x02hout\
    going\x88\xa1dsend\xa2btoea/b/dgcontent\xa2dkindakgpayloadA\x01\xa1jsend-after\xa4etim\
    er\x01hdelay_ms\x02btoea/b/dgcontent\xa2dkindakgpayloadA\x01\xa1lcancel-timer\xa1etime\
    r\x01\xa1grequest\xa4kcorrelation\x03jtimeout_ms\x04btoea/b/dgcontent\xa2dkindakgpaylo\
    adA\x01\xa1ncancel-request\xa1kcorrelation\x03\xa1gpublish\xa2etopicatgcontent\xa2dkin\
    dakgpayloadA\x01\xa1isubscribe\xa1gpatternct.*\xa1kunsubscribe\xa1gpatternct.*fgrowth\
    \xa2ebytes dkeys\x01eat_ms\x19\x03\xe8";
