//! What waits in memory for one actor, and for all of a component.

// Layer 3: Internal module imports
use airssys_wasm::component::retry::RetryPolicy;
use airssys_wasm::core::delivery::refusal::Refusal;
use airssys_wasm::core::storage::durability::Durability;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::handle::System;

use crate::support::{PATIENCE, ask, builder, bytes, id, until};

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

/// Fails at each message, and pauses for longer than any test waits before it tries again.
fn stuck(component: &mut ComponentConfig) {
    component.retry = RetryPolicy {
        attempts: 2,
        first_ms: 600_000,
        factor: 1.0,
        max_ms: 600_000,
        jitter: 0.0,
    };
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_bytes_wait_for_all_actors_of_a_component() {
    let system = builder()
        .component_with("demo/stuck", bytes("unreachable"), |it| {
            stuck(it);
            it.limits.total_mailbox_bytes = 128 << 10;
        })
        .component_with("demo/other", bytes("unreachable"), stuck)
        .start()
        .await
        .unwrap();
    let send = async |actor: &str, bytes: usize| {
        let payload = "x".repeat(bytes);
        let sent = system.send(&id(actor), "", payload.as_str()).await;
        sent.map_err(|refused| {
            assert_eq!(refused.message.payload().as_bytes(), payload.as_bytes());
            refused.reason
        })
    };
    let full = Err(Refusal::MailboxFull);
    for actor in ["demo/stuck/a", "demo/stuck/b"] {
        assert_eq!(send(actor, 70_000).await, Ok(()));
    }
    for actor in ["demo/stuck/c", "demo/stuck/a"] {
        assert_eq!(send(actor, 70_000).await, full);
    }
    // Who has little waiting is told little things, until it is much.
    for _ in 0..3 {
        assert_eq!(send("demo/stuck/c", 20_000).await, Ok(()));
    }
    assert_eq!(send("demo/stuck/c", 20_000).await, full);
    let asked = system.ask(&id("demo/stuck/a"), "", "").await;
    let refused = asked.map(drop).map_err(|error| error.to_string());
    assert_eq!(refused, Err(Refusal::MailboxFull.to_string()));
    // Others have room of their own.
    assert_eq!(send("demo/other/a", 70_000).await, Ok(()));

    // Whoever waits for space has it when another actor ends.
    let waiting = system.message(&id("demo/stuck/d"), "", "x".repeat(70_000));
    let ends = async { system.stop(&id("demo/stuck/a")) };
    let (sent, stopped) = tokio::join!(system.send_when_space(waiting, PATIENCE), ends);
    stopped.unwrap();
    sent.unwrap();
    for actor in ["b", "c", "d"] {
        system.stop(&id(&format!("demo/stuck/{actor}"))).unwrap();
    }
    until("all of it is given back", || {
        let status = system.status();
        let stuck = status.components.iter().find(|it| it.name == "demo/stuck");
        stuck.unwrap().waiting_bytes == 0
    })
    .await;
}

/// Where no memory is left for it, a large message to a durable actor goes by the disk, also to
/// one that has nothing else to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_large_gets_to_an_idle_actor_by_disk() {
    const MESSAGES: u64 = 5;
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_owned();
    let system = builder()
        .configure(move |system| system.data = Some(folder))
        .component_with("demo/echo", bytes("echo"), |it| {
            it.durability = Some(Durability::Relaxed);
            it.limits.total_mailbox_bytes = 0;
        })
        .start()
        .await
        .unwrap();
    let echo = id("demo/echo/a");
    for sent in 1..=MESSAGES {
        let payload = "x".repeat(100_000);
        system.send(&echo, "", payload).await.unwrap();
        until("it is handled", || {
            let status = system.status();
            let echo = &status.components[0];
            let waits = (echo.waiting, echo.waiting_bytes, echo.on_disk_bytes);
            echo.counts.handled == sent && waits == (0, 0, 0)
        })
        .await;
    }
}
