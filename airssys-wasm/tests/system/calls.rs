//! Calls inside a turn: replies, circles, and time that runs out.

// Layer 1: Standard library imports
use std::time::{Duration, Instant};

// Layer 2: Third-party crate imports
use serde_json::{Value, json};

// Layer 3: Internal module imports
use airssys_wasm::system::error::AskError;
use airssys_wasm::system::handle::System;

use crate::support::{ask, builder, bytes, counts, guest, id, is_settled, once, try_ask, until};

/// How long a loop and a call last at the most. What ends sooner was ended.
const A_MINUTE_MS: u32 = 60_000;

/// What ends as soon as this did not wait for [`A_MINUTE_MS`] to be over, however slow the
/// machine is.
const SOON: Duration = Duration::from_secs(15);

async fn system() -> System {
    builder()
        .component_with("demo/caller", &*guest("caller"), |it| {
            once(it);
            it.limits.turn_wall_ms = A_MINUTE_MS.into();
        })
        .component_with("demo/counter", &*guest("counter"), once)
        .component_with("demo/loop", bytes("endless-loop"), |it| {
            once(it);
            it.limits.turn_wall_ms = A_MINUTE_MS.into();
            it.limits.turn_fuel = u64::MAX;
        })
        .start()
        .await
        .unwrap()
}

/// A call to `target`.
fn call(target: &str, kind: &str, text: &str, timeout_ms: u32) -> String {
    json!({"target": target, "kind": kind, "text": text, "timeout_ms": timeout_ms}).to_string()
}

/// A call that each of `callers` hands on to the next, and the last one to `target`.
fn chain(callers: &[&str], target: &str, kind: &str) -> String {
    let mut inner = call(target, kind, "", A_MINUTE_MS);
    for caller in callers.iter().rev() {
        inner = call(caller, "call", &inner, A_MINUTE_MS);
    }
    inner
}

async fn rejection(system: &System, caller: &str, call: String) -> String {
    match try_ask(system, caller, "call", call).await {
        Err(AskError::Rejected(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_brings_the_reply_or_the_reason_why_there_is_none() {
    let system = system().await;
    let add = call("demo/counter/c", "add", "5", 5_000);
    assert_eq!(
        ask(&system, "demo/caller/a", "call", add.clone()).await,
        "5"
    );
    for (target, kind, words) in [
        (
            "demo/counter/c",
            "add-then-reject",
            "rejected: 10 is not to stay",
        ),
        ("demo/counter/c", "add-then-trap", "failed"),
        ("demo/nobody/c", "add", "not-found"),
        ("demo/nobody", "add", "invalid"),
    ] {
        let why = rejection(&system, "demo/caller/a", call(target, kind, "5", 5_000)).await;
        assert!(why.contains(words), "{why}");
    }
    // What the callee has done stays, also when the caller fails later.
    let failed = try_ask(&system, "demo/caller/a", "call-then-reject", add).await;
    assert!(failed.is_err());
    assert_eq!(ask(&system, "demo/counter/c", "get", "").await, "10");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_circle_of_calls_is_a_deadlock_at_once() {
    let system = system().await;
    let circles: [&[&str]; 3] = [
        &["demo/caller/a"],
        &["demo/caller/a", "demo/caller/b"],
        &["demo/caller/a", "demo/caller/b", "demo/caller/c"],
    ];
    for circle in circles {
        // The first one calls the second, and so on, and the last one the first.
        let payload = chain(&circle[1..], circle[0], "call");
        let began = Instant::now();
        let why = rejection(&system, circle[0], payload).await;
        assert!(why.contains("deadlock"), "{why}");
        assert!(began.elapsed() < SOON, "{:?} of 60 s", began.elapsed());
    }
    // Nobody waits for anybody any more.
    let straight = chain(&["demo/caller/b", "demo/caller/c"], "demo/counter/c", "get");
    assert_eq!(ask(&system, "demo/caller/a", "call", straight).await, "0");
    let back = chain(&["demo/caller/b", "demo/caller/a"], "demo/counter/c", "get");
    assert_eq!(ask(&system, "demo/caller/c", "call", back).await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn circles_that_close_from_two_sides_end_as_well() {
    let system = system().await;
    for _ in 0..20 {
        let (a, b) = (id("demo/caller/a"), id("demo/caller/b"));
        let to_b = chain(&["demo/caller/b"], "demo/counter/c", "get");
        let to_a = chain(&["demo/caller/a"], "demo/counter/c", "get");
        let (one, other) = tokio::join!(system.ask(&a, "call", to_b), system.ask(&b, "call", to_a));
        for outcome in [&one, &other] {
            match outcome {
                Ok(_) => {}
                Err(AskError::Rejected(why)) => assert!(why.contains("deadlock"), "{why}"),
                // Who asks waits for half as long as the calls would.
                failed => panic!("{failed:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_calls_time_runs_out_and_the_caller_goes_on() {
    let system = system().await;
    let began = Instant::now();
    let slow = call("demo/loop/a", "", "", 100);
    let why = rejection(&system, "demo/caller/a", slow).await;
    assert!(why.contains("timeout"), "{why}");
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    let get = call("demo/counter/c", "get", "", 5_000);
    assert_eq!(ask(&system, "demo/caller/a", "call", get).await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_that_is_left_goes_down_the_chain() {
    let system = system().await;
    let patience = Duration::from_secs(2);
    // Each of them would wait for a minute, and the loop would run for as long.
    let chain = chain(&["demo/caller/b", "demo/caller/c"], "demo/loop/a", "");
    let message = system.message(&id("demo/caller/a"), "call", chain);
    let began = Instant::now();
    let asked = system.ask_within(message, patience).await;
    assert!(asked.is_err(), "{asked:?}");
    until("all of them have ended", || {
        let status = system.status();
        status
            .components
            .iter()
            .all(|it| is_settled(it.counts) && it.waiting == 0)
            && counts(&system, "demo/loop").accepted == 1
    })
    .await;
    let took = began.elapsed();
    assert!(took < SOON, "the loop ended with them: {took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_of_one_callee_are_served_one_after_the_other() {
    let system = system().await;
    let callers: Vec<_> = (0..30)
        .map(|caller| {
            let system = system.clone();
            tokio::spawn(async move {
                let to = format!("demo/caller/{caller}");
                let add = call("demo/counter/c", "add", "1", 20_000);
                let sum: Value = ask(&system, &to, "call", add).await.parse().unwrap();
                sum.as_u64().unwrap()
            })
        })
        .collect();
    let mut sums = Vec::new();
    for caller in callers {
        sums.push(caller.await.unwrap());
    }
    sums.sort_unstable();
    assert_eq!(sums, (1..=30).collect::<Vec<u64>>());
}
