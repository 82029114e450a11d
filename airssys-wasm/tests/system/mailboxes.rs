//! The bounded queue before an actor: what is refused, who waits, and in which order.

// Layer 1: Standard library imports
use std::time::Duration;

// Layer 2: Third-party crate imports
use serde_json::json;

// Layer 3: Internal module imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::delivery::refusal::Refusal;
use airssys_wasm::core::event::Event;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::error::AskError;
use airssys_wasm::system::handle::System;

use crate::support::{
    PATIENCE, Watch, ask, ask_json, builder, bytes, counts, from, guest, id, is_settled, once,
    settled, until,
};

/// Loops for three seconds at each message, with room for four.
fn busy(config: &mut ComponentConfig) {
    once(config);
    config.limits.mailbox = 4;
    config.limits.turn_wall_ms = 3_000;
    config.limits.turn_fuel = u64::MAX;
}

/// One that sleeps for as long as a message says, with room for four. Unlike a loop, it keeps no
/// test from its end.
async fn with_sleeper() -> System {
    builder()
        .component_with("demo/busy", bytes("outsider"), |config| {
            once(config);
            config.limits.mailbox = 4;
            config.limits.turn_wall_ms = 120_000;
        })
        .component("demo/probe", &*guest("probe"))
        .start()
        .await
        .unwrap()
}

/// Fills a sleeper's mailbox for so long, since it has done nothing until then.
async fn fill(system: &System, sleeper: &ComponentId, first_ms: u64) {
    for wait_ms in [first_ms, 1, 1, 1] {
        let payload = json!({ "wait-ms": wait_ms }).to_string();
        system.send(sleeper, "sleep", payload).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_mailbox_gives_the_message_back() {
    let system = with_sleeper().await;
    let busy = id("demo/busy/a");
    fill(&system, &busy, 3_000).await;
    let refused = system.send(&busy, "work", "mine").await.unwrap_err();
    assert_eq!(refused.reason, Refusal::MailboxFull);
    assert_eq!(refused.message.payload().as_bytes(), b"mine");
    assert_eq!(refused.message.to(), &busy);
    assert_eq!(
        system.ask(&busy, "work", "").await,
        Err(AskError::Refused(Refusal::MailboxFull))
    );
    assert_eq!(system.inspect(&busy).unwrap().waiting, 4);
    // Others have mailboxes of their own.
    system.send(&id("demo/busy/b"), "work", "").await.unwrap();
    // Whoever was refused may come back with the same message.
    let waited = system.send_when_space(*refused.message, PATIENCE).await;
    waited.unwrap();
    assert_eq!(counts(&system, "demo/busy").accepted, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_for_space_waits_no_longer_than_he_said() {
    let system = with_sleeper().await;
    let busy = id("demo/busy/a");
    fill(&system, &busy, 60_000).await;
    let message = system.message(&busy, "work", "mine");
    let patience = Duration::from_millis(20);
    let refused = system.send_when_space(message, patience).await.unwrap_err();
    assert_eq!(refused.reason, Refusal::MailboxFull);
    assert_eq!(refused.message.payload().as_bytes(), b"mine");

    let nobody = system.message(&id("demo/nobody/a"), "work", "");
    let refused = system.send_when_space(nobody, PATIENCE).await.unwrap_err();
    assert_eq!(refused.reason, Refusal::UnknownTarget);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_is_told_that_its_message_would_not_be_taken() {
    let system = with_sleeper().await;
    let busy = id("demo/busy/a");
    fill(&system, &busy, 60_000).await;
    for (target, error) in [
        ("demo/busy/a", "mailbox-full"),
        ("demo/nobody/a", "not-found"),
        ("no address", "invalid"),
    ] {
        for kind in [
            "messaging.send",
            "messaging.request",
            "messaging.send-after",
        ] {
            if (kind, error) == ("messaging.send-after", "mailbox-full") {
                // There may be room when its time has come.
                continue;
            }
            let arguments = json!({"target": target, "kind": "work", "timeout-ms": 50});
            let told = ask_json(&system, "demo/probe/p", kind, arguments).await;
            let told = told["error"].as_str().unwrap_or_default().to_owned();
            assert!(told.starts_with(error), "{kind} {target}: {told:?}");
        }
    }
    // One receiver that is full spoils the whole broadcast.
    let both = json!({"targets": ["demo/probe/q", "demo/busy/a"], "kind": "services.now-ms"});
    let told = ask_json(&system, "demo/probe/p", "messaging.broadcast", both).await;
    assert_eq!(told["error"].as_str(), Some("mailbox-full"), "{told}");
    assert!(system.inspect(&id("demo/probe/q")).unwrap().phase.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_messages_of_each_sender_keep_their_order() {
    const SENDERS: usize = 5;
    const MESSAGES: u64 = 400;
    let system = builder()
        .component_with("demo/ledger", &*guest("ledger"), |ledger| {
            ledger.limits.mailbox = 8;
        })
        .start()
        .await
        .unwrap();
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let system = system.clone();
            tokio::spawn(async move {
                let to = id("demo/ledger/a");
                let sender = format!("test/sender/{sender}");
                for number in 1..=MESSAGES {
                    let message = from(&sender, &to, "next", &number.to_string());
                    system.send_when_space(message, PATIENCE).await.unwrap();
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    let total = SENDERS as u64 * MESSAGES;
    until("all are handled", || {
        counts(&system, "demo/ledger").handled == total
    })
    .await;
    for sender in 0..SENDERS {
        let sender = format!("test/sender/{sender}");
        let last = ask(&system, "demo/ledger/a", "last", sender).await;
        assert_eq!(last, MESSAGES.to_string());
    }
    assert_eq!(counts(&system, "demo/ledger").rejected, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_is_not_handled_after_the_asker_has_left() {
    let system = builder()
        .component_with("demo/busy", bytes("endless-loop"), busy)
        .component("demo/caller", &*guest("caller"))
        .start()
        .await
        .unwrap();
    // The caller waits three seconds for the loop, and so do the messages behind.
    let call = json!({"target": "demo/busy/a", "kind": "", "text": "", "timeout_ms": 20_000});
    let caller = id("demo/caller/a");
    system
        .send(&caller, "call", call.to_string())
        .await
        .unwrap();
    let message = system.message(&caller, "call", call.to_string());
    assert_eq!(
        system.ask_within(message, Duration::from_millis(50)).await,
        Err(AskError::Timeout { after_ms: 50 })
    );
    until("it was dropped", || {
        let counts = counts(&system, "demo/caller");
        counts.expired == 1 && is_settled(counts)
    })
    .await;
    assert_eq!(counts(&system, "demo/busy").accepted, 1, "one call alone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_actors_messages_become_dead_letters() {
    let starting = builder().component_with("demo/busy", bytes("endless-loop"), busy);
    let system = starting.start().await.unwrap();
    let busy = id("demo/busy/a");
    let mut watch = Watch::new(&system);
    for _ in 0..4 {
        system.send(&busy, "work", "").await.unwrap();
    }
    system.stop(&busy).unwrap();
    watch
        .wait(|event| matches!(event, Event::Stopped { actor } if *actor == busy))
        .await;
    // There is nobody who would wait for an answer, so it is kept for an operator.
    system.send(&busy, "work", "late").await.unwrap();
    assert_eq!(
        system.ask(&busy, "work", "").await,
        Err(AskError::Refused(Refusal::Stopped))
    );
    settled(&system, "demo/busy").await;
    let letters = system.dead_letters(Some("demo/busy/a"), None, 10);
    assert_eq!(letters.len(), 6);
    assert_eq!(
        letters[3].1.reason.to_string(),
        "waiting when the actor ended: the actor is stopped"
    );
    assert_eq!(letters[3].1.attempts, 0);
    assert_eq!(
        letters[4].1.reason.to_string(),
        "not delivered: the actor is stopped"
    );
}
