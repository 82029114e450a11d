//! Requests, whose reply comes as a turn of its own.

// Layer 2: Third-party crate imports
use serde_json::json;

// Layer 3: Internal module imports
use airssys_wasm::system::handle::System;

use crate::support::{
    ask, builder, bytes, counts, guest, id, is_settled, once, until, until_reply,
};

async fn system() -> System {
    builder()
        .component("demo/relay", &*guest("relay"))
        .component_with("demo/counter", &*guest("counter"), once)
        .component_with("demo/loop", bytes("endless-loop"), |it| {
            once(it);
            it.limits.turn_wall_ms = 3_000;
            it.limits.turn_fuel = u64::MAX;
        })
        .start()
        .await
        .unwrap()
}

async fn request(system: &System, target: &str, kind: &str, timeout_ms: u32) -> String {
    let request = json!({"target": target, "kind": kind, "text": "5", "timeout_ms": timeout_ms});
    ask(system, "demo/relay/a", "request", request.to_string()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_is_answered_once_with_what_came_of_it() {
    let system = system().await;
    for (target, kind, timeout_ms, outcome) in [
        ("demo/counter/c", "add", 5_000, "ok: 5"),
        ("demo/counter/c", "add", 5_000, "ok: 10"),
        (
            "demo/counter/c",
            "add-then-reject",
            5_000,
            "error: rejected: 15 is not to stay",
        ),
    ] {
        let correlation = request(&system, target, kind, timeout_ms).await;
        until_reply(&system, "demo/relay/a", "outcome", &correlation, outcome).await;
    }
    for (target, kind, timeout_ms, words) in [
        ("demo/counter/c", "add-then-trap", 5_000, "failed"),
        ("demo/counter/c", "add-then-retry", 5_000, "failed"),
    ] {
        let correlation = request(&system, target, kind, timeout_ms).await;
        let mut outcome = String::new();
        until("all requests ended", || system.status().open.requests == 0).await;
        while outcome.is_empty() {
            outcome = ask(&system, "demo/relay/a", "outcome", correlation.as_str()).await;
        }
        assert!(
            outcome.starts_with("error: ") && outcome.contains(words),
            "{outcome}"
        );
    }
    assert_eq!(ask(&system, "demo/counter/c", "get", "").await, "10");
    assert_eq!(system.status().open.requests, 0);
}

/// The callee is stopped when nobody waits for it any more. Whether its end or that of the
/// requester's time is noticed first, one of them is told, and once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_whose_time_runs_out_ends_once() {
    let system = system().await;
    for round in 1..=5 {
        let correlation = request(&system, "demo/loop/slow", "", 60).await;
        // Two messages in each round, and one reply between them.
        until("it ended", || {
            counts(&system, "demo/relay").handled == 3 * round - 1
        })
        .await;
        assert_eq!(system.status().open.requests, 0);
        let outcome = ask(&system, "demo/relay/a", "outcome", correlation).await;
        assert!(outcome.starts_with("error: timeout"), "{outcome}");
        until("the loop has ended", || {
            is_settled(counts(&system, "demo/loop"))
        })
        .await;
    }
    assert_eq!(system.status().dead_letters, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_request_brings_no_reply() {
    let system = system().await;
    let correlation = request(&system, "demo/loop/a", "", 60_000).await;
    assert_eq!(system.status().open.requests, 1);
    ask(
        &system,
        "demo/relay/a",
        "cancel-request",
        correlation.as_str(),
    )
    .await;
    ask(
        &system,
        "demo/relay/a",
        "cancel-request",
        correlation.as_str(),
    )
    .await;
    assert_eq!(system.status().open.requests, 0);
    until("the loop has ended", || {
        counts(&system, "demo/loop").buried == 1
    })
    .await;
    until("the late one is counted", || {
        system.status().open.late_replies == 1
    })
    .await;
    let outcome = ask(&system, "demo/relay/a", "outcome", correlation).await;
    assert_eq!(outcome, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_waits_in_a_mailbox_beyond_its_time_is_not_handled() {
    let system = system().await;
    // The loop is at it for three seconds, and the second request has 50 ms.
    system.send(&id("demo/loop/a"), "", "").await.unwrap();
    let correlation = request(&system, "demo/loop/a", "", 50).await;
    let timeout = "error: timeout";
    until_reply(&system, "demo/relay/a", "outcome", &correlation, timeout).await;
    until("it was dropped", || {
        counts(&system, "demo/loop").expired == 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_finds_its_actor_after_passivation() {
    let system = builder()
        .component_with("demo/relay", &*guest("relay"), |it| it.idle_ms = 1)
        .component_with("demo/loop", bytes("endless-loop"), |it| {
            once(it);
            it.limits.turn_wall_ms = 3_000;
            it.limits.turn_fuel = u64::MAX;
        })
        .start()
        .await
        .unwrap();
    let correlation = request(&system, "demo/loop/a", "", 60_000).await;
    until("the relay is gone", || {
        system.inspect(&id("demo/relay/a")).unwrap().phase.is_none()
    })
    .await;
    until("the reply woke it", || {
        counts(&system, "demo/relay").activated == 2
    })
    .await;
    until("it was handled", || {
        counts(&system, "demo/relay").handled == 2
    })
    .await;
    let outcome = ask(&system, "demo/relay/a", "outcome", correlation).await;
    assert!(outcome.starts_with("error: failed"), "{outcome}");
}
