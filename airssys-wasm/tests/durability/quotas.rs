//! What all actors of a component may keep together, and what may wait for one and for all.

// Layer 1: Standard library imports
use std::time::Duration;

// Layer 2: Third-party crate imports
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;

// Layer 3: Internal module imports
use airssys_wasm::component::retry::RetryPolicy;
use airssys_wasm::core::delivery::dead_letter::DeathCause;
use airssys_wasm::core::delivery::refusal::Refusal;
use airssys_wasm::core::limits::Limits;
use airssys_wasm::system::handle::System;

use crate::support::{ask, at_once, builder, guest, id, until};

async fn two_keys(data: &TempDir) -> System {
    let builder = builder(data.path()).component_with("demo/probe", &*guest("probe"), |it| {
        it.limits.total_storage_keys = 2;
    });
    builder.start().await.unwrap()
}

async fn set(system: &System, actor: &str, key: &str) -> String {
    let payload = format!(r#"{{"key":"{key}","value":"v"}}"#);
    ask(system, actor, "storage.set", &payload).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_quota_of_a_component_holds_over_all_its_actors_and_restarts() {
    let data = TempDir::new().unwrap();
    let system = two_keys(&data).await;
    assert!(set(&system, "demo/probe/a", "k").await.contains("ok"));
    assert!(set(&system, "demo/probe/b", "k").await.contains("ok"));
    let refused = set(&system, "demo/probe/c", "k").await;
    assert!(refused.contains("quota-exceeded"), "{refused}");
    assert!(refused.contains("total_storage_keys allows 2"), "{refused}");
    // What is there already can be written again.
    assert!(set(&system, "demo/probe/a", "k").await.contains("ok"));
    assert!(system.shutdown().await.is_clean());
    drop(system);

    let system = two_keys(&data).await;
    let refused = set(&system, "demo/probe/c", "k").await;
    assert!(refused.contains("quota-exceeded"), "{refused}");
    ask(&system, "demo/probe/b", "storage.remove", r#"{"key":"k"}"#).await;
    assert!(set(&system, "demo/probe/c", "k").await.contains("ok"));
    assert!(system.shutdown().await.is_clean());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_on_disk_is_bounded_in_bytes() {
    let data = TempDir::new().unwrap();
    let builder = builder(data.path()).component_with("demo/loop", &*guest("endless-loop"), |it| {
        it.limits.mailbox = 1;
        it.limits.backlog_bytes = 100;
        it.limits.turn_wall_ms = 4_000;
        it.limits.turn_fuel = u64::MAX;
    });
    let system = builder.start().await.unwrap();
    let busy = id("demo/loop/a");
    let payload = "x".repeat(60);
    let mut accepted = 0;
    let refused = loop {
        match system.send(&busy, "", payload.as_str()).await {
            Ok(()) => accepted += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused.reason, Refusal::MailboxFull);
    // One is in the mailbox, and of the others the last one found less than 100 bytes.
    assert!((2..=4).contains(&accepted), "{accepted}");
    system.shutdown_within(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_timers_leave_on_disk_is_bounded() {
    let data = TempDir::new().unwrap();
    let builder = builder(data.path())
        .component("demo/probe", &*guest("probe"))
        .component_with("demo/ledger", &*guest("ledger"), |it| {
            it.limits.mailbox = 1;
            it.limits.backlog = 2;
            // It pauses for longer than this takes when something has failed.
            it.retry = stuck();
        });
    let system = builder.start().await.unwrap();
    system.send(&id("demo/ledger/a"), "trap", "").await.unwrap();
    until("it has failed", || {
        let components = system.status().components;
        components.iter().any(|it| it.counts.failed == 1)
    })
    .await;
    // All of one turn, at the end of which the first is due: there is room for each until then.
    let timer = json!(["messaging.send-after", {"target": "demo/ledger/a", "kind": "count"}]);
    let script = Value::from(vec![timer; 20]).to_string();
    let set = ask(&system, "demo/probe/a", "script", &script).await;
    assert!(!set.contains("error"), "{set}");
    until("all are due", || system.status().open.timers == 0).await;
    let letters = || system.dead_letters(Some("demo/ledger/a"), None, 100);
    // One is in hand, one in the mailbox, and two wait on disk.
    until("they are refused", || letters().len() >= 15).await;
    let full = DeathCause::Undelivered(Refusal::MailboxFull);
    assert!(letters().iter().all(|(_, letter)| letter.reason == full));
    system.shutdown_within(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_have_nothing_wait_on_disk_is_sent_what_its_mailbox_takes() {
    let data = TempDir::new().unwrap();
    let builder = builder(data.path()).component_with("demo/relay", &*guest("relay"), |it| {
        it.limits.backlog = 0;
        it.limits.backlog_bytes = 0;
    });
    let system = builder.start().await.unwrap();
    ask(&system, "demo/relay/a", "subscribe", "news").await;
    assert_eq!(system.publish("news", "note", "news\n").await, Ok(1));
    let later = json!({"target": "demo/relay/a", "kind": "note", "text": "late\n", "delay_ms": 0});
    ask(&system, "demo/relay/a", "later", &later.to_string()).await;
    let both = async {
        loop {
            let notes = ask(&system, "demo/relay/a", "notes", "").await;
            if notes.contains("news") && notes.contains("late") {
                return;
            }
        }
    };
    timeout(Duration::from_secs(60), both).await.unwrap();
    assert_eq!(system.dead_letters(None, None, 1).len(), 0);
    assert!(system.shutdown().await.is_clean());
}

/// Actors that fail at each message.
async fn failing(data: &TempDir, limits: &Limits, retry: &RetryPolicy) -> System {
    let builder = builder(data.path()).component_with("demo/stuck", &*guest("unreachable"), |it| {
        it.limits = limits.clone();
        it.retry = retry.clone();
    });
    builder.start().await.unwrap()
}

/// Pauses after a failure for longer than any test waits.
fn stuck() -> RetryPolicy {
    const LONG_MS: u64 = 600_000;
    RetryPolicy {
        first_ms: LONG_MS,
        max_ms: LONG_MS,
        ..at_once(2)
    }
}

/// What waits on disk for actors, in messages and bytes.
fn on_disk(system: &System) -> (u64, u64) {
    let status = system.status();
    (
        status.components[0].on_disk,
        status.components[0].on_disk_bytes,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_on_disk_for_all_actors_is_bounded_over_restarts() {
    let stuck = stuck();
    let one_each = Limits {
        mailbox: 1,
        ..Limits::default()
    };
    for limits in [
        Limits {
            total_backlog: 5,
            ..one_each.clone()
        },
        Limits {
            total_backlog_bytes: 450,
            ..one_each
        },
    ] {
        let data = TempDir::new().unwrap();
        let system = failing(&data, &limits, &stuck).await;
        let payload = "x".repeat(100);
        let send = async |system: &System, actor: &str| {
            let sent = system.send(&id(actor), "", payload.as_str()).await;
            sent.map_err(|refused| refused.reason)
        };
        // One is in memory, and the others are not.
        for (actor, messages) in [("a", 3), ("b", 3), ("c", 2)] {
            for _ in 0..messages {
                let actor = format!("demo/stuck/{actor}");
                assert_eq!(send(&system, &actor).await, Ok(()));
            }
        }
        assert_eq!(on_disk(&system), (5, 500));
        let full = Err(Refusal::MailboxFull);
        for actor in ["demo/stuck/c", "demo/stuck/a"] {
            assert_eq!(send(&system, actor).await, full);
        }
        // What waits in memory is not among it.
        assert_eq!(send(&system, "demo/stuck/d").await, Ok(()));
        assert_eq!(send(&system, "demo/stuck/d").await, full);
        system.shutdown_within(Duration::ZERO).await;
        drop(system);

        let system = failing(&data, &limits, &stuck).await;
        for actor in ["demo/stuck/c", "demo/stuck/a", "demo/stuck/d"] {
            assert_eq!(send(&system, actor).await, full);
        }
        until("each has one in memory", || on_disk(&system) == (5, 500)).await;
        // What is given up waits no longer, and what it took is free.
        system.stop(&id("demo/stuck/a")).unwrap();
        until("it has ended", || on_disk(&system) == (3, 300)).await;
        assert_eq!(send(&system, "demo/stuck/d").await, Ok(()));
        system.shutdown_within(Duration::ZERO).await;
        drop(system);

        let system = failing(&data, &limits, &at_once(1)).await;
        until("all are dead letters", || on_disk(&system) == (0, 0)).await;
        assert_eq!(send(&system, "demo/stuck/a").await, Ok(()));
        system.shutdown_within(Duration::ZERO).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn little_is_read_back_from_disk_when_no_memory_is_left() {
    const MESSAGES: u64 = 10;
    let data = TempDir::new().unwrap();
    let system = failing(&data, &Limits::default(), &stuck()).await;
    for actor in ["demo/stuck/a", "demo/stuck/b"] {
        for _ in 0..MESSAGES {
            let sent = system.send(&id(actor), "", "x".repeat(30_000)).await;
            sent.unwrap();
        }
    }
    system.shutdown_within(Duration::ZERO).await;
    drop(system);
    // Three of them are more than little.
    let limits = Limits {
        total_mailbox_bytes: 0,
        ..Limits::default()
    };
    let system = failing(&data, &limits, &stuck()).await;
    until("each has read some", || {
        let status = system.status();
        let component = &status.components[0];
        (component.waiting_bytes, component.on_disk) == (2 * (64 << 10), 2 * (MESSAGES - 3))
    })
    .await;
    system.shutdown_within(Duration::ZERO).await;
}
