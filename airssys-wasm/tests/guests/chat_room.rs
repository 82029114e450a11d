// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::runtime::errors::{FaultKind, WasmError};
use airssys_wasm::core::turn::effects::{Content, Outgoing};
use airssys_wasm::runtime::settings::InstanceSettings;

use crate::chat_upgrade::{keys, printed, say_all, upgrade};
use crate::support::{context, fault, settings, start, start_with};

fn content(kind: &str, text: &'static str) -> Content {
    Content {
        kind: kind.to_owned(),
        payload: MessagePayload::new(text),
    }
}

#[tokio::test]
async fn a_line_has_a_number_and_goes_to_every_member_and_to_the_topic() {
    let mut room = start("chat-room").await;
    for member in ["chat/member/bob", "chat/member/ann"] {
        assert_eq!(room.ask("join", member).await.unwrap(), "");
    }
    assert_eq!(room.ask("say", "first").await.unwrap(), "1");

    let report = room.turn("say", "well: a|b").await.unwrap();
    let heard = content("heard", "test/guest/one|airssys/test/main|well: a|b");
    let to = |name| ComponentId::new("chat", "member", name);
    assert_eq!(
        report.effects.outgoing,
        [
            Outgoing::Send {
                to: to("ann"),
                content: heard.clone(),
            },
            Outgoing::Send {
                to: to("bob"),
                content: heard.clone(),
            },
            Outgoing::Publish {
                topic: "chat.one.said".into(),
                content: heard,
            },
        ]
    );
    room.store.commit(report.effects);
    let history = room.ask("history", "").await.unwrap();
    assert_eq!(history, printed(&["first", "well: a|b"]));
    assert_eq!(
        room.store.keys().get("history/1").unwrap().as_ref(),
        b"airssys/test/main: first"
    );
}

#[tokio::test]
async fn members_come_and_go_and_joining_is_told_once() {
    let mut room = start("chat-room").await;
    assert_eq!(room.ask("members", "").await.unwrap(), "");
    // The second one's key begins with `member/` twice.
    for member in ["chat/member/ann", "member/member/bob"] {
        let report = room.turn("join", member).await.unwrap();
        let joined = Outgoing::Publish {
            topic: "chat.one.joined".into(),
            content: content("joined", member),
        };
        assert_eq!(report.effects.outgoing, [joined]);
        room.store.commit(report.effects);
    }
    let again = room.turn("join", "chat/member/ann").await.unwrap();
    assert!(again.effects.is_empty());
    let members = room.ask("members", "").await.unwrap();
    assert_eq!(members, "chat/member/ann\nmember/member/bob");

    for _ in 0..2 {
        room.ask("leave", "chat/member/ann").await.unwrap();
    }
    assert_eq!(room.ask("members", "").await.unwrap(), "member/member/bob");
}

#[tokio::test]
async fn the_last_hundred_lines_stay_under_their_numbers() {
    let mut room = start("chat-room").await;
    let texts: Vec<String> = (1..=103).map(|number| format!("line {number}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    say_all(&mut room, &texts).await;
    assert_eq!(
        room.ask("history", "").await.unwrap(),
        printed(&texts[texts.len() - 100..])
    );
    assert_eq!(keys(&room, "history/").len(), 100);
    assert!(room.store.keys().get("history/3").is_none());
    assert_eq!(room.ask("say", "x").await.unwrap(), "104");
}

#[tokio::test]
async fn a_full_room_still_reaches_everyone_in_one_turn() {
    let mut room = start("chat-room").await;
    for number in 0..1_000 {
        let member = format!("chat/member/{number}");
        room.ask("join", member).await.unwrap();
    }
    let full = room.ask("join", "chat/member/late").await.unwrap_err();
    assert!(full.to_string().contains("1000 members"), "{full}");
    room.ask("join", "chat/member/7").await.unwrap();

    let longest = "x".repeat(4_096);
    let report = room.turn("say", longest).await.unwrap();
    assert_eq!(report.effects.outgoing.len(), 1_001);
}

#[tokio::test]
async fn a_panic_leaves_no_trace_and_the_room_can_be_started_anew() {
    let mut room = start("chat-room").await;
    say_all(&mut room, &["before"]).await;
    let panicked = room.ask("say", "/panic").await;
    assert_eq!(fault(panicked), FaultKind::Unreachable);
    assert!(!room.store.is_live());

    room.activate().await.unwrap();
    say_all(&mut room, &["/panic not"]).await;
    assert_eq!(
        room.ask("history", "").await.unwrap(),
        printed(&["before", "/panic not"])
    );
}

#[tokio::test]
async fn what_would_break_the_room_is_rejected_with_words() {
    let mut room = start("chat-room").await;
    let long = "a".repeat(129);
    for (kind, payload, words) in [
        ("join", "bob", "`bob` is no address"),
        ("join", "chat/../bob", "is no address"),
        ("join", "chat//bob", "is no address"),
        ("join", "chat/member/bob|ann", "is no address"),
        ("join", "chat/member/bob/2", "is no address"),
        ("join", &format!("chat/member/{long}"), "is no address"),
        ("say", "two\nlines", "more than one line"),
        ("say", &"x".repeat(4_097), "at most 4096 bytes"),
        ("shout", "x", "unknown kind `shout`"),
        ("search", "x", "unknown kind `search`"),
    ] {
        let Err(WasmError::RuntimeError(fault)) = room.ask(kind, payload).await else {
            panic!("{kind} {payload} is rejected");
        };
        assert_eq!(fault.kind, FaultKind::Rejected);
        assert!(fault.reason.contains(words), "{fault}");
    }
    assert!(room.store.keys().is_empty());
}

#[tokio::test]
async fn a_room_with_dots_in_its_name_has_topics_of_three_words() {
    let settings = InstanceSettings {
        address: ComponentId::new("chat", "room", ".tea.time"),
        ..settings()
    };
    let mut room = start_with("chat-room", settings).await;
    let report = room.turn("say", "x").await.unwrap();
    let [Outgoing::Publish { topic, .. }] = &report.effects.outgoing[..] else {
        panic!("nobody is there: {report:?}");
    };
    assert_eq!(topic, "chat._tea_time.said");
}

#[tokio::test]
async fn it_takes_the_state_of_the_second_version_back() {
    let mut room = start("chat-room").await;
    room.ask("join", "chat/member/ann").await.unwrap();
    say_all(&mut room, &["one"]).await;
    let mut room = upgrade(room, "chat-room-v2", "1.0.0").await.unwrap();
    say_all(&mut room, &["two: \"2\""]).await;

    let mut room = upgrade(room, "chat-room", "2.0.0").await.unwrap();
    let history = room.ask("history", "").await.unwrap();
    assert_eq!(history, printed(&["one", "two: \"2\""]));
    assert_eq!(keys(&room, "history/"), ["history/1", "history/2"]);
    assert!(keys(&room, "line/").is_empty());
    assert_eq!(room.ask("members", "").await.unwrap(), "chat/member/ann");
    assert_eq!(room.ask("say", "three").await.unwrap(), "3");
}

#[tokio::test]
async fn it_knows_two_versions_and_is_the_first() {
    let mut room = start("chat-room").await;
    say_all(&mut room, &["one"]).await;
    let description = room.store.describe(context(5)).await.unwrap();
    assert_eq!(description.version, "1.0.0");

    let mut room = upgrade(room, "chat-room", "1.0.0").await.unwrap();
    assert_eq!(room.ask("history", "").await.unwrap(), printed(&["one"]));
    let Err(refused) = upgrade(room, "chat-room", "3.0.0").await else {
        panic!("it does not know 3.0.0");
    };
    let words = "version 3.0.0, and this version knows that of 1.x and 2.x";
    assert!(refused.to_string().contains(words), "{refused}");
}
