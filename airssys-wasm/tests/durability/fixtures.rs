//! Systems that are started with the data of an earlier release.

// Layer 1: Standard library imports
use std::fs;

// Layer 2: Third-party crate imports
use tempfile::TempDir;

// Layer 3: Internal module imports
use crate::support::{ask, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_system_goes_on_with_data_v1() {
    let copy = TempDir::new().unwrap();
    for entry in fs::read_dir("tests/fixtures/data-v1").unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    let system = start(copy.path()).await;
    let status = system.status();
    assert_eq!(status.data.unwrap().waiting_at_start, 2);
    assert_eq!((status.open.timers, status.open.requests), (1, 1));
    assert_eq!(status.dead_letters, 1);
    // Six, and the two messages that waited.
    assert_eq!(ask(&system, "demo/counter/a", "get", "").await, "11");
    assert_eq!(ask(&system, "demo/counter/b", "get", "").await, "7");
    assert_eq!(ask(&system, "demo/counter/c", "get", "").await, "1");
    assert_eq!(ask(&system, "demo/relay/desk", "notes", "").await, "one\n");
    assert_eq!(
        system.publish("orders.new", "note", "two").await.unwrap(),
        1
    );
    assert_eq!(
        ask(&system, "demo/relay/desk", "notes", "").await,
        "one\ntwo\n"
    );
    let (_, letter) = &system.dead_letters(None, None, 9)[0];
    assert!(letter.turn.is_some());
    assert!(system.shutdown().await.is_clean());
}
