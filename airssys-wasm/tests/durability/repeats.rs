//! Messages that are sent more than once, since nobody knew whether they had arrived.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use tempfile::TempDir;

// Layer 3: Internal module imports
use crate::process::{Process, Trouble};

const COUNTER: &str = "demo/counter/a";

async fn asked(process: &Process, kind: &str, id: &str) -> Result<String, Trouble> {
    process.try_ask(COUNTER, kind, "2", Some(id)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_or_sent_again_has_one_effect_and_one_answer() {
    let folder = TempDir::new().unwrap();
    let process = Process::start("free", folder.path());
    let first = asked(&process, "add", "a").await;
    assert_eq!(first, Ok("2".into()));
    process
        .try_send(COUNTER, "add", "2", Some("b"))
        .await
        .unwrap();
    process
        .try_send(COUNTER, "add", "2", Some("b"))
        .await
        .unwrap();
    let rejected = asked(&process, "add-then-reject", "c").await;
    let why = "rejected: 6 is not to stay";
    assert_eq!(rejected, Err(Trouble::Error("rejected".into(), why.into())));
    process.ask(COUNTER, "add", "10").await;

    let mut process = process;
    for restarted in [false, true, true] {
        if restarted {
            process.kill();
            process = Process::start("free", folder.path());
        }
        assert_eq!(asked(&process, "add", "a").await, first);
        process
            .try_send(COUNTER, "add", "2", Some("a"))
            .await
            .unwrap();
        assert_eq!(asked(&process, "add", "b").await, Ok("4".into()));
        // The reply is that of then, although the count is another one by now.
        assert_eq!(asked(&process, "add-then-reject", "c").await, rejected);
        assert_eq!(process.ask(COUNTER, "get", "").await, "14");
    }
    // To another actor it is another message.
    let other = process
        .try_ask("demo/counter/b", "add", "2", Some("a"))
        .await;
    assert_eq!(other, Ok("2".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_with_one_id_are_one() {
    let folder = TempDir::new().unwrap();
    let process = Arc::new(Process::start("free", folder.path()));
    let asking = (0..20).map(|_| {
        let process = Arc::clone(&process);
        tokio::spawn(async move { asked(&process, "add", "a").await })
    });
    for asked in asking.collect::<Vec<_>>() {
        assert_eq!(asked.await.unwrap(), Ok("2".into()));
    }
    assert_eq!(process.ask(COUNTER, "get", "").await, "2");
}

/// It had no effect, so it may be tried again, until it has one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_may_be_asked_again() {
    let folder = TempDir::new().unwrap();
    let process = Process::start("broken", folder.path());
    assert_eq!(
        asked(&process, "add", "a").await.unwrap_err().word(),
        "failed"
    );
    process.kill();
    let process = Process::start("free", folder.path());
    assert_eq!(asked(&process, "add", "a").await, Ok("2".into()));
    // What died then is the same message, and has had its effect.
    process.letter("retry", 1).await.unwrap();
    process
        .until("status", |status| status["dead_letters"] == 0)
        .await;
    assert_eq!(asked(&process, "add", "a").await, Ok("2".into()));
    assert_eq!(process.ask(COUNTER, "get", "").await, "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_is_neither_empty_nor_long() {
    let folder = TempDir::new().unwrap();
    let process = Process::start("free", folder.path());
    let longest = "x".repeat(128);
    assert_eq!(asked(&process, "add", &longest).await, Ok("2".into()));
    for id in [String::new(), "x".repeat(129)] {
        assert_eq!(
            asked(&process, "add", &id).await.unwrap_err().word(),
            "refused"
        );
        let sent = process.try_send(COUNTER, "add", "2", Some(&id)).await;
        assert_eq!(sent.unwrap_err().word(), "refused");
    }
    assert_eq!(process.ask(COUNTER, "get", "").await, "2");
}
