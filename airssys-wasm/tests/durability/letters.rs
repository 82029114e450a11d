//! Dead letters, which outlive the process, and what operators do with them.

// Layer 2: Third-party crate imports
use serde_json::Value;
use tempfile::TempDir;

// Layer 3: Internal module imports
use crate::process::Process;

const COUNTER: &str = "demo/counter/a";

async fn numbers(process: &Process) -> Vec<u64> {
    let letters = process.get("dead-letters").await;
    let letters = letters.as_array().expect("a list").iter();
    letters
        .map(|it| it["number"].as_u64().expect("a number"))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_are_as_they_were_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let process = Process::start("free", folder.path());
    for kind in ["add-then-trap", "add-then-retry", "add-then-trap"] {
        let failed = process.try_ask(COUNTER, kind, "5", None).await;
        assert_eq!(failed.unwrap_err().word(), "failed");
    }
    process.send(COUNTER, "add-then-trap", "6").await;
    // Whoever gets a reply knows that what came before is on disk.
    assert_eq!(process.ask(COUNTER, "get", "").await, "0");
    let before = process.get("dead-letters").await;
    assert_eq!(before.as_array().map(Vec::len), Some(4));
    process.kill();
    let process = Process::start("free", folder.path());
    assert_eq!(process.get("dead-letters").await, before);
    let report = process.letter("replay", 1).await.unwrap();
    assert_eq!(report["is_same_version"], true, "{report}");
    assert_eq!(
        report["differences"].as_array().map(Vec::len),
        Some(0),
        "{report}"
    );
    assert_eq!(process.ask(COUNTER, "get", "").await, "0");

    // What is dropped, or sent again, is so for good.
    process.letter("drop", 2).await.unwrap();
    process.letter("retry", 1).await.unwrap();
    process.kill();
    let process = Process::start("free", folder.path());
    let died_again = |letters: &Value| {
        let letters = letters.as_array().expect("a list");
        let numbers: Vec<_> = letters.iter().map(|it| it["number"].as_u64()).collect();
        numbers == [Some(3), Some(4), Some(5)]
    };
    process.until("dead-letters", died_again).await;
    assert_eq!(process.ask(COUNTER, "get", "").await, "0");
    let gone = process.letter("retry", 1).await;
    assert_eq!(gone.unwrap_err().word(), "control");
    process.kill();
    let process = Process::start("free", folder.path());
    assert_eq!(numbers(&process).await, [3, 4, 5]);
    assert_eq!(process.ask(COUNTER, "get", "").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_is_handled_when_its_cause_is_gone() {
    let folder = TempDir::new().unwrap();
    let process = Process::start("broken", folder.path());
    for payload in ["5", "6"] {
        let failed = process.try_ask(COUNTER, "add", payload, None).await;
        assert_eq!(failed.unwrap_err().word(), "failed");
    }
    process.kill();

    let process = Process::start("free", folder.path());
    let report = process.letter("replay", 1).await.unwrap();
    assert_eq!(report["is_same_version"], false, "{report}");
    assert_eq!(report["is"], "replied", "{report}");
    assert_eq!(
        process.ask(COUNTER, "get", "").await,
        "0",
        "a replay changes nothing"
    );
    process.letter("retry", 1).await.unwrap();
    process.until_said(COUNTER, "get", |sum| sum == "5").await;
    process.kill();
    let process = Process::start("free", folder.path());
    assert_eq!(process.ask(COUNTER, "get", "").await, "5");
    assert_eq!(numbers(&process).await, [2]);
}
