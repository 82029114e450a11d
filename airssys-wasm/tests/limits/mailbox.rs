//! What waits in memory for one actor.

// Layer 3: Internal module imports
use airssys_wasm::core::delivery::refusal::Refusal;
use airssys_wasm::core::storage::durability::Durability;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::handle::System;

use crate::support::{ask, builder, bytes, id, until};

/// Loops for three seconds at each message.
fn busy(component: &mut ComponentConfig) {
    component.limits.turn_wall_ms = 3_000;
    component.limits.turn_fuel = u64::MAX;
}

async fn with_busy(change: impl FnOnce(&mut ComponentConfig)) -> System {
    let builder = builder().component_with("demo/busy", bytes("endless-loop"), |it| {
        busy(it);
        change(it);
    });
    builder.start().await.unwrap()
}

/// Sends messages of ten bytes until one is refused, and tells how many were not.
async fn accepted(system: &System) -> (usize, Refusal) {
    for sent in 0..100 {
        if let Err(refused) = system.send(&id("demo/busy/a"), "work", "123456").await {
            assert_eq!(refused.message.payload().as_bytes(), b"123456");
            return (sent, refused.reason);
        }
    }
    panic!("none was refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_messages_wait_and_no_more() {
    let system = with_busy(|it| it.limits.mailbox = 3).await;
    assert_eq!(accepted(&system).await, (3, Refusal::MailboxFull));
    let other = system.send(&id("demo/busy/b"), "work", "").await;
    other.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_bytes_wait_and_no_more() {
    // A message that finds fewer bytes than are allowed is taken, and counts whole.
    for (mailbox_bytes, messages) in [(30, 3), (31, 4), (1, 1)] {
        let system = with_busy(|it| it.limits.mailbox_bytes = mailbox_bytes).await;
        assert_eq!(accepted(&system).await, (messages, Refusal::MailboxFull));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_much_for_memory_waits_on_disk_in_order() {
    const MESSAGES: usize = 40;
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_owned();
    let system = builder()
        .configure(move |system| system.data = Some(folder))
        .component_with("demo/relay", bytes("relay"), |it| {
            it.durability = Some(Durability::Relaxed);
            it.limits.mailbox_bytes = 50;
        })
        .start()
        .await
        .unwrap();
    let relay = id("demo/relay/a");
    for number in 0..MESSAGES {
        system
            .send(&relay, "note", number.to_string())
            .await
            .unwrap();
    }
    until("all are handled", || {
        let status = system.status();
        status.components[0].counts.handled == MESSAGES as u64
    })
    .await;
    let notes = ask(&system, "demo/relay/a", "notes", "").await;
    let expected: String = (0..MESSAGES).map(|number| format!("{number}\n")).collect();
    assert_eq!(notes, expected);
}
