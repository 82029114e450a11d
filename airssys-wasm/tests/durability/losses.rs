//! What is lost when the process is killed, by what a component says that it keeps.

// Layer 1: Standard library imports
use std::fs;

// Layer 2: Third-party crate imports
use tempfile::TempDir;

// Layer 3: Internal module imports
use airssys_wasm::core::delivery::refusal::Refusal;
use airssys_wasm::core::storage::durability::Durability;
use airssys_wasm::system::builder::SystemBuilder;
use airssys_wasm::system::error::AskError;

use crate::process::Process;
use crate::support::{ask, builder, guest, id};

/// Counters that keep what they have with care, with less, and not at all.
pub(crate) fn components(builder: SystemBuilder) -> SystemBuilder {
    let of_each = [
        ("demo/strict", Some(Durability::Strict)),
        ("demo/relaxed", Some(Durability::Relaxed)),
        ("demo/none", Some(Durability::None)),
        ("demo/silent", None),
    ];
    of_each.into_iter().fold(builder, |builder, (name, keeps)| {
        builder.component_with(name, &*guest("counter"), |it| it.durability = keeps)
    })
}

async fn sum(process: &Process, name: &str) -> u64 {
    let sum = process.ask(&format!("demo/{name}/a"), "get", "").await;
    sum.parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_component_keeps_what_it_says() {
    let folder = TempDir::new().unwrap();
    let mut process = Process::start("losses", folder.path());
    for round in 1..=5 {
        for name in ["none", "relaxed", "silent", "strict"] {
            process.ask(&format!("demo/{name}/a"), "add", "1").await;
        }
        let relaxed = sum(&process, "relaxed").await;
        process.kill();
        process = Process::start("losses", folder.path());
        assert_eq!(sum(&process, "strict").await, round);
        assert_eq!(
            sum(&process, "silent").await,
            round,
            "it keeps what the system says"
        );
        assert_eq!(sum(&process, "none").await, 0);
        // It was committed before what was waited for, and there is one order.
        assert_eq!(sum(&process, "relaxed").await, relaxed);
    }
    process.ask("demo/relaxed/a", "add", "1").await;
    process.get("shutdown").await;
    process.kill();
    let process = Process::start("losses", folder.path());
    assert_eq!(
        sum(&process, "relaxed").await,
        6,
        "nothing is lost at an orderly end"
    );
}

/// A log that somebody removes while the system runs keeps nothing any more, although it can
/// still be written: that is noticed before anything is acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_removed_stops_the_system() {
    let data = TempDir::new().unwrap();
    let builder = builder(data.path()).component("demo/counter", guest("counter").as_str());
    let system = builder.start().await.unwrap();
    assert_eq!(ask(&system, "demo/counter/a", "add", "1").await, "1");
    for entry in fs::read_dir(data.path()).unwrap() {
        let path = entry.unwrap().path();
        if path
            .file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("log-")
        {
            fs::remove_file(path).unwrap();
        }
    }
    let counter = id("demo/counter/a");
    let failed = system.ask(&counter, "add", "1").await.unwrap_err();
    assert!(matches!(failed, AskError::Undecided(_)), "{failed}");
    let refused = system.ask(&counter, "get", "").await.unwrap_err();
    assert_eq!(refused, AskError::Refused(Refusal::StoreFailed));
    let refused = system.send(&counter, "add", "1").await.unwrap_err();
    assert_eq!(refused.reason, Refusal::StoreFailed);
    let reason = system.status().store_failure.unwrap();
    assert!(reason.contains("removed"), "{reason}");
}
