//! Messages that wait on disk: in order, handled once each, and bounded.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::time::Duration;

// Layer 2: Third-party crate imports
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::sleep;

// Layer 3: Internal module imports
use airssys_wasm::component::retry::RetryPolicy;
use airssys_wasm::system::builder::SystemBuilder;

use crate::process::{Process, Trouble};
use crate::support::{at_once, guest};

const MAILBOX: usize = 4;
const BACKLOG: usize = 200;

/// How long an actor pauses that is stuck. No test waits as long.
const LONG_MS: u64 = 600_000;

/// Components that are the same but for what a failure leads to. An actor that is `stuck`
/// pauses after one, and what was sent later waits; one that is not gives the message up.
pub(crate) fn components(builder: SystemBuilder, is: Mood) -> SystemBuilder {
    let retry = match is {
        Mood::Stuck => RetryPolicy {
            attempts: 2,
            first_ms: LONG_MS,
            max_ms: LONG_MS,
            ..at_once(2)
        },
        Mood::Free | Mood::Crowded | Mood::Broken => at_once(1),
    };
    let counter = match is {
        Mood::Broken => "unreachable",
        Mood::Stuck | Mood::Free | Mood::Crowded => "counter",
    };
    let small = builder.component_with("demo/ledger", &*guest("ledger"), |it| {
        it.limits.mailbox = MAILBOX as u64;
        it.limits.backlog = BACKLOG as u64;
        it.retry = retry;
    });
    let all = small
        .component("demo/relay", &*guest("relay"))
        .component_with("demo/counter", &*guest(counter), |it| it.retry = at_once(1));
    match is {
        Mood::Crowded => all.configure(|system| system.max_live_actors = 1),
        Mood::Stuck | Mood::Free | Mood::Broken => all,
    }
}

/// What a failure leads to, and how much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Stuck,
    Free,
    /// As free, and one actor at a time has an instance.
    Crowded,
    /// As free, and counters trap at everything.
    Broken,
}

/// A ledger that pauses for a long time, since it was sent what it fails at.
async fn stuck(process: &Process, ledger: &str) {
    process.send(ledger, "trap", "").await;
    let is_paused = |status: &Value| counts(status)["failed"] == 1;
    process.until("status", is_paused).await;
}

/// What was counted of ledgers.
fn counts(status: &Value) -> &Value {
    let components = status["components"].as_array().expect("a list");
    let found = components.iter().find(|it| it["name"] == "demo/ledger");
    &found.expect("ledgers")["counts"]
}

async fn next(process: &Process, from: &str, to: &str, number: usize) -> Result<(), Trouble> {
    let payload = number.to_string();
    let sent = json!({"do": "send", "from": from, "to": to, "kind": "next", "payload": payload});
    process.command(sent).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_mailbox_does_not_hold_waits_on_disk_in_order() {
    const SENDERS: usize = 3;
    const MESSAGES: usize = BACKLOG / SENDERS;
    const LEDGER: &str = "demo/ledger/a";
    let folder = TempDir::new().unwrap();
    let process = Process::start("stuck", folder.path());
    stuck(&process, LEDGER).await;
    for number in 1..=MESSAGES / 2 {
        for sender in 0..SENDERS {
            let from = format!("test/sender/{sender}");
            next(&process, &from, LEDGER, number).await.unwrap();
        }
    }
    // The first is tried again, and pauses again, and the rest go on waiting.
    process.kill();
    let process = Process::start("stuck", folder.path());
    process
        .until("status", |status| counts(status)["failed"] == 1)
        .await;
    for number in MESSAGES / 2 + 1..=MESSAGES {
        for sender in 0..SENDERS {
            let from = format!("test/sender/{sender}");
            next(&process, &from, LEDGER, number).await.unwrap();
        }
    }
    process.kill();

    let process = Process::start("free", folder.path());
    let total = (SENDERS * MESSAGES).to_string();
    process
        .until_said(LEDGER, "count", |count| count == total)
        .await;
    for sender in 0..SENDERS {
        let from = format!("test/sender/{sender}");
        assert_eq!(
            process.ask(LEDGER, "last", &from).await,
            MESSAGES.to_string()
        );
    }
    let status = process.get("status").await;
    assert_eq!(
        counts(&status)["rejected"],
        0,
        "each was handled once, in order"
    );
    let letters = process.get("dead-letters").await;
    assert_eq!(letters.as_array().map(Vec::len), Some(1), "{letters}");
    assert_eq!(letters[0]["kind"], "trap");

    // And nothing of it comes again.
    process.kill();
    let process = Process::start("free", folder.path());
    assert_eq!(process.ask(LEDGER, "count", "").await, total);
    assert_eq!(counts(&process.get("status").await)["rejected"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_wait_on_disk_than_is_allowed() {
    const LEDGER: &str = "demo/ledger/a";
    let folder = TempDir::new().unwrap();
    let process = Process::start("stuck", folder.path());
    stuck(&process, LEDGER).await;
    let mut accepted = 0;
    let refused = loop {
        match next(&process, "test/sender/one", LEDGER, accepted + 1).await {
            Ok(()) => accepted += 1,
            Err(refused) => break refused,
        }
        assert!(accepted <= 2 * BACKLOG, "it takes everything");
    };
    assert_eq!(refused.word(), "mailbox-full", "{refused:?}");
    // One more is in hand.
    assert_eq!(accepted + 1, MAILBOX + BACKLOG);
    let asked = process.try_ask(LEDGER, "count", "", None).await;
    assert_eq!(asked.unwrap_err().word(), "mailbox-full");
    // Others have room of their own.
    next(&process, "test/sender/one", "demo/ledger/b", 1)
        .await
        .unwrap();

    process.kill();
    let process = Process::start("free", folder.path());
    let accepted = accepted.to_string();
    process
        .until_said(LEDGER, "count", |count| count == accepted)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waited_before_a_restart_counts_among_what_may_wait() {
    const LEDGER: &str = "demo/ledger/a";
    let folder = TempDir::new().unwrap();
    let process = Process::start("stuck", folder.path());
    stuck(&process, LEDGER).await;
    for number in 1..MAILBOX + BACKLOG {
        next(&process, "test/sender/one", LEDGER, number)
            .await
            .unwrap();
    }
    process.kill();
    let process = Process::start("stuck", folder.path());
    process
        .until("status", |status| counts(status)["failed"] == 1)
        .await;
    let refused = next(&process, "test/sender/one", LEDGER, MAILBOX + BACKLOG).await;
    assert_eq!(
        refused.map_err(|it| it.word().to_owned()),
        Err("mailbox-full".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_comes_after_what_waited_on_disk() {
    const LEDGERS: usize = 20;
    const MESSAGES: usize = 10 * MAILBOX;
    let folder = TempDir::new().unwrap();
    let process = Process::start("stuck", folder.path());
    let ledgers: Vec<_> = (0..LEDGERS).map(|it| format!("demo/ledger/{it}")).collect();
    for ledger in &ledgers {
        process.send(ledger, "trap", "").await;
        for number in 1..=MESSAGES {
            next(&process, "test/sender/one", ledger, number)
                .await
                .unwrap();
        }
    }
    process.kill();
    // Ledgers wait for room before they read what waits for them.
    let process = Process::start("crowded", folder.path());
    let process = Arc::new(process);
    let asking = ledgers.into_iter().map(|ledger| {
        let process = Arc::clone(&process);
        tokio::spawn(async move {
            loop {
                match process.try_ask(&ledger, "count", "", None).await {
                    Ok(count) => return (ledger, count),
                    Err(full) => assert_eq!(full.word(), "mailbox-full", "{full:?}"),
                }
                sleep(Duration::from_millis(1)).await;
            }
        })
    });
    for asked in asking.collect::<Vec<_>>() {
        let (ledger, count) = asked.await.unwrap();
        assert_eq!(count, MESSAGES.to_string(), "{ledger}");
    }
}
