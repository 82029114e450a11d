// Layer 3: Internal module imports
use airssys_wasm::core::runtime::errors::FaultKind;

use crate::chat_upgrade::{printed, say_all, upgrade};
use crate::support::{context, fault, start};

#[tokio::test]
async fn it_starts_and_migrates_and_then_every_line_traps() {
    for (before, version) in [("chat-room", "1.0.0"), ("chat-room-v2", "2.0.0")] {
        let mut room = start(before).await;
        room.ask("join", "chat/member/ann").await.unwrap();
        say_all(&mut room, &["one"]).await;

        let mut room = upgrade(room, "chat-room-v3", version).await.unwrap();
        for text in ["two", "", "two\nlines", "/panic"] {
            assert_eq!(fault(room.ask("say", text).await), FaultKind::Unreachable);
            room.activate().await.unwrap();
        }
        assert_eq!(room.ask("history", "").await.unwrap(), printed(&["one"]));
        assert_eq!(room.ask("search", "one").await.unwrap(), printed(&["one"]));
        assert_eq!(room.ask("members", "").await.unwrap(), "chat/member/ann");
    }
}

#[tokio::test]
async fn the_second_version_goes_on_with_what_it_has_left() {
    let mut room = start("chat-room-v2").await;
    say_all(&mut room, &["one"]).await;
    let mut room = upgrade(room, "chat-room-v3", "2.0.0").await.unwrap();
    assert_eq!(fault(room.ask("say", "two").await), FaultKind::Unreachable);
    let mut room = upgrade(room, "chat-room-v2", "2.0.0").await.unwrap();
    say_all(&mut room, &["two"]).await;
    assert_eq!(
        room.ask("history", "").await.unwrap(),
        printed(&["one", "two"])
    );
}

#[tokio::test]
async fn its_version_says_that_it_is_broken() {
    let mut room = start("chat-room-v3").await;
    let description = room.store.describe(context(5)).await.unwrap();
    assert_eq!(description.version, "3.0.0-broken");
    let refused = room.store.migrate("4.0.0", context(6)).await.unwrap_err();
    assert!(
        refused.to_string().contains("1.x, 2.x and 3.x"),
        "{refused}"
    );
}
