//! Timers, requests and subscriptions that were open when the process was killed.

// Layer 1: Standard library imports
use std::time::Duration;

// Layer 2: Third-party crate imports
use serde_json::json;
use tempfile::TempDir;
use tokio::time::{Instant, sleep_until};

// Layer 3: Internal module imports
use crate::process::Process;

const RELAY: &str = "demo/relay/a";
const NOTES: &str = "demo/relay/notes";
const LEDGER: &str = "demo/ledger/a";
const AN_HOUR_MS: u64 = 3_600_000;

/// Sets a timer for a note, and returns its id.
async fn note_later(process: &Process, text: &str, delay_ms: u64) -> String {
    let later = json!({"target": NOTES, "kind": "note", "text": text, "delay_ms": delay_ms});
    process.ask(RELAY, "later", &later.to_string()).await
}

async fn request(process: &Process, kind: &str, text: &str, timeout_ms: u64) -> String {
    let request = json!({"target": LEDGER, "kind": kind, "text": text, "timeout_ms": timeout_ms});
    process.ask(RELAY, "request", &request.to_string()).await
}

/// A process that was killed, and started again when some time had passed.
async fn killed(
    process: Process,
    setup: &str,
    folder: &TempDir,
    since: Instant,
    ms: u64,
) -> Process {
    process.kill();
    sleep_until(since + Duration::from_millis(ms)).await;
    Process::start(setup, folder.path())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_that_came_due_while_nothing_ran_fires_once_and_late() {
    let folder = TempDir::new().unwrap();
    let process = Process::start("free", folder.path());
    let began = Instant::now();
    note_later(&process, "one", 2_000).await;
    note_later(&process, "two", 2_001).await;
    let cancelled = note_later(&process, "cancelled", 2_002).await;
    note_later(&process, "much later", AN_HOUR_MS).await;
    process.ask(RELAY, "cancel", &cancelled).await;
    let process = killed(process, "free", &folder, began, 2_100).await;
    process
        .until_said(NOTES, "notes", |notes| notes == "one\ntwo\n")
        .await;
    assert_eq!(process.open().await, [1, 0, 0]);
    // Another one is set and fires, and the ones before do not fire again.
    let process = killed(process, "free", &folder, began, 0).await;
    note_later(&process, "three", 1).await;
    process
        .until_said(NOTES, "notes", |notes| notes == "one\ntwo\nthree\n")
        .await;
    assert_eq!(process.open().await, [1, 0, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_timer_does_not_fire_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let process = Process::start("free", folder.path());
    let [first, second, _third] = [
        note_later(&process, "first", AN_HOUR_MS).await,
        note_later(&process, "second", AN_HOUR_MS).await,
        note_later(&process, "third", AN_HOUR_MS).await,
    ];
    process.ask(RELAY, "cancel", &first).await;
    process.kill();
    let process = Process::start("free", folder.path());
    assert_eq!(process.open().await, [2, 0, 0]);
    // Its number is still its own, and no other timer gets it.
    let fourth = note_later(&process, "fourth", AN_HOUR_MS).await;
    assert!(![&first, &second].contains(&&fourth));
    process.ask(RELAY, "cancel", &second).await;
    assert_eq!(process.open().await, [2, 0, 0]);
    process.kill();
    let process = Process::start("free", folder.path());
    assert_eq!(process.open().await, [2, 0, 0]);
    assert_eq!(process.ask(NOTES, "notes", "").await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_begin_and_end_for_good() {
    let folder = TempDir::new().unwrap();
    let process = Process::start("free", folder.path());
    for relay in [RELAY, NOTES] {
        process.ask(relay, "subscribe", "orders.>").await;
        process.ask(relay, "subscribe", "other.*").await;
    }
    process.ask(RELAY, "unsubscribe", "orders.>").await;
    process.kill();
    let process = Process::start("free", folder.path());
    assert_eq!(process.open().await, [0, 0, 3]);
    assert_eq!(process.publish("orders.eu", "note", "one").await, 1);
    process.ask(NOTES, "unsubscribe", "orders.>").await;
    // What was published is on disk, whether it is handled by now or not.
    process.kill();
    let process = Process::start("free", folder.path());
    assert_eq!(process.publish("orders.eu", "note", "two").await, 0);
    assert_eq!(process.publish("other.eu", "note", "three").await, 2);
    process
        .until_said(NOTES, "notes", |notes| notes == "one\nthree\n")
        .await;
    process
        .until_said(RELAY, "notes", |notes| notes == "three\n")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_answered_once_whoever_is_killed_meanwhile() {
    let folder = TempDir::new().unwrap();
    let process = Process::start("stuck", folder.path());
    process.send(LEDGER, "trap", "").await;
    // The ledger is at the first, so that all of these wait.
    let began = Instant::now();
    let handled = request(&process, "next", "1", AN_HOUR_MS).await;
    let rejected = request(&process, "next", "7", AN_HOUR_MS).await;
    let late = request(&process, "next", "2", 300).await;
    let cancelled = request(&process, "next", "2", AN_HOUR_MS).await;
    process.ask(RELAY, "cancel-request", &cancelled).await;
    let died = request(&process, "trap", "", AN_HOUR_MS).await;
    let process = killed(process, "stuck", &folder, began, 400).await;
    let outcomes = [
        (handled, "ok: "),
        (rejected, "error: rejected: 7 of demo/relay/a comes after 1"),
        (late, "error: timeout"),
        (died, "error: failed: the turn failed"),
    ];
    let (late, timeout) = &outcomes[2];
    process
        .until_told(RELAY, "outcome", late, |it| it.starts_with(timeout))
        .await;
    assert_eq!(process.open().await[1], 3);

    process.kill();
    let process = Process::start("free", folder.path());
    for (correlation, outcome) in &outcomes {
        let is_told = |told: &str| told.starts_with(outcome);
        process
            .until_told(RELAY, "outcome", correlation, is_told)
            .await;
    }
    assert_eq!(process.open().await, [0, 0, 0]);
    assert_eq!(process.ask(RELAY, "outcome", &cancelled).await, "");
    // The one that was cancelled is handled all the same, and the late one is not.
    assert_eq!(process.ask(LEDGER, "last", RELAY).await, "2");

    process.kill();
    let process = Process::start("free", folder.path());
    for (correlation, outcome) in &outcomes {
        let told = process.ask(RELAY, "outcome", correlation).await;
        assert!(told.starts_with(outcome), "{told}");
    }
    let status = process.get("status").await;
    assert_eq!(status["dead_letters"], 2, "the two that trapped");
    assert_eq!(status["open"]["requests"], 0);
}
