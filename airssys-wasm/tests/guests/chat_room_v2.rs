// Layer 2: Third-party crate imports
use serde_json::{Value, json};

// Layer 3: Internal module imports
use airssys_wasm::core::runtime::errors::{FaultKind, WasmError};
use airssys_wasm::core::turn::effects::Outgoing;

use crate::chat_upgrade::{keys, printed, say_all, upgrade};
use crate::support::{Actor, NOW_MS, context, fault, start};

fn stored(room: &Actor, key: &str) -> Value {
    serde_json::from_slice(room.store.keys().get(key).unwrap()).unwrap()
}

fn line(text: &str, at_ms: u64) -> Value {
    json!({"from": "airssys/test/main", "text": text, "at_ms": at_ms})
}

#[tokio::test]
async fn it_takes_the_state_of_the_first_version_over() {
    let mut room = start("chat-room").await;
    room.ask("join", "chat/member/ann").await.unwrap();
    let texts: Vec<String> = (1..=102).map(|number| format!("a: {number}")).collect();
    let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    say_all(&mut room, &texts).await;
    let before = room.ask("history", "").await.unwrap();

    let mut room = upgrade(room, "chat-room-v2", "1.0.0").await.unwrap();
    assert!(keys(&room, "history/").is_empty());
    assert_eq!(keys(&room, "line/").len(), 100);
    assert_eq!(stored(&room, "line/3"), line("a: 3", 0));
    assert_eq!(room.ask("history", "").await.unwrap(), before);
    assert_eq!(room.ask("members", "").await.unwrap(), "chat/member/ann");

    assert_eq!(room.ask("say", "new").await.unwrap(), "103");
    assert_eq!(stored(&room, "line/103"), line("new", NOW_MS));
    assert_eq!(keys(&room, "line/").len(), 100);
    texts.push("new");
    assert_eq!(
        room.ask("history", "").await.unwrap(),
        printed(&texts[texts.len() - 100..])
    );
}

#[tokio::test]
async fn callers_and_members_see_no_difference() {
    let mut first = start("chat-room").await;
    let mut second = start("chat-room-v2").await;
    for (kind, payload) in [
        ("join", "chat/member/ann"),
        ("join", "chat/member/bob"),
        ("leave", "chat/member/bob"),
        ("say", "hello: you"),
        ("say", "{\"text\": \"no JSON of ours\"}"),
        ("say", ""),
        ("say", "two\nlines"),
        ("join", "nobody"),
        ("members", ""),
        ("history", ""),
    ] {
        let one = first.turn(kind, payload).await.unwrap();
        let two = second.turn(kind, payload).await.unwrap();
        assert_eq!(one.outcome, two.outcome, "{kind} {payload}");
        assert_eq!(one.effects.outgoing, two.effects.outgoing);
        first.store.commit(one.effects);
        second.store.commit(two.effects);
    }
}

#[tokio::test]
async fn it_finds_lines_by_a_word() {
    let mut room = start("chat-room-v2").await;
    say_all(&mut room, &["a cat", "a dog", "cats \"and\" dogs"]).await;
    for (word, found) in [
        ("cat", &["a cat", "cats \"and\" dogs"][..]),
        ("\"and\"", &["cats \"and\" dogs"]),
        ("airssys", &[]),
    ] {
        assert_eq!(room.ask("search", word).await.unwrap(), printed(found));
    }
}

#[tokio::test]
async fn it_does_not_panic_any_more() {
    let mut room = start("chat-room-v2").await;
    let Err(WasmError::RuntimeError(refused)) = room.ask("say", "/panic").await else {
        panic!("it is rejected");
    };
    assert_eq!(refused.kind, FaultKind::Rejected);
    assert!(refused.reason.contains("does not panic"), "{refused}");
    assert!(room.store.is_live());
}

#[tokio::test]
async fn its_own_state_stays_as_it_is_and_an_unknown_one_is_refused() {
    let mut room = start("chat-room-v2").await;
    say_all(&mut room, &["one"]).await;
    let description = room.store.describe(context(5)).await.unwrap();
    assert_eq!(description.version, "2.0.0");

    let mut room = upgrade(room, "chat-room-v2", "2.0.0").await.unwrap();
    assert_eq!(stored(&room, "line/1"), line("one", NOW_MS));
    assert_eq!(room.ask("history", "").await.unwrap(), printed(&["one"]));
    for unknown in ["3.0.0", "12.0.0", ""] {
        let refused = room.store.migrate(unknown, context(50)).await.unwrap_err();
        let words = "this version knows that of 1.x and 2.x";
        assert!(refused.to_string().contains(words), "{refused}");
        assert_eq!(fault(Err::<(), _>(refused)), FaultKind::Rejected);
    }
}

/// The first version never writes such a thing, but a migration that dropped what it
/// cannot read would lose it for good.
#[tokio::test]
async fn a_state_that_cannot_be_read_stops_the_migration() {
    let mut probe = start("probe").await;
    for (key, value) in [("lines-said", "1"), ("history/1", "no speaker")] {
        let set = json!({"key": key, "value": value});
        probe.ask_json("storage.set", set).await;
    }
    let Err(refused) = upgrade(probe, "chat-room-v2", "1.0.0").await else {
        panic!("the line is broken");
    };
    assert!(refused.to_string().contains("no speaker"), "{refused}");
}

#[tokio::test]
async fn it_broadcasts_as_the_first_version_did_before() {
    let mut room = start("chat-room").await;
    room.ask("join", "chat/member/ann").await.unwrap();
    let mut room = upgrade(room, "chat-room-v2", "1.0.0").await.unwrap();
    let report = room.turn("say", "x").await.unwrap();
    let [Outgoing::Send { to, .. }, Outgoing::Publish { .. }] = &report.effects.outgoing[..] else {
        panic!("one member: {report:?}");
    };
    assert_eq!(to.as_str(), "chat/member/ann");
}
