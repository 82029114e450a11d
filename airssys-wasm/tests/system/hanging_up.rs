//! Whoever wants something hangs up before it has ended: it is done, and written down.

// Layer 1: Standard library imports
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

// Layer 2: Third-party crate imports
use tokio::time::{sleep, timeout};

// Layer 3: Internal module imports
use airssys_wasm::core::security::audit::{Action, AuditEntry, Decision, Operation};
use airssys_wasm::security::audit::query::AuditQuery;
use airssys_wasm::system::handle::System;

use crate::support::{PATIENCE, Watch, builder, bytes, component_status, id, once, try_ask, until};

/// What was written down of one kind of deed, the newest first.
async fn noted(system: &System, operation: Operation) -> Vec<AuditEntry> {
    let query = AuditQuery {
        action: Some(Action::Operate(operation)),
        ..AuditQuery::default()
    };
    let found = system.audit(&query).await.unwrap();
    found.records.into_iter().map(|it| it.entry).collect()
}

/// Whoever wants an upgrade hangs up when the version has changed, and an actor is within a
/// turn of so many milliseconds. Says whether it was by then.
async fn hang_up_within_a_turn_of(turn_wall_ms: u64) -> bool {
    let system = builder()
        .component_with("demo/loop", bytes("endless-loop"), |it| {
            once(it);
            it.limits.turn_wall_ms = turn_wall_ms;
            it.limits.turn_fuel = u64::MAX;
        })
        .start()
        .await
        .unwrap();
    let mut watch = Watch::new(&system);
    system.send(&id("demo/loop/a"), "", "").await.unwrap();
    watch.activated("demo/loop/a").await;
    let version = || component_status(&system, "demo/loop").version;
    let before = version();
    let mut upgrade = Box::pin(system.upgrade("demo/loop", bytes("echo")));
    let was_waiting = poll_fn(|cx| match upgrade.as_mut().poll(cx) {
        Poll::Ready(_ended) => Poll::Ready(false),
        Poll::Pending if version() == before => Poll::Pending,
        Poll::Pending => Poll::Ready(true),
    });
    let was_waiting = was_waiting.await;
    drop(upgrade);
    let entries = noted(&system, Operation::Upgrade).await;
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0].decision, Decision::Allowed);
    assert_eq!(entries[0].component, "demo/loop");
    let digest = version().digest.to_string();
    assert!(entries[0].resource.ends_with(&digest), "{entries:?}");
    was_waiting
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_is_written_down_though_nobody_waits_for_its_end() {
    for turn_wall_ms in [2_000, 8_000, 30_000] {
        if hang_up_within_a_turn_of(turn_wall_ms).await {
            return;
        }
    }
    panic!("no turn was so long that the upgrade had to wait for it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_letter_is_written_down_though_nobody_waits_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let system = builder()
        .configure(|system| system.data = Some(folder.path().join("data")))
        .component_with("demo/room", bytes("chat-room"), once)
        .start()
        .await
        .unwrap();
    let trapped = try_ask(&system, "demo/room/a", "say", "/panic").await;
    assert!(trapped.is_err());
    until("it is buried", || system.status().dead_letters == 1).await;
    let letter = system.dead_letters(None, None, 1)[0].0;
    {
        let mut dropped = pin!(system.drop_dead_letter(letter));
        let polled = poll_fn(|cx| Poll::Ready(dropped.as_mut().poll(cx).is_pending()));
        assert!(polled.await, "it waits for the disk");
    }
    assert_eq!(system.dead_letters(None, None, 1).len(), 0);
    let written = async {
        loop {
            if let [entry] = &noted(&system, Operation::DropLetter).await[..] {
                return entry.clone();
            }
            sleep(Duration::from_millis(1)).await;
        }
    };
    let entry = timeout(PATIENCE, written).await.expect("an entry");
    assert_eq!(entry.decision, Decision::Allowed);
    assert_eq!(entry.resource, letter.to_string());
    system.shutdown().await;
}
