//! A turn that fails leaves no trace, in the running system and after its end.
//!
//! In each test an account writes, sends, makes a request, sets a timer and subscribes, all
//! in one turn, and then the turn fails.

// Layer 2: Third-party crate imports
use tempfile::TempDir;

// Layer 3: Internal module imports
use airssys_wasm::core::limits::Limits;
use airssys_wasm::system::builder::SystemBuilder;

use crate::process::{Process, Trouble};
use crate::support::{at_once, guest};

/// The account that is to get something.
const BOB: &str = "demo/account/bob";

/// Accounts that may do little of one thing each.
pub(crate) fn components(builder: SystemBuilder) -> SystemBuilder {
    let limits = Limits::default;
    let of_each = [
        ("demo/account", limits()),
        (
            "demo/short-of-fuel",
            Limits {
                turn_fuel: 20_000_000,
                ..limits()
            },
        ),
        (
            "demo/short-of-time",
            Limits {
                turn_wall_ms: 1_000,
                turn_fuel: u64::MAX,
                ..limits()
            },
        ),
        (
            "demo/short-of-memory",
            Limits {
                memory_bytes: 8 << 20,
                ..limits()
            },
        ),
        (
            "demo/short-of-storage",
            Limits {
                storage_bytes: 64 << 10,
                ..limits()
            },
        ),
    ];
    of_each
        .into_iter()
        .fold(builder, |builder, (name, limits)| {
            builder.component_with(name, &*guest("account"), |it| {
                // What takes as long as it may is not tried twice.
                let is_slow = limits.turn_fuel == u64::MAX;
                it.retry = at_once(if is_slow { 1 } else { 2 });
                it.limits = limits;
            })
        })
}

/// How a turn that is to fail is told so.
#[derive(Clone, Copy)]
struct Failure {
    component: &'static str,
    kind: &'static str,
    /// What whoever asked is told.
    word: &'static str,
    why: &'static str,
    /// How many dead letters each message becomes.
    letters: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_traps_leaves_no_trace() {
    check(Failure {
        component: "demo/account",
        kind: "transfer-then-trap",
        word: "failed",
        why: "the guest gave up",
        letters: 1,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_rejects_leaves_no_trace() {
    check(Failure {
        component: "demo/account",
        kind: "transfer-then-reject",
        word: "rejected",
        why: "the order says so",
        letters: 0,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_wants_a_retry_leaves_no_trace() {
    check(Failure {
        component: "demo/account",
        kind: "transfer-then-retry",
        word: "failed",
        why: "the order says so",
        letters: 1,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_runs_out_of_fuel_leaves_no_trace() {
    check(Failure {
        component: "demo/short-of-fuel",
        kind: "transfer-then-spin",
        word: "failed",
        why: "turn_fuel",
        letters: 1,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_runs_out_of_time_leaves_no_trace() {
    check(Failure {
        component: "demo/short-of-time",
        kind: "transfer-then-spin",
        word: "failed",
        why: "turn_wall_ms",
        letters: 1,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_runs_out_of_memory_leaves_no_trace() {
    check(Failure {
        component: "demo/short-of-memory",
        kind: "transfer-then-grow",
        word: "failed",
        why: "memory_bytes",
        letters: 1,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_runs_out_of_storage_leaves_no_trace() {
    check(Failure {
        component: "demo/short-of-storage",
        kind: "transfer-then-hoard",
        word: "rejected",
        why: "storage_bytes",
        letters: 0,
    })
    .await;
}

async fn check(failure: Failure) {
    let folder = TempDir::new().unwrap();
    let process = Process::start("no-trace", folder.path());
    let alice = format!("{}/alice", failure.component);
    for account in [&alice, BOB] {
        process.ask(account, "open", "100 0").await;
    }
    let before = state(&process, &alice).await;

    // A message from outside, one that is on disk from the start, and one with an id.
    let order = format!("c-1 {BOB} 10");
    let told = process.try_ask(&alice, failure.kind, &order, None).await;
    assert_told(&told, failure);
    process.send(&alice, failure.kind, &order).await;
    let told = process
        .try_ask(&alice, failure.kind, &order, Some("c-1"))
        .await;
    assert_told(&told, failure);
    assert_eq!(state(&process, &alice).await, before);
    let letters = 3 * failure.letters;
    assert_dead(&process, failure, letters).await;

    process.kill();
    let process = Process::start("no-trace", folder.path());
    assert_eq!(state(&process, &alice).await, before, "after a restart");
    assert_dead(&process, failure, letters).await;

    // What follows comes after whatever there might have been, and has its number.
    process
        .ask(&alice, "transfer", &format!("c-2 {BOB} 10"))
        .await;
    let expected = format!("from {alice} 1 1 10\n");
    process
        .until_said(BOB, "statement", |it| it.ends_with(&expected))
        .await;
    let [_, bob, _] = state(&process, &alice).await;
    assert!(
        bob.starts_with("balance 110\nticks 0\ndisorder 0\n"),
        "{bob}"
    );
    assert_eq!(process.publish("traces.one", "tick", "0").await, 0);

    // And in the same way when the system ends as it should.
    process.send(&alice, failure.kind, &order).await;
    let left = state(&process, &alice).await;
    process.get("shutdown").await;
    process.kill();
    let process = Process::start("no-trace", folder.path());
    assert_eq!(state(&process, &alice).await, left, "after a shutdown");
    assert_dead(&process, failure, letters + failure.letters).await;
}

/// What both accounts say of all that they have, and what the system has open.
async fn state(process: &Process, alice: &str) -> [String; 3] {
    [
        process.ask(alice, "statement", "").await,
        process.ask(BOB, "statement", "").await,
        format!("{:?}", process.open().await),
    ]
}

fn assert_told(told: &Result<String, Trouble>, failure: Failure) {
    let Err(Trouble::Error(word, why)) = told else {
        panic!("{told:?}");
    };
    assert_eq!(word, failure.word, "{why}");
    assert!(why.contains(failure.why), "{why}");
}

async fn assert_dead(process: &Process, failure: Failure, count: usize) {
    let letters = process.get("dead-letters").await;
    let letters = letters.as_array().expect("a list");
    assert_eq!(letters.len(), count, "{letters:?}");
    for letter in letters {
        assert_eq!(letter["kind"], failure.kind);
        assert_eq!(letter["has_turn"], true);
    }
}
