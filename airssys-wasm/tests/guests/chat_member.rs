// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::runtime::errors::{FaultKind, WasmError};
use airssys_wasm::core::turn::call::{CallOutcome, Reply};
use airssys_wasm::core::turn::effects::{Content, Outgoing};
use airssys_wasm::core::turn::errors::{CallError, HostError};

use crate::support::{Actor, context, start};

fn room() -> ComponentId {
    ComponentId::new("chat", "room", "tea")
}

fn content(kind: &str, text: &'static str) -> Content {
    Content {
        kind: kind.to_owned(),
        payload: MessagePayload::new(text),
    }
}

async fn answered(member: &mut Actor, outcome: CallOutcome) -> String {
    let reply = Reply {
        correlation: 7,
        outcome,
    };
    let handled = member.store.handle_callback(&reply, context(99)).await;
    member.store.commit(handled.unwrap().effects);
    member.ask("stats", "").await.unwrap()
}

#[tokio::test]
async fn it_enters_a_room_under_its_own_address() {
    let mut member = start("chat-member").await;
    let report = member.turn("enter", "chat/room/tea").await.unwrap();
    assert_eq!(
        report.effects.outgoing,
        [Outgoing::Send {
            to: room(),
            content: content("join", "test/guest/one"),
        }]
    );
}

#[tokio::test]
async fn what_it_says_is_a_request_to_the_room() {
    let mut member = start("chat-member").await;
    let report = member.turn("say", "chat/room/tea|a|b").await.unwrap();
    let [
        Outgoing::Request {
            timeout_ms,
            to,
            content: said,
            ..
        },
    ] = &report.effects.outgoing[..]
    else {
        panic!("one request: {report:?}");
    };
    assert_eq!(*timeout_ms, 5_000);
    assert_eq!(*to, room());
    assert_eq!(*said, content("say", "a|b"));
}

#[tokio::test]
async fn it_counts_what_came_of_its_lines() {
    let mut member = start("chat-member").await;
    let stats = member.ask("stats", "").await.unwrap();
    assert_eq!(stats, "delivered=0 failed=0");
    let outcomes: [(CallOutcome, &str); 4] = [
        (Ok(Some(MessagePayload::new("1"))), "delivered=1 failed=0"),
        (
            Err(CallError::Rejected("no".into())),
            "delivered=1 failed=1",
        ),
        (
            Err(CallError::Host(HostError::Timeout)),
            "delivered=1 failed=2",
        ),
        (Ok(None), "delivered=2 failed=2"),
    ];
    for (outcome, stats) in outcomes {
        assert_eq!(answered(&mut member, outcome).await, stats);
    }
}

#[tokio::test]
async fn the_last_hundred_that_it_heard_are_in_its_inbox() {
    let mut member = start("chat-member").await;
    assert_eq!(member.ask("inbox", "").await.unwrap(), "");
    let heard: Vec<String> = (1..=103)
        .map(|number| format!("chat/room/tea|chat/member/ann|line {number}"))
        .collect();
    for line in &heard {
        assert_eq!(member.ask("heard", line.clone()).await.unwrap(), "");
    }
    let inbox = member.ask("inbox", "").await.unwrap();
    assert_eq!(inbox, heard[3..].join("\n"));
    // The lines and their counter.
    assert_eq!(member.store.keys().len(), 101);
}

#[tokio::test]
async fn what_it_cannot_use_is_rejected_with_words() {
    let mut member = start("chat-member").await;
    for (kind, payload, words) in [
        ("enter", "tea", "invalid"),
        ("say", "chat/room/tea", "`room address|text`"),
        ("say", "tea|hello", "invalid"),
        ("shout", "x", "unknown kind `shout`"),
    ] {
        let Err(WasmError::RuntimeError(fault)) = member.ask(kind, payload).await else {
            panic!("{kind} {payload} is rejected");
        };
        assert_eq!(fault.kind, FaultKind::Rejected);
        assert!(fault.reason.contains(words), "{fault}");
    }
    assert!(member.store.keys().is_empty());
}
